"""`bots.positions.v1`: a snapshot per bot, compacted."""

from schemas.bots import BotSide, BotState
from schemas.message import BotId, Decimals, Message, Millis, Part, SignedDecimals, Symbol, UserId


class OpenDeal(Part, frozen=True):
    """One open deal: quantity in base units, the rest in quote units, all decimal strings."""

    deal_id: str
    symbol: Symbol
    side: BotSide
    opened_at_ms: Millis
    quantity: Decimals
    average_price: Decimals
    invested: Decimals
    safety_orders_filled: int
    take_profit_price: Decimals | None = None
    stop_loss_price: Decimals | None = None


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
