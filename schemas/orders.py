"""What a venue said of an order: `bots.orders.v1`, written by the executor's gateway and read by the executor."""

from typing import Annotated, Literal

from msgspec import Meta

from schemas.message import BotId, Decimals, Message, Millis, SignedDecimals, Symbol, UserId

ClientId = Annotated[
    str, Meta(pattern=r"^[0-9a-f]{32}$(?!\n)", description="our own id of the order, of its intent")
]
ReportStatus = Literal["accepted", "filled", "cancelled", "rejected"]


class OrderReport(Message, frozen=True, tag="order_report"):
    """One thing that happened to an order at the venue. `report_id` is the same whenever it is told again.

    A fill is one trade: `quantity` at `price`, and `last` once the order is complete. `fee`: what it cost
    in quote (negative: a rebate), null where the venue took a third currency, and then reckoned at the bot's own rate;
    `fee_base`: what the venue kept of the fill instead, in base. `at_ms` is the venue's clock.
    """

    report_id: Annotated[str, Meta(min_length=1, max_length=128)]
    client_id: ClientId
    bot_id: BotId
    user_id: UserId
    symbol: Symbol
    status: ReportStatus
    at_ms: Millis
    quantity: Decimals | None = None
    price: Decimals | None = None
    fee: SignedDecimals | None = None
    fee_base: Decimals = "0"
    last: bool = False
    reason: str = ""
    venue_order_id: str = ""
