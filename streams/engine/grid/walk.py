"""`walk(deal, bar, fired)`: one bar settled, level by level, as its path meets them (law 8). Pure.

What was armed before the bar fills in it, each order at its own price; what a fill arms is met from the next bar on,
for nobody knows how often a bar went to and fro. The levels are the deal's own, never the trigger's. Decisions at the
close count as they fired, after all levels.
"""

from collections.abc import Sequence

from msgspec.structs import replace

from schemas.triggers import Bar, FiredMember, Trigger
from streams.engine.dca.events import Triggered
from streams.engine.dca.money import Number, market
from streams.engine.dca.path import Points, paths
from streams.engine.grid import paper
from streams.engine.grid.deal import CLOSE, Deal
from streams.engine.grid.events import GridEvent
from streams.engine.grid.orders import GridOrder, armed
from streams.engine.grid.settlement import Settlement
from streams.engine.grid.unmet import AT_CLOSE, unmet

Walked = tuple[Deal, list[GridEvent]]


def settle(deal: Deal, trigger: Trigger) -> Settlement:
    """The deal after the trigger's bar."""
    return walk(deal, trigger.bar, trigger.fired)


def walk(deal: Deal, bar: Bar, fired: Sequence[FiredMember]) -> Settlement:
    """The deal after `bar`, and what happened in it. A closed deal stays as it is; the events say so."""
    if bar.stale_price or deal.closed:
        after, events = _decided(deal, [], bar, fired)
        return Settlement(after, (*events, *unmet(deal, after, bar, fired, events)))
    terms = deal.terms
    both = paths(bar, terms.instrument, terms.walk_side, terms.walk_intrabar)
    orders = tuple(order for order in armed(deal) if any(map(order.met_at, both.taken)))
    after, events = _ended(*_along(deal, both.taken, orders), bar, fired)
    told = (*events, *unmet(deal, after, bar, fired, events))
    if len(orders) < 2:
        return Settlement(after, told)  # it is met at the same price whichever way the bar went
    other, _ = _ended(*_along(deal, both.other, orders), bar, fired)
    return Settlement(after, told, ambiguous=other != after)


def _ended(deal: Deal, events: list[GridEvent], bar: Bar, fired: Sequence[FiredMember]) -> Walked:
    """The bar's close: what was decided there, and the price by which the next levels are chosen."""
    deal, events = _decided(deal, events, bar, fired)
    return replace(deal, price=market(bar.close)), events


def _decided(deal: Deal, events: list[GridEvent], bar: Bar, fired: Sequence[FiredMember]) -> Walked:
    reasons = [
        AT_CLOSE[member.action.action_type] for member in fired if member.action.action_type in AT_CLOSE
    ]
    if not reasons or deal.closed:
        return deal, events
    close, position = market(bar.close), deal.ledger.position
    ticks = paper.market_fill(deal.terms, "sell" if position > 0 else "buy", close)
    price = close if deal.keep else deal.terms.instrument.price(ticks)
    deal, more = paper.execute(deal, Triggered(CLOSE, price, reasons[0]), ticks)
    return deal, events + more


def _along(deal: Deal, points: Points, orders: tuple[GridOrder, ...]) -> Walked:
    """Meet all of `orders` on the way; one that was filled is gone for the rest of the bar."""
    here, opened = points[0], points[0]
    left, events = list(orders), list[GridEvent]()
    for there in points:
        while (order := _next(left, here, there)) is not None and not deal.closed:
            if not order.met_at(here):
                here = order.ticks
            left.remove(order)
            ticks = paper.fill_ticks(deal, order, opened)
            deal, more = paper.execute(deal, Triggered(order.name, deal.terms.instrument.price(ticks)), ticks)
            events += more
        here = there
    return deal, events


def _next(left: list[GridOrder], here: Number, there: Number) -> GridOrder | None:
    """The order that the path meets first. At the open, where it may have jumped over several: a stop, then the sells
    from the lowest up, then the buys from the highest down.
    """
    met = [order for order in left if order.met_at(here) or order.met_at(there)]
    return min(met, key=lambda order: (order.way_from(here), not order.stop, _rank(order)), default=None)


def _rank(order: GridOrder) -> tuple[bool, int]:
    below = order.side == "below"
    return below, -order.ticks if below else order.ticks
