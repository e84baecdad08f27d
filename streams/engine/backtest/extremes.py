"""The first bar that touches a price, found by blocks of extremes instead of bar by bar.

Lows and highs are kept as they are, by blocks of 64 and by blocks of 4,096: a search looks at up to 64 of each kind it
passes, so a year of minutes takes about 128 comparisons.
"""

from typing import Final

import numpy as np
from numba import njit

from streams.engine.bars import Floats

BLOCK: Final = 64


@njit("void(float64[::1], float64[::1], boolean)", cache=True)
def _blocks(values: Floats, out: Floats, lowest: bool) -> None:
    """The extreme of every 64 values."""
    for block in range(len(out)):
        start = block * BLOCK
        best = values[start]
        for t in range(start + 1, min(start + BLOCK, len(values))):
            if lowest:
                best = min(best, values[t])
            else:
                best = max(best, values[t])
        out[block] = best


@njit("int64(float64[::1], float64[::1], float64[::1], int64, float64)", cache=True, nogil=True)
def first_below(low: Floats, blocks: Floats, big: Floats, start: int, level: float) -> int:
    """The first t >= start with low[t] <= level; len(low) where there is none."""
    t, n = start, len(low)
    while t < n:
        if t % (BLOCK * BLOCK) == 0 and big[t // (BLOCK * BLOCK)] > level:
            t += BLOCK * BLOCK
        elif t % BLOCK == 0 and blocks[t // BLOCK] > level:
            t += BLOCK
        elif low[t] <= level:
            return t
        else:
            t += 1
    return n


@njit("int64(float64[::1], float64[::1], float64[::1], int64, float64)", cache=True, nogil=True)
def first_above(high: Floats, blocks: Floats, big: Floats, start: int, level: float) -> int:
    """The first t >= start with high[t] >= level; len(high) where there is none."""
    t, n = start, len(high)
    while t < n:
        if t % (BLOCK * BLOCK) == 0 and big[t // (BLOCK * BLOCK)] < level:
            t += BLOCK * BLOCK
        elif t % BLOCK == 0 and blocks[t // BLOCK] < level:
            t += BLOCK
        elif high[t] >= level:
            return t
        else:
            t += 1
    return n


class Extremes:
    """Blocks over one symbol's lows and highs."""

    def __init__(self, low: Floats, high: Floats) -> None:
        self.low, self.high = low, high
        self.lows, self.big_lows = _levels(low, lowest=True)
        self.highs, self.big_highs = _levels(high, lowest=False)

    def below(self, start: int, level: float) -> int:
        """The first bar from `start` on whose low is at or below `level`; their number where there is none."""
        return int(first_below(self.low, self.lows, self.big_lows, start, level))

    def above(self, start: int, level: float) -> int:
        """The first bar from `start` on whose high is at or above `level`; their number where there is none."""
        return int(first_above(self.high, self.highs, self.big_highs, start, level))


def _levels(values: Floats, *, lowest: bool) -> tuple[Floats, Floats]:
    blocks = np.empty(-(-len(values) // BLOCK))
    big = np.empty(-(-len(blocks) // BLOCK))
    _blocks(values, blocks, lowest)
    _blocks(blocks, big, lowest)
    return blocks, big
