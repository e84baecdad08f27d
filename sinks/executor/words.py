"""What is told of a deal's events: their names, reasons in plain words, and numbers."""

from decimal import Decimal
from typing import TypeAlias

from schemas.events import EventName
from sinks.executor.draft import Detail
from streams.engine.dca import (
    Closed,
    Dust,
    Merged,
    OrderAccepted,
    OrderCancelled,
    OrderFilled,
    OrderRejected,
    Skipped,
    StopTimer,
    VenueEvent,
)
from streams.engine.dca.money import text
from streams.engine.grid import Kept, RoundTrip, Woken
from streams.engine.kinds import AnyEvent

Words: TypeAlias = tuple[EventName, str, str, Detail]
"""(event name, level, reason, detail)"""


def words(event: AnyEvent) -> Words:
    """(event name, level, reason, detail)."""
    match event:
        case OrderAccepted() | OrderFilled() | OrderCancelled() | OrderRejected():
            return _of_an_order(event)
        case Skipped(level, reason):
            return "ignored", level, reason, {}
        case Merged(level, into):
            return "merged", level, f"bought together with {into}", {"into": into}
        case StopTimer(price, None):
            return (
                "stop_timer",
                "",
                f"the market closed back on the deal's side of the stop at {text(price)}",
                {},
            )
        case StopTimer(price, until_ms):
            beyond = f"the market closed beyond the stop at {text(price)}"
            return (
                "stop_timer",
                "",
                f"{beyond}: it stops unless the market comes back",
                {"until_ms": until_ms},
            )
        case Dust(quantity, value):
            return "dust", "", "", {"quantity": text(quantity), "value": text(value)}
        case Closed(reason, profit):
            return "closed", "", reason, {"profit": text(profit)}
        case _:
            return _of_a_grid(event)


def _maybe(price: Decimal | None) -> str | None:
    return None if price is None else text(price)


def _of_an_order(event: VenueEvent) -> Words:
    match event:
        case OrderAccepted(level, side, quantity, price):
            return (
                "order_accepted",
                level,
                "",
                {"side": side, "quantity": text(quantity), "price": _maybe(price)},
            )
        case OrderFilled(level, side, quantity, price, quote, fee, fee_base=taken):
            amounts = {"quantity": quantity, "price": price, "quote": quote, "fee": fee}
            if taken:
                amounts["fee_base"] = taken
            return (
                "filled",
                level,
                "",
                {"side": side, **{name: text(value) for name, value in amounts.items()}},
            )
        case OrderCancelled(level, reason):
            return "order_cancelled", level, reason, {}
        case OrderRejected(level, reason):
            return "order_rejected", level, reason, {}


def _of_a_grid(event: RoundTrip | Woken | Kept) -> Words:
    match event:
        case RoundTrip(level, side, profit, number):
            brought: Detail = {"side": side, "profit": text(profit), "number": number}
            return "round_trip", level, f"round trip {number} brought {text(profit)}", brought
        case Woken(level, reason):
            return "ignored", level, reason, {}
        case Kept(quantity, price, quote):
            what = {"quantity": text(quantity), "price": text(price), "quote": text(quote)}
            return "kept", "", "the position stays with the user, at this price", what
