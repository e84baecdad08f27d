"""Where the levels of a grid lie, and what is traded between two of them. Exact; no binary float.

    arithmetic   p_i = L + (i − 1)·(U − L)/(N − 1)
    geometric    p_i = L·(U/L)^((i − 1)/(N − 1))        i = 1 … N, each down to the tick

A geometric price is a root, which has no end: it is rounded by comparing whole powers, p_i^(N−1) with
L^(N−i)·U^(i−1), so that the tick is the right one however close the root comes to it.
"""

from decimal import Context, Decimal
from fractions import Fraction
from functools import lru_cache
from math import ceil, floor, lcm

from streams.engine.dca.money import floor_div
from streams.engine.grid.terms import Terms

_GUESS = Context(prec=60)


def prices(terms: Terms) -> tuple[int, ...]:
    """Ticks of the levels, the lowest (number 1) first."""
    grid = terms.grid
    return _prices(grid.spacing == "geometric", grid.lower, grid.upper, grid.levels, terms.tick)


@lru_cache(maxsize=1024)
def quantities(terms: Terms) -> tuple[int, ...]:
    """Lots that are bought at a level and sold at the next one, for each level but the highest; up to the lot.

    A quantity in quote is what the lower of the two costs. It is the same lots whichever of them is traded first, so
    that a round trip leaves nothing behind.
    """
    instrument, amount = terms.instrument, Fraction(terms.grid.quantity)
    levels = prices(terms)[:-1]
    if terms.grid.quantity_in == "base":
        return (ceil(amount / Fraction(terms.lot)),) * len(levels)
    return tuple(instrument.lots_for(amount, max(1, ticks)) for ticks in levels)


@lru_cache(maxsize=256)
def _prices(geometric: bool, lower: str, upper: str, levels: int, tick: Decimal) -> tuple[int, ...]:
    low, high = Fraction(lower) / Fraction(tick), Fraction(upper) / Fraction(tick)
    if geometric and low > 0:
        return tuple(_root(low, high, step, levels - 1) for step in range(levels))
    return tuple(floor(low + (high - low) * step / (levels - 1)) for step in range(levels))


def _root(low: Fraction, high: Fraction, step: int, steps: int) -> int:
    """The largest whole number at or below low^((steps − step)/steps) · high^(step/steps)."""
    unit = lcm(low.denominator, high.denominator)
    a, b = int(low * unit), int(high * unit)
    power = a ** (steps - step) * b**step
    ticks = _guess(a, b, Fraction(step, steps)) // unit
    while (ticks * unit) ** steps > power:
        ticks -= 1
    while ((ticks + 1) * unit) ** steps <= power:
        ticks += 1
    return ticks


def _guess(a: int, b: int, share: Fraction) -> int:
    """About a^(1 − share) · b^share; whoever asks corrects the last place."""
    low, high = _GUESS.ln(Decimal(a)), _GUESS.ln(Decimal(b))
    part = _GUESS.divide(Decimal(share.numerator), Decimal(share.denominator))
    between = _GUESS.fma(_GUESS.subtract(high, low), part, low)
    return floor_div(int(_GUESS.exp(between)), 1)
