"""The shape of the safety orders: how far from their anchor, and how large.

    D_k = d·(s^k − 1)/(s − 1), k·d when s = 1      deviation from the base order's average price
    g_k = d·s^(k−1)                                deviation from the order before, or from the average
    P_k = R·(1 − D) long, R·(1 + D) short          rounded away from the market: long down, short up
    V_k = S·v^(k−1)                                quote volume; the quantity is rounded up to the lot

or what an explicit table says. Confirmed on recorded 3Commas deals (docs/semantics.md). All ratios are exact; a price
is one division. Where the orders stand is `hanging`'s business.
"""

from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from streams.engine.dca.money import MOST_QUOTE, ceil_div, floor_div, percent
from streams.engine.dca.terms import Terms


class Step(NamedTuple):
    """Safety order `number` (from 1): its deviation from the anchor as a ratio (1 % = 1/100), its volume in quote."""

    number: int
    deviation: Fraction
    volume: Fraction


@lru_cache(maxsize=1024)
def steps(
    count: int,
    deviation: str,
    step_scale: str,
    volume: str,
    volume_scale: str,
    *,
    from_base: bool = True,
) -> tuple[Step, ...]:
    """The ladder's shape, from the decimal texts of a configuration; independent of any price.

    `from_base`: deviations add up from the base order; otherwise each is counted from its own anchor. The ladder ends
    with the first step that is refused anyway (for its deviation, or its volume): scales of 36 digits would make the
    hundredth one's numbers thousands of digits long.
    """
    gap, scale = percent(deviation), Fraction(step_scale)
    size, growth = Fraction(volume), Fraction(volume_scale)
    total = Fraction(0)
    out: list[Step] = []
    for number in range(1, count + 1):
        total += gap  # Σ d·s^(k−1), which is the closed form without its case for s = 1
        away = total if from_base else gap
        out.append(Step(number, away, size))
        if away >= 1 or size > MOST_QUOTE:
            break
        gap *= scale
        size *= growth
    return tuple(out)


def steps_of(terms: Terms) -> tuple[Step, ...]:
    """The safety orders of a deal, by its table or by its formula."""
    if terms.steps:
        return _table(tuple((step.deviation, step.volume) for step in terms.steps))
    return steps(
        terms.max_safety_orders,
        terms.price_deviation,
        terms.step_scale,
        terms.safety_order_volume,
        terms.volume_scale,
        from_base=terms.anchor == "base_fill",
    )


def rung_price(long: bool, quote: int, lots: int, deviation: Fraction) -> int:
    """P_k in ticks, from the (Σ quote, Σ base) of its anchor: one division, away from the market."""
    n, d = deviation.numerator, deviation.denominator
    if long:
        return floor_div(quote * (d - n), lots * d)
    return ceil_div(quote * (d + n), lots * d)


@lru_cache(maxsize=1024)
def _table(rows: tuple[tuple[str, str], ...]) -> tuple[Step, ...]:
    return tuple(
        Step(number, percent(deviation), Fraction(volume))
        for number, (deviation, volume) in enumerate(rows, 1)
    )
