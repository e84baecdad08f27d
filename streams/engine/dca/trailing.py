"""Trails on the executor's side: from the trigger to a fill, and to where the next generation starts. Pure.

Where a bar meets a trail is `streams.engine.trail`'s word, the same that the evaluator follows; here are the deal's
side, its ticks and what it pays.
"""

from fractions import Fraction

from schemas.alerts import TrailState
from schemas.conditions import Trail
from schemas.triggers import Bar
from streams.engine.dca.events import OrderSide
from streams.engine.dca.fillprices import slipped
from streams.engine.dca.instrument import Instrument
from streams.engine.dca.money import Number, market
from streams.engine.dca.terms import Terms
from streams.engine.trail import OPEN, Meeting, Passage, follow


def passage(terms: Terms, trail: Trail, before: TrailState, bar: Bar) -> Passage:
    """What `bar` made of a deal's trail that stood at `before` (the trigger says so): where it was met, and the state
    that the next generation is armed with. A bar that a tick stood in for has no path and changes nothing.
    """
    if bar.stale_price:
        return Passage(before, None)
    return follow(trail, before, bar, terms.side, terms.intrabar)


def started_at(instrument: Instrument, ticks: Number) -> TrailState:
    """The state of a trail that starts where an order was filled.

    The arm command carries the price as a number, so both sides have the same one, nearest to a price of more digits
    than a number has.
    """
    return TrailState(active=True, extreme=float(Fraction(ticks) * Fraction(instrument.tick)))


def fill_ticks(terms: Terms, side: OrderSide, met: Meeting, bar: Bar) -> int:
    """Price in ticks of the order that a trail which was met gives: a stop's.

    At the open only where the bar opened at or beyond a level that stood before it; at the level everywhere else, also
    where it was born in the bar. What falls between two ticks, and slippage, are against us.
    """
    instrument = terms.instrument
    price = market(bar.open) if met.leg == OPEN else met.level
    return slipped(terms, side, instrument.in_ticks(price))
