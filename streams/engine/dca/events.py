"""What happens to a deal: events in the past tense, commands in the imperative. Amounts are exact decimals.

The machine is fed with `Triggered` and the venue's `OrderAccepted`, `OrderFilled`, `OrderCancelled`,
`OrderRejected`. A settlement tells all of them but `Triggered`, and what followed: `Merged`, `StopTimer`, `Skipped`,
`Dust`, `Closed`.
"""

from decimal import Decimal
from typing import Literal, TypeAlias

import msgspec

OrderSide = Literal["buy", "sell"]
OrderKind = Literal["market", "limit", "stop"]
CloseReason = Literal[
    "take_profit",
    "stop_loss",
    "stop_below",
    "stop_above",
    "break_even",
    "close",
    "condition",
    "timeout",
    "order_cancelled",
    "order_rejected",
]
"""`close`: the bot was deleted; `condition`: its close rule was true."""


class Triggered(msgspec.Struct, frozen=True, tag_field="type", tag="triggered"):
    """A level was met, or a decision taken at a bar's close. `price`: what the market is expected to give.

    `reason` of an exit: None for what its level says, `timeout` where a close has another cause. `at_market`: not a
    limit or stop at the level. `merges`: safety orders that are bought together with this one.
    """

    level: str
    price: Decimal
    reason: CloseReason | None = None
    at_market: bool = False
    merges: tuple[str, ...] = ()


class OrderAccepted(msgspec.Struct, frozen=True, tag_field="type", tag="order_accepted"):
    """The venue took the order. `price` is its limit or stop; None for a market order."""

    level: str
    side: OrderSide
    quantity: Decimal
    price: Decimal | None = None


class OrderFilled(msgspec.Struct, frozen=True, tag_field="type", tag="order_filled"):
    """`quantity` of the order was executed at `price`; `quote` is their product, `fee` is in quote.

    `fee_base`: a fee that the venue took of the quantity instead.
    `last`: the venue is done with the order. `number` counts the fills of the order from 1, those of exits over all
    exits of the deal.
    """

    level: str
    side: OrderSide
    quantity: Decimal
    price: Decimal
    quote: Decimal
    fee: Decimal
    last: bool = True
    number: int = 1
    fee_base: Decimal = Decimal(0)


class OrderCancelled(msgspec.Struct, frozen=True, tag_field="type", tag="order_cancelled"):
    """The order ended with no further fill; what was filled before stays filled."""

    level: str
    reason: str = ""


class OrderRejected(msgspec.Struct, frozen=True, tag_field="type", tag="order_rejected"):
    """The venue never took the order."""

    level: str
    reason: str = ""


class Skipped(msgspec.Struct, frozen=True, tag_field="type", tag="skipped"):
    """A member fired and nothing was done for it, with the reason."""

    level: str
    reason: str


class Merged(msgspec.Struct, frozen=True, tag_field="type", tag="merged"):
    """A safety order was bought together with a later one, `into`."""

    level: str
    into: str


class StopTimer(msgspec.Struct, frozen=True, tag_field="type", tag="stop_timer"):
    """The market closed beyond a stop with a timeout: it stops at `until_ms`. Or it came back: None."""

    price: Decimal
    until_ms: int | None


class Dust(msgspec.Struct, frozen=True, tag_field="type", tag="dust"):
    """A rest too small to be sent to the venue was booked off; `cost`: its share of the entries, in quote."""

    quantity: Decimal
    cost: Decimal


class Closed(msgspec.Struct, frozen=True, tag_field="type", tag="closed"):
    """The deal is over. `profit` = Σ sells − Σ buys − fees, in quote, exactly."""

    reason: CloseReason
    profit: Decimal


VenueEvent: TypeAlias = OrderAccepted | OrderFilled | OrderCancelled | OrderRejected
DealInput: TypeAlias = Triggered | VenueEvent
DealEvent: TypeAlias = VenueEvent | Merged | StopTimer | Skipped | Dust | Closed


class PlaceOrder(msgspec.Struct, frozen=True, tag_field="type", tag="place_order"):
    """Send an order. `price` is the limit or stop; None for a market order."""

    level: str
    side: OrderSide
    kind: OrderKind
    quantity: Decimal
    price: Decimal | None = None


class CancelOrder(msgspec.Struct, frozen=True, tag_field="type", tag="cancel_order"):
    """Withdraw an order that is still working; fills that arrive before the venue's answer count."""

    level: str


Command: TypeAlias = PlaceOrder | CancelOrder
