"""Cells through their round trips: how they start, what a filled order makes of them, what a trip brought."""

from fractions import Fraction

from msgspec.structs import replace

from streams.engine.dca.events import OrderSide
from streams.engine.dca.money import Number
from streams.engine.grid.booking import with_cell
from streams.engine.grid.deal import Cell, Deal, Order
from streams.engine.grid.terms import Terms


def nearest_level(levels: tuple[int, ...], price: Number) -> int:
    """The number of the level nearest to the price, the lower of two."""
    distances = [abs(Fraction(ticks - price)) for ticks in levels]
    return distances.index(min(distances)) + 1


def first_cells(terms: Terms, start_level: int) -> tuple[Cell, ...]:
    """Buys below the empty level, sells above it; idle where a long has nothing to sell yet (a short to buy back)."""
    below = Cell(state="idle" if terms.side == "short" else "buy")
    above = Cell(state="idle" if terms.side == "long" else "sell")
    return tuple(below if number < start_level else above for number in range(1, terms.grid.levels))


def purchase_lots(deal: Deal) -> int:
    """What the idle cells need from the market order of the start."""
    return sum(deal.lots[number - 1] for number, cell in deal.numbered() if cell.state == "idle")


def stocked(deal: Deal, base: Order) -> Deal:
    """What the market order got goes to the idle cells, the nearest to the price first; the rest of them stay idle.

    Its quote and fees go along, each cell's share counted from the sum up to it: to the unit, nothing is lost.
    """
    idle = [number for number, cell in deal.numbered() if cell.state == "idle"]
    if deal.terms.side == "short":
        idle.reverse()
    given = 0
    for number in idle:
        got = min(deal.lots[number - 1], base.filled_lots - given)
        if got <= 0:
            break
        until = given + got
        cell = Cell(
            state="sell" if base.side == "buy" else "buy",
            filled_lots=deal.lots[number - 1] - got,  # of a part, only that part is there to be sold
            opened_quote=_share(base.filled_quote, until, base) - _share(base.filled_quote, given, base),
            opened_fees=_share(base.filled_fees, until, base) - _share(base.filled_fees, given, base),
        )
        deal, given = with_cell(deal, number, cell), until
    return deal


def turned(deal: Deal, number: int) -> Deal:
    """The order of a cell is done. Filled, the other one is armed: one level up after a buy, one down after a sell."""
    cell = deal.cells[number - 1]
    if cell.filled_lots < deal.lots[number - 1]:
        return with_cell(deal, number, replace(cell, order="waiting"))
    if cell.state == deal.opens_with(number):
        opened = replace(cell, state=_other(cell.state == "buy"), order="waiting", filled_lots=0, fills=0)
        return with_cell(deal, number, opened)
    gain = cell.closed_quote - cell.opened_quote
    deal = replace(
        deal,
        trips=deal.trips + 1,
        trip_quote=deal.trip_quote + (gain if cell.state == "sell" else -gain),
        trip_fees=deal.trip_fees + cell.opened_fees + cell.closed_fees,
    )
    return with_cell(deal, number, Cell(state=_other(cell.state == "buy")))


def woken(deal: Deal, number: int) -> Deal:
    """The price is where an idle cell would have closed its trip: now it may open one."""
    return with_cell(deal, number, Cell(state=deal.opens_with(number)))


def held(deal: Deal, number: int) -> int:
    """Lots that a cell holds; negative: owes."""
    cell, opens = deal.cells[number - 1], deal.opens_with(number)
    if cell.state == "idle":
        return 0
    lots = cell.filled_lots if cell.state == opens else deal.lots[number - 1] - cell.filled_lots
    return lots if opens == "buy" else -lots


def cost(deal: Deal) -> int:
    """Of the trips that are not complete: what was paid less what came in, in tick×lots."""
    return sum(
        (cell.opened_quote - cell.closed_quote) * (1 if deal.opens_with(number) == "buy" else -1)
        for number, cell in deal.numbered()
    )


def _other(bought: bool) -> OrderSide:
    return "sell" if bought else "buy"


def _share(amount: int, lots: int, base: Order) -> int:
    return amount * lots // base.filled_lots
