"""Entries in the deal's books: every fill changes its order and the ledger together, in whole units."""

from decimal import Decimal
from math import ceil

from msgspec.structs import replace

from streams.engine.dca.deal import Deal
from streams.engine.dca.errors import UnexpectedEvent
from streams.engine.dca.events import OrderFilled, VenueEvent
from streams.engine.dca.money import FEE_UNIT, FEE_UNITS_PER_QUOTE, ceil_div, in_units
from streams.engine.dca.orders import PARTS, Order


def order_at(deal: Deal, level: str) -> Order | None:
    """The deal's order of that level: entries, targets, the exit."""
    for order in (*deal.entries, *deal.targets):
        if order.level == level:
            return order
    return deal.exit if deal.exit is not None and deal.exit.level == level else None


def working(deal: Deal, event: VenueEvent) -> Order:
    """The order that `event` speaks of. Raises UnexpectedEvent unless it is working."""
    order = order_at(deal, event.level)
    if order is None:
        raise UnexpectedEvent(deal.deal_id, event, "no such order")
    if not order.working:
        raise UnexpectedEvent(deal.deal_id, event, f"the order is {order.state}")
    return order


def with_order(deal: Deal, order: Order) -> Deal:
    """`deal` with the order of the same level replaced."""
    if deal.exit is not None and deal.exit.level == order.level:
        return replace(deal, exit=order)
    if any(old.level == order.level for old in deal.targets):
        return replace(deal, targets=_replaced(deal.targets, order))
    return replace(deal, entries=_replaced(deal.entries, order))


def _replaced(orders: tuple[Order, ...], order: Order) -> tuple[Order, ...]:
    return tuple(order if old.level == order.level else old for old in orders)


def fee_units(deal: Deal, quote: int) -> int:
    """The paper venue's fee on an amount of tick×lots, in 1e-8 quote, rounded up: no cost is understated."""
    unit, fee = deal.terms.instrument.quote_unit, deal.terms.fee_ratio
    return ceil_div(
        quote * unit.numerator * fee.numerator * FEE_UNITS_PER_QUOTE, unit.denominator * fee.denominator
    )


def base_fee_parts(deal: Deal, lots: int) -> int:
    """The paper venue's fee on a buy where fees are in base, in parts of a lot, rounded up."""
    fee = deal.terms.fee_ratio
    return ceil_div(lots * PARTS * fee.numerator, fee.denominator)


def book(deal: Deal, event: OrderFilled) -> Deal:
    """One fill in order and ledger. Raises UnexpectedEvent where it contradicts the order, or OffGrid."""
    order = working(deal, event)
    instrument = deal.terms.instrument
    lots, quote = (
        instrument.lots(event.quantity),
        instrument.lots(event.quantity) * instrument.ticks(event.price),
    )
    if event.side != order.side or lots < 0 or order.filled_lots + lots > order.lots:
        raise UnexpectedEvent(
            deal.deal_id, event, f"the order is to {order.side} {instrument.quantity(order.lots)}"
        )
    if event.number != order.fills + 1:
        raise UnexpectedEvent(
            deal.deal_id, event, f"it has had {order.fills} fills: this one was booked before"
        )
    if instrument.quote(quote) != event.quote:
        raise UnexpectedEvent(deal.deal_id, event, "quote is not quantity × price")
    order = replace(
        order,
        filled_lots=order.filled_lots + lots,
        filled_quote=order.filled_quote + quote,
        fills=order.fills + 1,
        state="filled" if event.last else order.state,
    )
    fee, taken = ceil(in_units(event.fee, FEE_UNIT)), ceil(in_units(event.fee_base, instrument.lot) * PARTS)
    return _in_ledger(with_order(deal, order), order.side == deal.entry_side, lots, quote, fee, taken)


def _in_ledger(deal: Deal, entry: bool, lots: int, quote: int, fee: int, taken: int) -> Deal:
    old = replace(deal.ledger, base_fees=deal.ledger.base_fees + taken)
    if entry:
        new = replace(
            old, entry_lots=old.entry_lots + lots, entry_quote=old.entry_quote + quote, fees=old.fees + fee
        )
    else:
        new = replace(
            old, exit_lots=old.exit_lots + lots, exit_quote=old.exit_quote + quote, fees=old.fees + fee
        )
    return replace(deal, ledger=new)


def book_off(deal: Deal) -> Deal:
    """Take the whole position off the books as dust, parts of a lot too."""
    old = deal.ledger
    lots, parts = divmod(old.held_parts, PARTS)
    return replace(
        deal, ledger=replace(old, dust_lots=old.dust_lots + lots, dust_parts=old.dust_parts + parts)
    )


def fill(
    deal: Deal, level: str, lots: int, ticks: int, *, fee: Decimal | None = None, last: bool = True
) -> OrderFilled:
    """The event that fills the working order at `level`; with the paper venue's fee unless one is given."""
    order = order_at(deal, level)
    if order is None:
        raise UnexpectedEvent(deal.deal_id, level, "no such order")
    instrument, quote = deal.terms.instrument, lots * ticks
    taken = Decimal(0)
    if fee is None and deal.terms.fee_in == "base" and order.side == "buy":
        fee, taken = Decimal(0), instrument.parts(base_fee_parts(deal, lots))
    return OrderFilled(
        level=level,
        side=order.side,
        quantity=instrument.quantity(lots),
        price=instrument.price(ticks),
        quote=instrument.quote(quote),
        fee=instrument.fee(fee_units(deal, quote)) if fee is None else fee,
        last=last,
        number=order.fills + 1,
        fee_base=taken,
    )
