"""Linearly weighted sums over windows for kernels, exact like those of `exact.py`: the newest value weighs as
much as there are values, the oldest 1.

The weighted sum of 5,000 prices of fourteen digits needs 73 bits, so the units' upper and lower 25 bits are
summed apart. i[at], i[at + 1] are the plain sums of the two halves, i[at + 2], i[at + 3] the weighted ones,
f[scale_at] the scale.
"""

from typing import Final

from streams.engine.bars import Floats, Ints
from streams.engine.kernels.exact import HALF, LIMIT, LOW_BITS, coarser, scale_for, units
from streams.engine.kernels.kernel import kernel

SUMS: Final = 4
HALVES: Final = 2.0**HALF


@kernel
def slide_weighted(
    t: int, bars: Floats, column: int, window: int, seen: int, f: Floats, scale_at: int, i: Ints, at: int
) -> None:
    """Move the sums of `column` on to row `t`, the `seen`-th of the node."""
    x = bars[t, column]
    if seen == 1:
        f[scale_at] = scale_for(x)
    if x * f[scale_at] >= LIMIT:
        f[scale_at] = coarser(x, f[scale_at])
        for k in range(at, at + SUMS):
            i[k] = 0
        count = min(seen, window)
        for k in range(1, count + 1):
            add(units(bars[t - count + k, column], f[scale_at]), k, i, at)
        return
    if seen > window:
        i[at + 2] -= i[at]
        i[at + 3] -= i[at + 1]
        gone = units(bars[t - window, column], f[scale_at])
        i[at] -= gone >> HALF
        i[at + 1] -= gone & LOW_BITS
    add(units(x, f[scale_at]), min(seen, window), i, at)


@kernel
def add(q: int, weight: int, i: Ints, at: int) -> None:
    high = q >> HALF
    low = q & LOW_BITS
    i[at] += high
    i[at + 1] += low
    i[at + 2] += weight * high
    i[at + 3] += weight * low


@kernel
def weighted_mean(window: int, scale: float, i: Ints, at: int) -> float:
    """The weighted mean of a full window."""
    return (float(i[at + 2]) * HALVES + float(i[at + 3])) / (window * (window + 1) // 2 * scale)


@kernel
def slope(window: int, scale: float, i: Ints, at: int) -> float:
    """Slope per row of the least squares line through a full window of at least two."""
    # Σ(x - mean x)·y = W - (n + 1)/2·S, over Σ(x - mean x)² = n·(n² - 1)/12, halves apart until the end.
    high = 2 * i[at + 2] - (window + 1) * i[at]
    low = 2 * i[at + 3] - (window + 1) * i[at + 1]
    return 6.0 * (float(high) * HALVES + float(low)) / (float(window * (window * window - 1)) * scale)


@kernel
def mean(window: int, scale: float, i: Ints, at: int) -> float:
    """The plain mean of a full window."""
    return (float(i[at]) * HALVES + float(i[at + 1])) / (window * scale)
