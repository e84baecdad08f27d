"""Highest and lowest of a window for kernels, by monotonic deques: amortised O(1) per row.

A deque keeps the numbers of the rows that may still become the extreme, in a ring inside the node's int64
state: i[at] the ring's head, i[at + 1] how many are in it, i[at + 2 : at + 2 + window] the row numbers,
counted by the node.
"""

from streams.engine.bars import Floats, Ints
from streams.engine.kernels.kernel import kernel


@kernel
def slide_extreme(
    t: int, bars: Floats, column: int, sign: float, window: int, seen: int, i: Ints, at: int
) -> float:
    """The highest (`sign` 1.0) or lowest (-1.0) of `column` over the last `window` rows up to `t`, the
    `seen`-th.
    """
    head = i[at]
    size = i[at + 1]
    ring = at + 2
    if size > 0 and i[ring + head] <= seen - window:
        head = (head + 1) % window
        size -= 1
    x = bars[t, column] * sign
    while size > 0 and bars[t - (seen - i[ring + (head + size - 1) % window]), column] * sign <= x:
        size -= 1
    i[ring + (head + size) % window] = seen
    i[at] = head
    i[at + 1] = size + 1
    return float(bars[t - (seen - i[ring + head]), column])


@kernel
def slide_ring_extreme(
    x: float, f: Floats, ring_at: int, sign: float, window: int, n: int, i: Ints, at: int
) -> float:
    """Like `slide_extreme` over derived values: `x`, the `n`-th (from 1) of them, already stands in their ring
    f[ring_at : ring_at + window] at (n - 1) % window. To begin anew, set i[at + 1] to 0 and begin with n = 1.
    """
    head = i[at]
    size = i[at + 1]
    ring = at + 2
    if size > 0 and i[ring + head] <= n - window:
        head = (head + 1) % window
        size -= 1
    while size > 0 and f[ring_at + (i[ring + (head + size - 1) % window] - 1) % window] * sign <= x * sign:
        size -= 1
    i[ring + (head + size) % window] = n
    i[at] = head
    i[at + 1] = size + 1
    return float(f[ring_at + (i[ring + head] - 1) % window])
