"""Entries in a grid's books: every fill changes its order and the ledger together, in whole units."""

from decimal import Decimal
from math import ceil

from msgspec.structs import replace

from streams.engine.dca.errors import UnexpectedEvent
from streams.engine.dca.events import OrderFilled, OrderSide, VenueEvent
from streams.engine.dca.money import FEE_UNIT, FEE_UNITS_PER_QUOTE, ceil_div, in_units
from streams.engine.grid.deal import BASE, Cell, Deal, Order, OrderState
from streams.engine.grid.orders import level_name
from streams.engine.grid.terms import Terms


def fee_units(terms: Terms, quote: int) -> int:
    """The paper venue's fee on an amount of tick×lots, in 1e-8 quote, rounded up: no cost is understated."""
    unit, fee = terms.instrument.quote_unit, terms.fee_ratio
    return ceil_div(
        quote * unit.numerator * fee.numerator * FEE_UNITS_PER_QUOTE, unit.denominator * fee.denominator
    )


def level_of(number: int, cell: Cell) -> int:
    """The level where the order of a cell lies: its lower one to buy, its upper one to sell."""
    return number if cell.state == "buy" else number + 1


def working_cell(deal: Deal, name: str) -> int | None:
    """The number of the cell whose order at that level the venue has."""
    return next(
        (n for n, cell in deal.numbered() if cell.working and level_name(level_of(n, cell)) == name), None
    )


def single(deal: Deal, name: str) -> Order | None:
    """The order of the start or of the end, if `name` is its level."""
    order = deal.base if name == BASE else deal.exit
    return order if order is not None and order.level == name else None


def rest_of(deal: Deal, name: str) -> tuple[OrderSide, int, int]:
    """Side, lots still to be filled and fills so far of the working order at that level. Raises UnexpectedEvent."""
    order = single(deal, name)
    if order is not None and order.working:
        return order.side, order.lots - order.filled_lots, order.fills
    number = working_cell(deal, name)
    if number is None:
        raise UnexpectedEvent(deal.deal_id, name, "no such order is working")
    cell = deal.cells[number - 1]
    return ("buy" if cell.state == "buy" else "sell"), deal.lots[number - 1] - cell.filled_lots, cell.fills


def with_cell(deal: Deal, number: int, cell: Cell) -> Deal:
    """`deal` with one cell replaced."""
    return replace(deal, cells=(*deal.cells[: number - 1], cell, *deal.cells[number:]))


def with_state(deal: Deal, event: VenueEvent, state: OrderState) -> Deal:
    """The working order that `event` speaks of, in its new state. Raises UnexpectedEvent where none works."""
    rest_of(deal, event.level)
    if order := single(deal, event.level):
        order = replace(order, state=state)
        return replace(deal, base=order) if event.level == BASE else replace(deal, exit=order)
    number = working_cell(deal, event.level) or 0
    return with_cell(deal, number, replace(deal.cells[number - 1], order=state))


def book(deal: Deal, event: OrderFilled) -> Deal:
    """One fill in order and ledger. Raises UnexpectedEvent where it contradicts the order, or OffGrid."""
    side, rest, fills = rest_of(deal, event.level)
    instrument = deal.terms.instrument
    lots = instrument.lots(event.quantity)
    quote = lots * instrument.ticks(event.price)
    if event.side != side or not 0 <= lots <= rest:
        raise UnexpectedEvent(deal.deal_id, event, f"the order is to {side} {instrument.quantity(rest)}")
    if event.number != fills + 1:
        raise UnexpectedEvent(deal.deal_id, event, f"it has had {fills} fills: this one was booked before")
    if instrument.quote(quote) != event.quote:
        raise UnexpectedEvent(deal.deal_id, event, "quote is not quantity × price")
    fees = ceil(in_units(event.fee, FEE_UNIT))
    deal = _in_ledger(deal, side, lots, quote, fees)
    if order := single(deal, event.level):
        order = replace(
            order,
            filled_lots=order.filled_lots + lots,
            filled_quote=order.filled_quote + quote,
            filled_fees=order.filled_fees + fees,
            fills=order.fills + 1,
        )
        return replace(deal, base=order) if event.level == BASE else replace(deal, exit=order)
    number = working_cell(deal, event.level) or 0
    return with_cell(deal, number, _traded(deal, number, lots, quote, fees))


def _traded(deal: Deal, number: int, lots: int, quote: int, fees: int) -> Cell:
    cell = replace(deal.cells[number - 1], filled_lots=deal.cells[number - 1].filled_lots + lots)
    cell = replace(cell, fills=cell.fills + 1)
    if cell.state == deal.opens_with(number):
        return replace(cell, opened_quote=cell.opened_quote + quote, opened_fees=cell.opened_fees + fees)
    return replace(cell, closed_quote=cell.closed_quote + quote, closed_fees=cell.closed_fees + fees)


def _in_ledger(deal: Deal, side: OrderSide, lots: int, quote: int, fees: int) -> Deal:
    old = deal.ledger
    new = replace(old, fees=old.fees + fees)
    if side == "buy":
        new = replace(new, buy_lots=old.buy_lots + lots, buy_quote=old.buy_quote + quote)
    else:
        new = replace(new, sell_lots=old.sell_lots + lots, sell_quote=old.sell_quote + quote)
    return replace(deal, ledger=new)


def fill(
    deal: Deal, level: str, lots: int, ticks: int, *, fee: Decimal | None = None, last: bool = True
) -> OrderFilled:
    """The event that fills the working order at `level`; with the paper venue's fee unless one is given."""
    side, _, fills = rest_of(deal, level)
    instrument, quote = deal.terms.instrument, lots * ticks
    return OrderFilled(
        level=level,
        side=side,
        quantity=instrument.quantity(lots),
        price=instrument.price(ticks),
        quote=instrument.quote(quote),
        fee=instrument.fee(fee_units(deal.terms, quote)) if fee is None else fee,
        last=last,
        number=fills + 1,
    )
