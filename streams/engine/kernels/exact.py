"""Exact sums over windows for kernels: prices as whole numbers of a unit small enough to hold every digit
they have.

A running sum of floats drifts, and compares wrongly with a flat close; whole numbers do not drift. The unit
is 10^-d with d = clamp(13 - floor(log10(first price)), 0, 15): fourteen digits. A price that outgrows what a
sum of 5,000 of them can hold makes the unit coarser, and the sums are made afresh from the bars.
"""

from typing import Final

from streams.engine.bars import Floats, Ints
from streams.engine.kernels.kernel import kernel

# Units up to 2^49 keep sums of 5,000 of them, and of the products of their 25-bit halves, within 63 bits.
LIMIT: Final = 2.0**49
HALF: Final = 25
LOW_BITS: Final = (1 << HALF) - 1


@kernel
def scale_for(x: float) -> float:
    """Units per 1.0 for prices such as `x`: the largest power of ten up to 10^15 that leaves at most 14
    digits.
    """
    scale = 1.0
    for _ in range(15):
        if x * scale * 10.0 < 1e14:
            scale *= 10.0
    return scale


@kernel
def units(x: float, scale: float) -> int:
    """`x`, which is not negative, in units of 1 / scale."""
    return int(x * scale + 0.5)


@kernel
def coarser(x: float, scale: float) -> float:
    """A scale in which `x` fits."""
    while x * scale >= LIMIT:
        scale /= 1000.0
    return scale


@kernel
def outgrown(highest: float, seen: int, f: Floats) -> bool:
    """Keep the scale f[0] such that `highest`, the highest price of the `seen`-th row, fits. True when it had
    to become coarser: sums in units must then be made afresh.
    """
    if seen == 1:
        f[0] = scale_for(highest)
    if highest * f[0] < LIMIT:
        return False
    f[0] = coarser(highest, f[0])
    return True


@kernel
def slide(t: int, bars: Floats, column: int, window: int, seen: int, f: Floats, i: Ints, at: int) -> None:
    """Move an exact sum of `column` on to row `t`, the `seen`-th of the node. f[0]: scale, i[at]: the sum."""
    x = bars[t, column]
    if seen == 1:
        f[0] = scale_for(x)
    if x * f[0] >= LIMIT:
        f[0] = coarser(x, f[0])
        i[at] = 0
        for row in range(t - min(seen, window) + 1, t + 1):
            i[at] += units(bars[row, column], f[0])
        return
    i[at] += units(x, f[0])
    if seen > window:
        i[at] -= units(bars[t - window, column], f[0])


@kernel
def unfit(t: int, bars: Floats, column: int, f: Floats, i: Ints) -> bool:
    """Whether `fit_unit` has something to do."""
    return bool((i[0] == 0) | (bars[t, column] * f[0] >= LIMIT))


@kernel
def fit_unit(t: int, bars: Floats, column: int, window: int, f: Floats, i: Ints, at: int) -> None:
    """Before row `t` is taken in, the node's i[0] having been: see that its price fits the unit of f[0], in which the
    sum i[at] of the last `window` rows is made afresh where it must become coarser.
    """
    x = bars[t, column]
    if i[0] == 0:
        f[0] = scale_for(x)
    if x * f[0] >= LIMIT:
        f[0] = coarser(x, f[0])
        i[at] = 0
        for row in range(t - min(i[0], window), t):
            i[at] += units(bars[row, column], f[0])


@kernel
def fit_unit_of_squares(t: int, bars: Floats, column: int, window: int, f: Floats, i: Ints, at: int) -> None:
    """Like `fit_unit`, and the sum of squares with it, in i[at + 1] to i[at + 3]."""
    before = f[0]
    fit_unit(t, bars, column, window, f, i, at)
    if i[0] > 0 and f[0] != before:
        for k in range(at + 1, at + 4):
            i[k] = 0
        for row in range(t - min(i[0], window), t):
            add_square(units(bars[row, column], f[0]), 1, i, at + 1)


@kernel
def slide_fitted(
    t: int, bars: Floats, column: int, window: int, seen: int, f: Floats, i: Ints, at: int
) -> None:
    """Move the exact sum i[at] of `column` on to row `t`, whose price fits the unit f[0]."""
    new = units(bars[t, column], f[0])
    old = units(bars[max(t - window, 0), column], f[0])
    i[at] += new - (old if seen > window else 0)


@kernel
def slide_scaled(
    t: int, bars: Floats, column: int, window: int, seen: int, anew: bool, f: Floats, i: Ints, at: int
) -> None:
    """Move the exact sum i[at] of `column` on to row `t` in the scale f[0], which `outgrown` has settled for
    several columns; or make it afresh.
    """
    if anew:
        i[at] = 0
        for row in range(t - min(seen, window) + 1, t + 1):
            i[at] += units(bars[row, column], f[0])
        return
    i[at] += units(bars[t, column], f[0])
    if seen > window:
        i[at] -= units(bars[t - window, column], f[0])


@kernel
def run_length(t: int, bars: Floats, column: int, seen: int, run: int) -> int:
    """How many rows up to `t` hold the very same number, given how many did one row before."""
    same = bars[t, column] == bars[max(t - 1, 0), column]
    return run + 1 if seen > 1 and same else 1


@kernel
def add_square(q: int, sign: int, i: Ints, at: int) -> None:
    """Add (or take away) q² to a sum kept as three whole numbers: of the squares of q's halves and of
    their product.
    """
    high = q >> HALF
    low = q & LOW_BITS
    i[at] += sign * high * high
    i[at + 1] += sign * high * low
    i[at + 2] += sign * low * low


@kernel
def slide_squares(
    t: int, bars: Floats, column: int, window: int, seen: int, f: Floats, i: Ints, at: int
) -> None:
    """Like `slide_fitted`, and the sum of squares with it, in i[at + 1] to i[at + 3]."""
    new = units(bars[t, column], f[0])
    old = units(bars[max(t - window, 0), column], f[0])
    old = old if seen > window else 0
    i[at] += new - old
    add_square(new, 1, i, at + 1)
    add_square(old, -1, i, at + 1)


@kernel
def quotient(total: int, by: int) -> int:
    """`total // by` for 0 <= total < 2^62 and 0 < by <= 2^13. By floats, many of which a processor multiplies at once:
    the first is off by at most 2^11, the second by 1.
    """
    inverse = 1.0 / by
    first = int(total * inverse)
    second = int((total - first * by) * inverse)
    rest = total - (first + second) * by
    return first + second + (1 if rest >= by else 0) - (1 if rest < 0 else 0)


@kernel
def variance(total: int, high: int, mixed: int, low: int, window: int) -> float:
    """Population variance in units², from the exact sum of a full window and its squares (see `add_square`).

    With m the whole part of the mean and r the rest of the sum, Σ(q - m)² = Σq² - m·(Σq + r) is a whole
    number, found limb by limb without rounding; the variance is that over the window, less (r / window)².
    """
    m = quotient(total, window)
    r = total - m * window
    s = total + r
    m_high = m >> HALF
    m_low = m & LOW_BITS
    s_high = s >> HALF
    s_low = s & LOW_BITS
    c = low - m_low * s_low
    b = 2 * mixed - m_high * s_low - m_low * s_high + (c >> HALF)
    a = high - m_high * s_high + (b >> HALF)
    spread = (float(a) * 2.0**HALF + float(b & LOW_BITS)) * 2.0**HALF + float(c & LOW_BITS)
    rest = r / window
    return max(spread / window - rest * rest, 0.0)
