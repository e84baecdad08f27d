"""The ladder of safety orders: how far below (long) or above (short) the base order, and how large.

    D_k = d·(s^k − 1)/(s − 1), k·d when s = 1      deviation from the base order's average price
    P_k = P0·(1 − D_k) long, P0·(1 + D_k) short    rounded away from the market: long down, short up
    V_k = S·v^(k−1)                                 quote volume; the quantity is rounded up to the lot

Confirmed on recorded 3Commas deals (docs/semantics.md). All ratios are exact; a price is one division.
"""

from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from streams.engine.dca.money import MOST_QUOTE, ceil_div, floor_div, percent
from streams.engine.dca.terms import Terms


class Step(NamedTuple):
    """Safety order `number` (from 1): its deviation as a ratio (1 % = 1/100), its volume in quote."""

    number: int
    deviation: Fraction
    volume: Fraction


class Rung(NamedTuple):
    """Safety order `number` (from 1) on the instrument's grid."""

    number: int
    ticks: int
    lots: int


@lru_cache(maxsize=1024)
def steps(count: int, deviation: str, step_scale: str, volume: str, volume_scale: str) -> tuple[Step, ...]:
    """The ladder's shape, from the decimal texts of a configuration; independent of any price.

    It ends with the first step that is refused anyway (for its deviation, or its volume): scales of 36 digits would
    make the hundredth one's numbers thousands of digits long.
    """
    gap, scale = percent(deviation), Fraction(step_scale)
    size, growth = Fraction(volume), Fraction(volume_scale)
    total = Fraction(0)
    out: list[Step] = []
    for number in range(1, count + 1):
        total += gap  # Σ d·s^(k−1), which is the closed form without its case for s = 1
        out.append(Step(number, total, size))
        if total >= 1 or size > MOST_QUOTE:
            break
        gap *= scale
        size *= growth
    return tuple(out)


def steps_of(terms: Terms) -> tuple[Step, ...]:
    return steps(
        terms.max_safety_orders,
        terms.price_deviation,
        terms.step_scale,
        terms.safety_order_volume,
        terms.volume_scale,
    )


def rung_price(long: bool, base_quote: int, base_lots: int, deviation: Fraction) -> int:
    """P_k in ticks, from the base order's (Σ quote, Σ base): one division, away from the market."""
    n, d = deviation.numerator, deviation.denominator
    if long:
        return floor_div(base_quote * (d - n), base_lots * d)
    return ceil_div(base_quote * (d + n), base_lots * d)


def rungs(terms: Terms, base_quote: int, base_lots: int) -> tuple[Rung, ...]:
    """The ladder anchored at a base order; rungs that would lie below one tick are left out."""
    instrument = terms.instrument
    out: list[Rung] = []
    for step in steps_of(terms):
        ticks = rung_price(terms.long, base_quote, base_lots, step.deviation)
        if ticks < 1:
            break
        out.append(Rung(step.number, ticks, instrument.lots_for(step.volume, ticks)))
    return tuple(out)
