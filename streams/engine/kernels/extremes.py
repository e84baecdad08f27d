"""Highest and lowest of a window for kernels: amortised O(1) per row.

By blocks where only the number is asked for; by monotonic deques where the row is, or derived values come and
go. A deque keeps the numbers of the rows that may still become the extreme, in a ring inside the node's int64
state: i[at] the ring's head, i[at + 1] how many are in it, i[at + 2 : at + 2 + window] the row numbers,
counted by the node.
"""

from typing import Final

from streams.engine.bars import Floats, Ints
from streams.engine.kernels.kernel import kernel

# To look through so few rows is quicker than to keep account of them, and takes no branch.
NEAR: Final = 16


@kernel
def slide_extreme(
    t: int, bars: Floats, column: int, sign: float, window: int, seen: int, i: Ints, at: int
) -> float:
    """The highest (`sign` 1.0) or lowest (-1.0) of `column` over the last `window` rows up to `t`, the
    `seen`-th.

    In blocks of `window` rows: the window is the current block so far and the end of the block before. No deque,
    because whether a row leaves one is a coin toss to the processor. i[at]: the row of the current block's extreme;
    i[at + 1]: rows in the block; i[at + 2 + k]: the row of the extreme of the block before from its row k on.
    """
    ring = at + 2
    size = i[at + 1]
    x = bars[t, column] * sign
    if size == window:
        best = bars[t - 1, column] * sign
        row = seen - 1
        for k in range(1, window + 1):
            candidate = bars[t - k, column] * sign
            row = seen - k if candidate > best else row
            best = max(best, candidate)
            i[ring + window - k] = row
        size = 0
    before = bars[t - (seen - i[at]), column] * sign if size > 0 else x
    i[at] = seen if before <= x else i[at]
    i[at + 1] = size + 1
    extreme = max(before, x)
    if seen > window and size + 1 < window:
        extreme = max(extreme, bars[t - (seen - i[ring + size + 1]), column] * sign)
    return float(extreme * sign)


@kernel
def near_extreme(t: int, bars: Floats, column: int, sign: float, window: int) -> float:
    """Like `slide_extreme` for a full window of up to NEAR rows, without a state: it looks at each."""
    best = bars[t, column] * sign
    for k in range(1, NEAR):
        x = bars[max(t - min(k, window - 1), 0), column] * sign
        best = max(best, x)
    return float(best * sign)


@kernel
def slide_oldest(
    t: int, bars: Floats, column: int, sign: float, window: int, seen: int, i: Ints, at: int
) -> int:
    """How many rows ago `column` had its highest (`sign` 1.0) or lowest (-1.0) of the last `window` rows up to
    `t`, the `seen`-th: where several tie, the oldest.
    """
    head = i[at]
    size = i[at + 1]
    ring = at + 2
    if size > 0 and i[ring + head] <= seen - window:
        head = (head + 1) % window
        size -= 1
    x = bars[t, column] * sign
    while size > 0 and bars[t - (seen - i[ring + (head + size - 1) % window]), column] * sign < x:
        size -= 1
    i[ring + (head + size) % window] = seen
    i[at] = head
    i[at + 1] = size + 1
    return int(seen - i[ring + head])


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
