"""The deal as a pure state machine: `apply(deal, event) -> (deal, commands)`.

    opening ──base order done──▶ open ──exit triggered──▶ closing ──nothing left──▶ closed
       └─base order ended empty──▶ closed   ▲                 │
                                            └──exit order cancelled or rejected

Venues differ in when events come, never in what they mean: on paper `order_accepted` and `order_filled`
follow a command at once, a real venue sends them when they happen, in parts, late, or with a refusal instead.
"""

from decimal import Decimal
from fractions import Fraction
from typing import Final

from msgspec.structs import replace

from streams.engine.dca import booking
from streams.engine.dca.deal import BASE, CLOSE, STOP, TARGET, Deal, Order, OrderState
from streams.engine.dca.errors import UnexpectedEvent
from streams.engine.dca.events import (
    CancelOrder,
    CloseReason,
    Command,
    DealInput,
    OrderAccepted,
    OrderCancelled,
    OrderFilled,
    OrderKind,
    OrderRejected,
    PlaceOrder,
    Triggered,
    VenueEvent,
)
from streams.engine.dca.ladder import rungs
from streams.engine.dca.money import shown

Step = tuple[Deal, tuple[Command, ...]]
_KINDS: Final[dict[str, OrderKind]] = {
    "base": "market",
    "dca": "limit",
    "tp": "limit",
    "sl": "stop",
    "close": "market",
}
_REASONS: Final[dict[str, CloseReason]] = {STOP: "stop_loss", TARGET: "take_profit"}


def apply(deal: Deal, event: DealInput) -> Step:
    """The deal after `event`, and what is to be sent to the venue.

    Raises UnexpectedEvent for an event that no order waits for, OffGrid for amounts between two steps.
    """
    if deal.closed:
        raise UnexpectedEvent(deal.deal_id, event, "the deal is closed")
    match event:
        case Triggered(level):
            return _enter(deal, event) if _is_entry(level) else _exit(deal, event)
        case OrderAccepted():
            return booking.with_order(deal, replace(booking.working(deal, event), state="accepted")), ()
        case OrderFilled(level=level, last=last):
            deal = booking.book(deal, event)
            return _ended(deal, level) if last else (deal, ())
        case OrderCancelled(level):
            return _ended(_with_state(deal, event, "cancelled"), level)
        case OrderRejected(level):
            return _ended(_with_state(deal, event, "rejected"), level)


def _is_entry(level: str) -> bool:
    return level == BASE or level.startswith("dca_")


def _with_state(deal: Deal, event: VenueEvent, state: OrderState) -> Deal:
    return booking.with_order(deal, replace(booking.working(deal, event), state=state))


def _enter(deal: Deal, event: Triggered) -> Step:
    if event.level == BASE and not deal.entries:
        instrument = deal.terms.instrument
        lots = instrument.lots_for(Fraction(deal.terms.base_order_volume), instrument.ticks_up(event.price))
        order = Order(level=BASE, side=deal.entry_side, lots=lots, state="placed")
        return replace(deal, entries=(order,)), (_place(deal, order),)
    armed = [order for order in deal.entries if order.level == event.level and order.state == "armed"]
    if deal.status != "open" or not armed:
        raise UnexpectedEvent(deal.deal_id, event, f"no armed order of that level while {deal.status}")
    order = replace(armed[0], state="placed")
    return booking.with_order(deal, order), (_place(deal, order),)


def _exit(deal: Deal, event: Triggered) -> Step:
    if deal.status == "closing":
        raise UnexpectedEvent(deal.deal_id, event, "an exit is already working")
    cancels = tuple(CancelOrder(order.level) for order in deal.entries if order.working)
    deal = replace(
        deal, status="closing", reason=event.reason or _REASONS.get(event.level, "close"), exit=None
    )
    deal, commands = _leave(deal, event.level, event.price)
    return deal, cancels + commands


def _leave(deal: Deal, level: str, price: Decimal) -> Step:
    """Send out all that is held; what the venue would not take is booked off."""
    deal = _without_dust(deal, price)
    position = deal.ledger.position
    if not position:
        return _closed_if_done(deal), ()
    ticks = {STOP: deal.stop_loss_ticks, TARGET: deal.take_profit_ticks}.get(level)
    order = Order(level=level, side=deal.exit_side, lots=position, ticks=ticks, state="placed")
    return replace(deal, exit=order), (_place(deal, order),)


def _without_dust(deal: Deal, price: Decimal) -> Deal:
    position = deal.ledger.position
    if position and deal.terms.instrument.below_minimum(position, price):
        return booking.book_off(deal)
    return deal


def _ended(deal: Deal, level: str) -> Step:
    """The venue is done with the order of `level`: filled, cancelled or rejected."""
    if level == BASE:
        deal = _anchored(deal)
    elif not _is_entry(level) and deal.exit is not None and deal.exit.state != "filled":
        deal = _reopened(deal)
    if deal.status != "closing" or _anything_works(deal):
        return deal, ()
    # Left over: an entry was filled while the exit worked, or the venue stopped short. It goes at the market.
    return _leave(deal, CLOSE, _average(deal))


def _anchored(deal: Deal) -> Deal:
    """The base order is closed: hang the ladder at its average price, or end a deal that got nothing."""
    base = deal.entries[0]
    if not base.filled_lots:
        ended: CloseReason = "order_rejected" if base.state == "rejected" else "order_cancelled"
        return replace(deal, status="closed", reason=deal.reason or ended)
    ladder = tuple(
        Order(level=f"dca_{rung.number}", side=deal.entry_side, lots=rung.lots, ticks=rung.ticks)
        for rung in rungs(deal.terms, base.filled_quote, base.filled_lots)
    )
    return replace(deal, entries=(base, *ladder), status="open" if deal.status == "opening" else deal.status)


def _reopened(deal: Deal) -> Deal:
    """The exit came to nothing, or not to all: the levels count again for what is held."""
    deal = _without_dust(deal, _average(deal))
    if not deal.ledger.position:
        return deal
    return replace(deal, status="opening" if deal.entries[0].working else "open", reason=None)


def _average(deal: Deal) -> Decimal:
    """The average entry price, for judging whether a rest is worth an order."""
    ledger = deal.ledger
    return shown(Fraction(ledger.entry_quote, ledger.entry_lots or 1) * Fraction(deal.terms.tick))


def _anything_works(deal: Deal) -> bool:
    return any(order.working for order in deal.entries) or (deal.exit is not None and deal.exit.working)


def _closed_if_done(deal: Deal) -> Deal:
    return deal if _anything_works(deal) else replace(deal, status="closed")


def _place(deal: Deal, order: Order) -> PlaceOrder:
    """The command that sends `order`."""
    instrument = deal.terms.instrument
    price = None if order.ticks is None else instrument.price(order.ticks)
    kind = _KINDS[order.level.split("_")[0]]
    return PlaceOrder(order.level, order.side, kind, instrument.quantity(order.lots), price)
