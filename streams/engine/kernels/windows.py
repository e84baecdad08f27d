"""Sums and means over windows of derived numbers (price times volume, ratios …) for kernels.

Such numbers have no unit in which they are whole, so they are added as floats, but nothing is ever taken away
again: a sum is that of the current block of `window` values plus that of the end of the block before. Hence
no drift: |error| <= window·2^-53·Σ|x| over the window alone, nothing is left of values outside, a window of
zeros sums to 0. Amortised O(1) per value: once per block the block's values become the sums of its ends.
"""

import math

from streams.engine.bars import Floats, Ints
from streams.engine.kernels.kernel import kernel


@kernel
def slide_sum(x: float, window: int, n: int, f: Floats, at: int) -> float:
    """The sum of the last `window` values, of which `x` is the `n`-th (from 1), or of all if they are fewer.

    f[at]: the sum of the current block; f[at + 1 : at + 1 + window]: its values, behind them the end sums of
    the block before. To begin anew, begin with n = 1.
    """
    j = (n - 1) % window
    ring = at + 1
    if j == 0:
        f[at] = 0.0
    f[at] += x
    f[ring + j] = x
    total = f[at]
    if n > window and j + 1 < window:
        total += f[ring + j + 1]
    if j + 1 == window:
        for k in range(window - 2, -1, -1):
            f[ring + k] += f[ring + k + 1]
    return float(total)


@kernel
def slide_mean(x: float, window: int, f: Floats, at: int, i: Ints, count: int) -> float:
    """The mean of the last `window` values, missing (NaN) where one of them is or they are fewer.

    Exactly the value where all are equal. f[at : at + 2 + window]: the value before, and `slide_sum`;
    i[count]: values since one was missing, i[count + 1]: the run of equal ones.
    """
    if math.isnan(x):
        i[count] = 0
        return math.nan
    i[count + 1] = i[count + 1] + 1 if i[count] > 0 and x == f[at] else 1
    i[count] += 1
    f[at] = x
    total = slide_sum(x, window, i[count], f, at + 1)
    if i[count] < window:
        return math.nan
    return x if i[count + 1] >= window else total / window


def sum_floats(window: int) -> int:
    """How many floats a `slide_sum` keeps."""
    return window + 1


def mean_floats(window: int) -> int:
    """How many floats a `slide_mean` keeps."""
    return window + 2


@kernel
def add_up(x: float, f: Floats, at: int) -> float:
    """`x` added to a sum that never ends, kept as a float and what was lost in rounding it (Knuth's TwoSum).

    f[at] + f[at + 1] is the sum of everything so far as if added with twice the digits: after n values the
    error is at most 2^-53·|sum| + n²·2^-106·Σ|x|.
    """
    before = f[at]
    total = before + x
    part = total - before
    f[at + 1] += (before - (total - part)) + (x - part)
    f[at] = total
    return float(total + f[at + 1])
