"""Exact sums over windows for kernels: prices as whole numbers of a unit small enough to hold every digit
they have.

A running sum of floats drifts, and compares wrongly with a flat close; whole numbers do not drift. The unit
is 10^-d with d = clamp(13 - floor(log10(first price)), 0, 15): fourteen digits. A price that outgrows what a
sum of 5,000 of them can hold makes the unit coarser, and the sums are made afresh from the bars.
"""

import math
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
    return math.floor(x * scale + 0.5)


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
def run_length(t: int, bars: Floats, column: int, seen: int, run: int) -> int:
    """How many rows up to `t` hold the very same number, given how many did one row before."""
    if seen > 1 and bars[t, column] == bars[t - 1, column]:
        return run + 1
    return 1


@kernel
def add_square(q: int, sign: int, i: Ints, at: int) -> None:
    """Add (or take away) q² to a sum kept as three whole numbers: of the squares of q's halves and of their
    product.
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
    """Like `slide`, and the sum of squares with it, in i[at + 1] to i[at + 3]."""
    before = f[0]
    slide(t, bars, column, window, seen, f, i, at)
    if seen > 1 and f[0] != before:
        for k in range(at + 1, at + 4):
            i[k] = 0
        for row in range(t - min(seen, window) + 1, t + 1):
            add_square(units(bars[row, column], f[0]), 1, i, at + 1)
        return
    add_square(units(bars[t, column], f[0]), 1, i, at + 1)
    if seen > window:
        add_square(units(bars[t - window, column], f[0]), -1, i, at + 1)


@kernel
def variance(total: int, high: int, mixed: int, low: int, window: int) -> float:
    """Population variance in units², from the exact sum of a full window and its squares (see `add_square`).

    With m the whole part of the mean and r the rest of the sum, Σ(q - m)² = Σq² - m·(Σq + r) is a whole
    number, found limb by limb without rounding; the variance is that over the window, less (r / window)².
    """
    m = total // window
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
