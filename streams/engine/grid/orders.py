"""What a grid waits for: a limit order at most levels, and the stops outside the range."""

from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from schemas.conditions import Side
from streams.engine.dca.instrument import Instrument
from streams.engine.dca.money import Number
from streams.engine.grid.deal import STOP_ABOVE, STOP_BELOW, Cell, Deal


class GridOrder(NamedTuple):
    """Met at `ticks`, touched from `side`. `level` is a grid level's number, 0 for a stop; `cell` whose order it is."""

    name: str
    level: int
    ticks: int
    side: Side
    cell: int = 0

    @property
    def stop(self) -> bool:
        return self.level == 0

    def met_at(self, price: Number) -> bool:
        """Touch is inclusive."""
        return price <= self.ticks if self.side == "below" else price >= self.ticks

    def way_from(self, price: Number) -> Number:
        """How far the market is from meeting it; 0 where it is met."""
        if self.met_at(price):
            return 0
        return price - self.ticks if self.side == "below" else self.ticks - price


_Table: TypeAlias = tuple[tuple[GridOrder, GridOrder], ...]


def level_name(number: int) -> str:
    """ "grid_7" """
    return f"grid_{number}"


def waiting(deal: Deal) -> tuple[GridOrder, ...]:
    """One order per cell, without those that the venue already works on, and at most one per level.

    Two cells may want the same level: the lower one to sell there, the upper one to buy there, when both traded in one
    bar. The one that the market is at or beyond already has it; the other waits until it is filled.
    """
    if deal.status != "open":
        return ()
    price, table = deal.terms.instrument.in_ticks(deal.price), _of_cells(deal.prices)
    orders = [(_order(deal, number, cell, table), cell) for number, cell in deal.numbered()]
    taken = {order.level for order, cell in orders if cell.working}
    found: dict[int, GridOrder] = {}
    for order, cell in orders:
        if cell.working or order.level in taken:
            continue
        if order.level not in found or order.met_at(price):
            found[order.level] = order
    return tuple(found[level] for level in sorted(found))


def armed(deal: Deal) -> tuple[GridOrder, ...]:
    """What of it is armed: the stops, then the levels nearest to the price, at most `max_active_levels`; by number."""
    levels, most = waiting(deal), deal.terms.grid.max_active_levels
    if most is not None and len(levels) > most:
        price = deal.terms.instrument.in_ticks(deal.price)
        nearest = sorted(levels, key=lambda order: (abs(order.ticks - price), order.level))
        levels = tuple(sorted(nearest[:most], key=lambda order: order.level))
    return (*_stops(deal), *levels)


def bounds(deal: Deal) -> tuple[int | None, int | None]:
    """The prices in ticks between which nothing is armed: a bar that stays strictly inside changes nothing."""
    orders = armed(deal)
    below = max((order.ticks for order in orders if order.side == "below"), default=None)
    above = min((order.ticks for order in orders if order.side == "above"), default=None)
    return below, above


def _order(deal: Deal, number: int, cell: Cell, table: _Table) -> GridOrder:
    # An idle cell waits where it would close its trip, had it opened one.
    upper = cell.state == "sell" or (cell.state == "idle" and deal.opens_with(number) == "buy")
    return table[number - 1][upper]


@lru_cache(maxsize=256)
def _of_cells(levels: tuple[int, ...]) -> _Table:
    """Of each cell the order at its lower level and that at its upper one: a grid asks for them at every step."""
    buys = (GridOrder(level_name(n), n, ticks, "below", n) for n, ticks in enumerate(levels[:-1], start=1))
    sells = (
        GridOrder(level_name(n + 1), n + 1, ticks, "above", n) for n, ticks in enumerate(levels[1:], start=1)
    )
    return tuple(zip(buys, sells, strict=True))


def _stops(deal: Deal) -> tuple[GridOrder, ...]:
    """Also while an exit came to nothing: it is tried again."""
    if deal.closed or deal.status == "opening" or (deal.exit is not None and deal.exit.working):
        return ()
    grid, instrument = deal.terms.grid, deal.terms.instrument
    out: list[GridOrder] = []
    if grid.stop_below is not None:
        out.append(GridOrder(STOP_BELOW, 0, below_ticks(instrument, grid.stop_below), "below"))
    if grid.stop_above is not None:
        out.append(GridOrder(STOP_ABOVE, 0, above_ticks(instrument, grid.stop_above), "above"))
    return tuple(out)


def below_ticks(instrument: Instrument, price: str) -> int:
    """A stop below the range in ticks: towards the market, up."""
    return instrument.ticks_up(Decimal(price))


def above_ticks(instrument: Instrument, price: str) -> int:
    """A stop above the range in ticks: towards the market, down."""
    return instrument.ticks_down(Decimal(price))
