"""A bar as a path (law 8): the four prices in the order in which they are taken to have happened.

`pessimistic` walks O-L-H-C for a long and O-H-L-C for a short: the adverse extreme first. `ohlc` walks O, the
nearer extreme (tie: the adverse one), the other, C.
"""

from typing import NamedTuple

from schemas.bots import BotSide, Intrabar
from schemas.triggers import Bar
from streams.engine.dca.instrument import Instrument
from streams.engine.dca.money import Number, market

Points = tuple[Number, Number, Number, Number]


class Paths(NamedTuple):
    """The path to walk and the one with the extremes the other way round, in ticks (not rounded)."""

    taken: Points
    other: Points


def paths(bar: Bar, instrument: Instrument, side: BotSide, intrabar: Intrabar) -> Paths:
    """Both paths of `bar`."""
    prices = (bar.open, bar.high, bar.low, bar.close)
    o, high, low, c = (instrument.in_ticks(market(price)) for price in prices)
    low_first, high_first = (o, low, high, c), (o, high, low, c)
    adverse_is_low = side == "long"
    if intrabar == "ohlc" and high - o != o - low:
        lower = o - low < high - o
    else:
        lower = adverse_is_low
    return Paths(low_first, high_first) if lower else Paths(high_first, low_first)
