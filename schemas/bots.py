"""Bot configurations: what users produce to `bots.configs.v1`."""

from typing import Annotated, Any, Literal

from msgspec import Meta

from schemas.interval import Interval
from schemas.message import BotId, Decimals, Message, Millis, Part, Symbol, UserId

BotState = Literal["active", "paused", "deleted"]
BotSide = Literal["long", "short"]
Intrabar = Literal["pessimistic", "ohlc"]


class TakeProfit(Part, frozen=True):
    """Close the deal at `percent` of profit on its average price, or on the base order's price."""

    percent: Decimals
    of: Literal["average", "base"] = "average"


class StopLoss(Part, frozen=True, rename={"reference": "from"}):
    """Close the deal at `percent` of loss from the base order's price, the average, or the last ladder level."""

    percent: Decimals
    reference: Literal["base", "average", "last_level"] = "base"


class BotConfig(Message, frozen=True, tag="bot_config"):
    """A DCA bot. Volumes are quote amounts, percents are percents ("1" is 1 %), both decimal strings.

    `entry` is a condition as text or as a tree; a bot whose state is `deleted` may leave everything but its ids out.
    """

    bot_id: BotId
    user_id: UserId
    kind: Literal["dca"] = "dca"
    state: BotState = "active"
    revision: Annotated[int, Meta(ge=0, le=2**53)] = 0
    effective_from_ms: Millis | None = None
    name: Annotated[str, Meta(max_length=128)] = ""

    pairs: Annotated[list[Symbol], Meta(max_length=64)] = []
    side: BotSide = "long"
    timeframe: Interval = "1m"
    entry: str | dict[str, Any] = ""
    intrabar: Intrabar = "pessimistic"

    base_order_volume: Decimals = "0"
    safety_order_volume: Decimals = "0"
    max_safety_orders: Annotated[int, Meta(ge=0, le=100)] = 0
    price_deviation: Decimals = "1"
    step_scale: Decimals = "1"
    volume_scale: Decimals = "1"

    take_profit: TakeProfit | None = None
    stop_loss: StopLoss | None = None
    cooldown_s: Annotated[int, Meta(ge=0, le=31_536_000)] = 0
    max_active_deals: Annotated[int, Meta(ge=1, le=1_000)] = 1
    same_bar_exit: bool = False
    on_delete: Literal["close", "keep"] = "keep"
    fee: Decimals = "0.1"
    slippage: Decimals = "0"
