"""`bots.positions.v1`: a snapshot per bot, compacted."""

from schemas.bots import BotState, ConfigSide
from schemas.message import BotId, Decimals, Message, Millis, Part, SignedDecimals, Symbol, UserId


class GridView(Part, frozen=True):
    """A grid's orders that wait, how many round trips are complete, and what they brought after fees, in quote."""

    buys: int
    sells: int
    round_trips: int
    profit: SignedDecimals


class OpenDeal(Part, frozen=True):
    """One open deal: quantity in base units, the rest in quote units, all decimal strings.

    `quantity` is negative where a neutral grid owes. `grid` is a grid's alone.
    """

    deal_id: str
    symbol: Symbol
    side: ConfigSide
    opened_at_ms: Millis
    quantity: SignedDecimals
    average_price: Decimals
    invested: Decimals
    safety_orders_filled: int
    take_profit_price: Decimals | None = None
    stop_loss_price: Decimals | None = None
    grid: GridView | None = None


class Position(Message, frozen=True, tag="position"):
    """Where a bot stands after its last trigger or config: open deals and what the closed ones brought."""

    bot_id: BotId
    user_id: UserId
    state: BotState
    revision: int
    as_of_ms: Millis
    open_deals: list[OpenDeal] = []
    closed_deals: int = 0
    realized_profit: SignedDecimals = "0"
