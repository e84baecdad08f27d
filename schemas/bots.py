"""Bot configurations: what users produce to `bots.configs.v1`."""

from typing import Annotated, Any, Literal

from msgspec import Meta

from schemas.interval import Interval
from schemas.message import BotId, Decimals, Message, Millis, Part, SignedDecimals, Symbol, UserId

BotState = Literal["active", "paused", "deleted"]
BotSide = Literal["long", "short"]
ConfigSide = Literal["long", "short", "neutral"]
Intrabar = Literal["pessimistic", "ohlc"]
Seconds = Annotated[int, Meta(ge=0, le=31_536_000)]
WrittenCondition = str | dict[str, Any]


class LadderStep(Part, frozen=True):
    """One safety order of an explicit ladder: `deviation` in percent of the anchor's price (the base order's, that of
    the order before, or the average of what is filled), `volume` in quote.
    """

    deviation: Decimals
    volume: Decimals


class TargetStep(Part, frozen=True):
    """Sell `amount` percent of all that was bought at `percent` of profit. The amounts of all steps add up to 100; the
    last one sells what is left.
    """

    percent: Decimals
    amount: Decimals


class TakeProfit(Part, frozen=True):
    """Close the deal at `percent` of profit on its average price, or on the base order's price; or in up to four
    `steps`, in rising order.

    `trailing`: from where the (last) target is met the price is followed, and the deal is closed when it comes back
    by so many percent of its best.
    """

    percent: Decimals | None = None
    of: Literal["average", "base"] = "average"
    steps: Annotated[tuple[TargetStep, ...], Meta(max_length=4)] = ()
    trailing: Decimals | None = None

    def __post_init__(self) -> None:
        if self.percent is None and not self.steps:
            raise ValueError("expected percent or steps")
        if self.percent is not None and self.steps:
            raise ValueError("percent and steps exclude each other: the steps have their own percents")


class StopLoss(Part, frozen=True, rename={"reference": "from"}):
    """Close the deal at `percent` of loss from the base order's price, the average, or the last ladder level.

    `trailing`: the stop follows the best price since the base order, `percent` behind it, and never goes back.
    `break_even`: once the first target step is filled, it stands where the rest of the deal neither wins nor loses.
    `timeout_s`: the market has to be beyond the stop for so long before the deal is closed.
    """

    percent: Decimals
    reference: Literal["base", "average", "last_level"] = "base"
    trailing: bool = False
    break_even: bool = False
    timeout_s: Seconds = 0


class CloseRule(Part, frozen=True):
    """Close the deal at the market when the condition `when` is true at a bar's close, and the deal would bring at
    least `min_profit` percent of what was invested, after fees (null: whatever it brings).
    """

    when: WrittenCondition
    min_profit: SignedDecimals | None = None


class Grid(Part, frozen=True):
    """A grid: `levels` prices from `lower` to `upper`, both included, in equal steps or in equal ratios.

    `quantity` per level, in quote or in base. Of the levels only the `max_active_levels` nearest to the price are armed
    (null: all). `initial_purchase`: a long (short) grid buys (sells) at the start what the levels beyond the price
    will sell (buy). The stops lie outside the range; `stop_action`: what happens to the position there.
    """

    lower: Decimals
    upper: Decimals
    levels: Annotated[int, Meta(ge=2, le=200)]
    quantity: Decimals
    spacing: Literal["arithmetic", "geometric"] = "arithmetic"
    quantity_in: Literal["quote", "base"] = "quote"
    max_active_levels: Annotated[int, Meta(ge=1, le=200)] | None = None
    initial_purchase: bool = True
    stop_below: Decimals | None = None
    stop_above: Decimals | None = None
    stop_action: Literal["close", "keep"] = "close"


class BotConfig(Message, frozen=True, tag="bot_config"):
    """A DCA or a grid bot. Volumes are quote amounts, percents are percents ("1" is 1 %), both decimal strings.

    Conditions are text or trees; a bot whose state is `deleted` may leave everything but its ids out. A grid bot has
    `grid` and none of the settings of a ladder; it starts on a bar that closes in its range, on which its `entry`, if
    it has one, is true. `side: neutral` is a grid's.

    Safety orders: the ladder of `price_deviation`, `step_scale`, `safety_order_volume` and `volume_scale`, or explicit
    `steps`; counted from `anchor`; with a `safety_condition` the next one is bought at the market when that is true at
    a bar's close and the price is at or beyond the order's deviation. `max_active_safety_orders` of them wait at a
    time. `gap_through`: a bar that passes several levels fills each at its own price, only the first of them, or all
    that one movement passes together at the last one's.

    `accumulate` (default: true for a bot whose entry is a schedule and that has no take profit): the first entry opens
    one deal per pair, each later one adds a base order to it. `reinvest_percent` of realized profit is added to the
    volumes of later deals. `reserve`: what of a user's balance a new deal sets aside.
    """

    bot_id: BotId
    user_id: UserId
    kind: Literal["dca", "grid"] = "dca"
    state: BotState = "active"
    revision: Annotated[int, Meta(ge=0, le=2**53)] = 0
    effective_from_ms: Millis | None = None
    name: Annotated[str, Meta(max_length=128)] = ""

    pairs: Annotated[list[Symbol], Meta(max_length=64)] = []
    side: ConfigSide = "long"
    timeframe: Interval = "1m"
    entry: WrittenCondition = ""
    intrabar: Intrabar = "pessimistic"

    base_order_volume: Decimals = "0"
    safety_order_volume: Decimals = "0"
    max_safety_orders: Annotated[int, Meta(ge=0, le=100)] = 0
    price_deviation: Decimals = "1"
    step_scale: Decimals = "1"
    volume_scale: Decimals = "1"
    steps: Annotated[tuple[LadderStep, ...], Meta(max_length=100)] = ()
    anchor: Literal["base_fill", "previous_order", "average"] = "base_fill"
    safety_condition: WrittenCondition = ""
    max_active_safety_orders: Annotated[int, Meta(ge=1, le=100)] | None = None
    gap_through: Literal["each", "one_per_bar", "merge"] = "each"

    take_profit: TakeProfit | None = None
    stop_loss: StopLoss | None = None
    close: CloseRule | None = None
    deal_timeout_s: Seconds = 0
    start_delay_s: Seconds = 0
    cooldown_s: Seconds = 0
    max_active_deals: Annotated[int, Meta(ge=1, le=1_000)] = 1
    max_active_deals_per_pair: Annotated[int, Meta(ge=1, le=100)] = 1
    disable_after_deals: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None
    accumulate: bool | None = None
    reinvest_percent: Decimals = "0"
    reserve: Literal["ladder", "next_order", "none"] = "ladder"
    same_bar_exit: bool = False
    on_delete: Literal["close", "keep"] = "keep"
    fee: Decimals = "0.1"
    fee_in: Literal["quote", "base"] = "quote"
    slippage: Decimals = "0.05"

    grid: Grid | None = None
