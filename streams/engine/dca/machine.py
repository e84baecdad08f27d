"""The deal as a pure state machine: `apply(deal, event) -> (deal, commands)`.

    opening ──base order done──▶ open ──exit triggered──▶ closing ──nothing left──▶ closed
       └─base order ended empty──▶ closed   ▲                 │
                                            └──exit order cancelled or rejected

Safety orders, entries added by a periodic bot and take-profit steps but the last are orders of an open deal. Venues
differ in when events come, never in what they mean: on paper `order_accepted` and `order_filled` follow a command at
once, a real venue sends them when they happen, in parts, late, or with a refusal instead.
"""

from fractions import Fraction

from msgspec.structs import replace

from streams.engine.dca import booking
from streams.engine.dca.deal import Deal
from streams.engine.dca.errors import UnexpectedEvent
from streams.engine.dca.events import (
    CloseReason,
    DealInput,
    OrderAccepted,
    OrderCancelled,
    OrderFilled,
    OrderKind,
    OrderRejected,
    Triggered,
    VenueEvent,
)
from streams.engine.dca.hanging import hung
from streams.engine.dca.ladder import steps_of
from streams.engine.dca.leaving import Step, exit_all, left_over, place, reopened, take_target
from streams.engine.dca.orders import BASE, Order, OrderState, is_safety
from streams.engine.dca.trailing import started_at


def apply(deal: Deal, event: DealInput) -> Step:
    """The deal after `event`, and what is to be sent to the venue.

    Raises UnexpectedEvent for an event that no order waits for, OffGrid for amounts between two steps.
    """
    if deal.closed:
        raise UnexpectedEvent(deal.deal_id, event, "the deal is closed")
    match event:
        case Triggered(level):
            if is_entry(level):
                return _enter_base(deal, event) if not is_safety(level) else _enter_safety(deal, event)
            return take_target(deal, event) if _is_step(deal, level) else exit_all(deal, event)
        case OrderAccepted():
            return booking.with_order(deal, replace(booking.working(deal, event), state="accepted")), ()
        case OrderFilled(level=level, last=last):
            deal = booking.book(deal, event)
            return _ended(deal, level) if last else (deal, ())
        case OrderCancelled(level):
            return _ended(_with_state(deal, event, "cancelled"), level)
        case OrderRejected(level):
            return _ended(_with_state(deal, event, "rejected"), level)


def is_entry(level: str) -> bool:
    """Does an order of that level add to the position?"""
    return level == BASE or level.startswith("base_") or is_safety(level)


def _is_step(deal: Deal, level: str) -> bool:
    """Is it a take-profit step that leaves something for the next?"""
    return level.startswith("tp_") and level != f"tp_{len(deal.terms.targets)}"


def _with_state(deal: Deal, event: VenueEvent, state: OrderState) -> Deal:
    return booking.with_order(deal, replace(booking.working(deal, event), state=state))


def _enter_base(deal: Deal, event: Triggered) -> Step:
    instrument, first = deal.terms.instrument, event.level == BASE
    expected = BASE if not deal.entries else f"base_{deal.base_orders + 1}"
    if event.level != expected or (not first and deal.status != "open"):
        raise UnexpectedEvent(deal.deal_id, event, f"no armed order of that level while {deal.status}")
    lots = instrument.lots_for(Fraction(deal.terms.base_order_volume), instrument.ticks_up(event.price))
    order = Order(level=event.level, side=deal.entry_side, lots=lots, state="placed")
    base, ladder = deal.entries[:1], deal.entries[1:]
    deal = replace(deal, entries=(*base, order, *ladder), base_orders=1 if first else deal.base_orders + 1)
    return deal, (place(deal, order, None, "market"),)


def _enter_safety(deal: Deal, event: Triggered) -> Step:
    armed = {order.level: order for order in deal.ladder if order.state == "armed"}
    if deal.status != "open" or event.level not in armed or not armed.keys() >= set(event.merges):
        raise UnexpectedEvent(deal.deal_id, event, f"no armed order of that level while {deal.status}")
    order = replace(armed[event.level], state="placed")
    if event.at_market or event.merges:
        order = replace(order, lots=_lots_of(deal, event, order))
    for level in event.merges:
        deal = booking.with_order(deal, replace(armed[level], state="merged"))
    deal = booking.with_order(deal, order)
    kind: OrderKind = "market" if event.at_market else "limit"
    return deal, (place(deal, order, None if event.at_market else order.ticks, kind),)


def _lots_of(deal: Deal, event: Triggered, order: Order) -> int:
    """The volume of all orders that are bought together, at the market or at the level of the last."""
    instrument, levels = deal.terms.instrument, {event.level, *event.merges}
    volume = sum(
        (step.volume for step in steps_of(deal.terms) if f"dca_{step.number}" in levels), Fraction(0)
    )
    at_level = not event.at_market and order.ticks is not None
    return instrument.lots_for(volume, order.ticks if at_level else instrument.ticks_up(event.price))  # type: ignore[arg-type]


def _ended(deal: Deal, level: str) -> Step:
    """The venue is done with the order of `level`: filled, cancelled or rejected."""
    if level == BASE:
        deal = _anchored(deal)
        if deal.closed:
            return deal, ()
    elif is_safety(level):
        deal = hung(deal)
    elif is_entry(level):  # what an added entry did is in the ledger
        deal = replace(deal, entries=tuple(order for order in deal.entries if order.level != level))
    elif deal.exit is not None and deal.exit.level == level and deal.exit.state != "filled":
        deal = reopened(deal)
    return left_over(deal)


def _anchored(deal: Deal) -> Deal:
    """The base order is closed: hang the ladder at its average price, or end a deal that got nothing."""
    base = deal.entries[0]
    if not base.filled_lots:
        ended: CloseReason = "order_rejected" if base.state == "rejected" else "order_cancelled"
        return replace(deal, status="closed", reason=deal.reason or ended)
    if deal.terms.trailing_stop:
        price = Fraction(base.filled_quote, base.filled_lots)
        deal = replace(deal, stop_trail=started_at(deal.terms.instrument, price))
    return replace(hung(deal), status="open" if deal.status == "opening" else deal.status)
