"""The grid as a pure state machine: `apply(deal, event) -> (deal, commands)`.

    opening ──market order of the start done──▶ open ──stop or close──▶ closing ──nothing left──▶ closed
       └─it ended empty──▶ closed                └──stop or close that keeps the position──▶ closed

In `open` each cell goes round by itself: placed, accepted, filled, turned. Venues differ in when events come, never in
what they mean. An exit that came to nothing leaves the deal `closing`: its stops, or the close, try again.
"""

from decimal import Decimal
from typing import Final

from msgspec.structs import replace

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
)
from streams.engine.grid import booking
from streams.engine.grid.cells import purchase_lots, stocked, turned, woken
from streams.engine.grid.deal import BASE, CLOSE, STOP_ABOVE, STOP_BELOW, Deal, Order
from streams.engine.grid.orders import armed, level_name, waiting

Step = tuple[Deal, tuple[Command, ...]]
_REASONS: Final[dict[str, CloseReason]] = {STOP_BELOW: "stop_below", STOP_ABOVE: "stop_above", CLOSE: "close"}


def apply(deal: Deal, event: DealInput) -> Step:
    """The deal after `event`, and what is to be sent to the venue.

    Raises UnexpectedEvent for an event that no order waits for, OffGrid for amounts between two steps.
    """
    if deal.closed:
        raise UnexpectedEvent(deal.deal_id, event, "the deal is closed")
    match event:
        case Triggered(level=level) if level == BASE:
            return _start(deal, event)
        case Triggered(level=level) if level in _REASONS:
            return _end(deal, event)
        case Triggered():
            return _trade(deal, event)
        case OrderAccepted():
            return booking.with_state(deal, event, "accepted"), ()
        case OrderFilled(level=level, last=last):
            deal = booking.book(deal, event)
            return _ended(booking.with_state(deal, event, "ended"), level) if last else (deal, ())
        case OrderCancelled(level) | OrderRejected(level):
            return _ended(booking.with_state(deal, event, "ended"), level, event)


def _start(deal: Deal, event: Triggered) -> Step:
    if deal.status != "opening" or deal.base is not None:
        raise UnexpectedEvent(deal.deal_id, event, f"the grid is {deal.status}")
    lots = purchase_lots(deal) if deal.terms.grid.initial_purchase else 0
    if not lots:
        return replace(deal, status="open"), ()
    order = Order(level=BASE, side="buy" if deal.terms.side == "long" else "sell", lots=lots)
    return replace(deal, base=order), (PlaceOrder(BASE, order.side, "market", _quantity(deal, lots)),)


def _trade(deal: Deal, event: Triggered) -> Step:
    found = next((order for order in waiting(deal) if order.name == event.level), None)
    if found is None:
        raise UnexpectedEvent(deal.deal_id, event, f"no order waits at that level while {deal.status}")
    cell = deal.cells[found.cell - 1]
    if cell.state == "idle":
        return woken(deal, found.cell), ()
    deal = booking.with_cell(deal, found.cell, replace(cell, order="placed"))
    side, rest, _ = booking.rest_of(deal, event.level)
    price = deal.terms.instrument.price(found.ticks)
    return deal, (PlaceOrder(event.level, side, "limit", _quantity(deal, rest), price),)


def _end(deal: Deal, event: Triggered) -> Step:
    if deal.exit is not None and deal.exit.working:
        raise UnexpectedEvent(deal.deal_id, event, "an exit is already working")
    cancels = tuple(
        CancelOrder(level_name(booking.level_of(number, cell)))
        for number, cell in deal.numbered()
        if cell.working
    )
    if deal.base is not None and deal.base.working:
        cancels = (CancelOrder(BASE), *cancels)
    keep = deal.keep if event.level == CLOSE else deal.terms.grid.stop_action == "keep"
    deal = replace(deal, status="closing", reason=event.reason or _REASONS[event.level], keep=keep, exit=None)
    deal, commands = _leave(deal, event.level, event.price)
    return deal, cancels + commands


def _leave(deal: Deal, level: str, price: Decimal) -> Step:
    """Send out all that is held, or hand it over; what the venue would not take is booked off."""
    position, instrument = deal.ledger.position, deal.terms.instrument
    if deal.keep and position and not _orders_work(deal):
        ticks = instrument.ticks_down(price) if position > 0 else instrument.ticks_up(price)
        kept = replace(deal.ledger, kept_lots=position, kept_quote=position * ticks)
        deal = replace(deal, ledger=kept)
    elif position and not deal.keep:
        if not instrument.below_minimum(abs(position), price):
            return _sent(deal, level, position)
        dust = deal.ledger.dust_lots + position
        deal = replace(deal, ledger=replace(deal.ledger, dust_lots=dust))
    return (deal if _orders_work(deal) else replace(deal, status="closed")), ()


def _sent(deal: Deal, level: str, position: int) -> Step:
    ticks = next((order.ticks for order in armed(deal) if order.name == level), None)
    order = Order(level=level, side="sell" if position > 0 else "buy", lots=abs(position), ticks=ticks)
    price = None if ticks is None else deal.terms.instrument.price(ticks)
    kind: OrderKind = "market" if ticks is None else "stop"
    return replace(deal, exit=order), (
        PlaceOrder(level, order.side, kind, _quantity(deal, order.lots), price),
    )


def _ended(deal: Deal, level: str, refused: OrderCancelled | OrderRejected | None = None) -> Step:
    """The venue is done with the order of `level`: filled, cancelled or rejected."""
    if level == BASE and deal.base is not None:
        deal = _started(deal, deal.base, refused)
    elif booking.single(deal, level) is None:
        deal = turned(deal, _cell_of(deal, level))
    elif refused is not None and deal.ledger.position:
        return replace(deal, exit=None), ()  # the stop, or the close, tries again
    if deal.status != "closing" or _orders_work(deal) or (deal.exit is not None and deal.exit.working):
        return deal, ()
    # Left over: an order was filled while the exit worked, or the venue stopped short. It goes at the market.
    return _leave(deal, CLOSE, deal.price)


def _started(deal: Deal, base: Order, refused: OrderCancelled | OrderRejected | None) -> Deal:
    if not base.filled_lots:
        ended: CloseReason = "order_rejected" if isinstance(refused, OrderRejected) else "order_cancelled"
        return replace(deal, status="closed", reason=deal.reason or ended)
    deal = stocked(deal, base)
    return replace(deal, status="open") if deal.status == "opening" else deal


def _cell_of(deal: Deal, level: str) -> int:
    return next(
        number
        for number, cell in deal.numbered()
        if cell.order == "ended" and level_name(booking.level_of(number, cell)) == level
    )


def _orders_work(deal: Deal) -> bool:
    return any(cell.working for cell in deal.cells) or (deal.base is not None and deal.base.working)


def _quantity(deal: Deal, lots: int) -> Decimal:
    return deal.terms.instrument.quantity(lots)
