"""Where safety orders stand: the ladder hung at its anchor, on the instrument's grid.

`base_fill`: at the base order's average price, once. `previous_order`: each at the price of the order before, what it
was filled at, or its level while it is not. `average`: each at the average of all that is filled, and of the orders
before it as if they were filled at their levels. The last two are hung anew whenever an entry is done.
"""

from msgspec.structs import replace

from streams.engine.dca.deal import Deal
from streams.engine.dca.ladder import rung_price, steps_of
from streams.engine.dca.orders import Order


def hung(deal: Deal) -> Deal:
    """The ladder where it belongs now; orders that were sent, filled or ended stay as they are.

    An order that would lie below one tick has no level (`ticks` None) and is never met.
    """
    terms, entries = deal.terms, deal.entries
    if terms.accumulate or (terms.anchor == "base_fill" and deal.ladder):
        return deal
    known = {order.level: order for order in deal.ladder}
    instrument, base = terms.instrument, entries[0]
    reference = (base.filled_quote, base.filled_lots)
    quote, lots = deal.ledger.entry_quote, deal.ledger.entry_lots
    ladder: list[Order] = []
    for step in steps_of(terms):
        level = f"dca_{step.number}"
        order = known.get(level) or Order(level=level, side=deal.entry_side, lots=0)
        if order.state == "armed":
            ticks = rung_price(
                terms.long, *((quote, lots) if terms.anchor == "average" else reference), step.deviation
            )
            if ticks < 1:
                ladder.append(replace(order, ticks=None))
                continue
            order = replace(order, ticks=ticks, lots=instrument.lots_for(step.volume, ticks))
        if order.state in {"armed", "placed", "accepted"} and order.ticks is not None:
            quote += order.ticks * (order.lots - order.filled_lots)
            lots += order.lots - order.filled_lots
        if terms.anchor == "previous_order":
            reference = _price_of(order) or reference
        ladder.append(order)
    return replace(deal, entries=(base, *ladder))


def _price_of(order: Order) -> tuple[int, int] | None:
    """The price of an order as (quote, base): filled, or to be."""
    if order.filled_lots:
        return order.filled_quote, order.filled_lots
    return None if order.ticks is None else (order.ticks, 1)
