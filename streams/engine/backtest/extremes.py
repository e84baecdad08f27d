"""The first bar that touches a price, found by blocks of extremes instead of bar by bar.

Lows and highs are kept as they are, by blocks of 8 and of 64: a search looks at up to 8 of each of the
first two, then goes on in steps of 64.
"""

from collections.abc import Callable
from functools import cache
from typing import Final, NamedTuple

import numpy as np

from streams.engine.bars import Floats
from streams.engine.kernels.kernel import kernel, source_digest
from streams.engine.kernels.program import compile_function

BLOCK: Final = 8


@kernel
def fill_blocks(values: Floats, out: Floats, lowest: bool) -> None:
    """The extreme of every 8 values."""
    for block in range(len(out)):
        start = block * BLOCK
        best = values[start]
        for t in range(start + 1, min(start + BLOCK, len(values))):
            if lowest:
                best = min(best, values[t])
            else:
                best = max(best, values[t])
        out[block] = best


@kernel
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


@kernel
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


class _Machine(NamedTuple):
    blocks: Callable[..., None]
    below: Callable[..., int]
    above: Callable[..., int]


@cache
def _machine() -> _Machine:
    """The compiled searches; `source` is part of numba's cache key, nothing else."""
    source = source_digest(fill_blocks, first_below, first_above)

    def blocks(values: Floats, out: Floats, lowest: bool) -> None:
        if source != 0:
            fill_blocks(values, out, lowest)

    def below(low: Floats, blocks: Floats, big: Floats, start: int, level: float) -> int:
        return first_below(low, blocks, big, start, level) if source != 0 else -1

    def above(high: Floats, blocks: Floats, big: Floats, start: int, level: float) -> int:
        return first_above(high, blocks, big, start, level) if source != 0 else -1

    search = "int64(float64[::1], float64[::1], float64[::1], int64, float64)"
    return _Machine(
        compile_function("void(float64[::1], float64[::1], boolean)", blocks),
        compile_function(search, below),
        compile_function(search, above),
    )


class Extremes:
    """Blocks over one symbol's lows and highs."""

    def __init__(self, low: Floats, high: Floats) -> None:
        self.low, self.high = low, high
        self.lows, self.big_lows = _levels(low, lowest=True)
        self.highs, self.big_highs = _levels(high, lowest=False)
        self.lowest, self.highest = float(self.big_lows.min()), float(self.big_highs.max())

    def below(self, start: int, level: float) -> int:
        """The first bar from `start` on whose low is at or below `level`; their number where there is none."""
        return int(_machine().below(self.low, self.lows, self.big_lows, start, level))

    def above(self, start: int, level: float) -> int:
        """The first bar from `start` on whose high is at or above `level`; their number where there is none."""
        return int(_machine().above(self.high, self.highs, self.big_highs, start, level))


def _levels(values: Floats, *, lowest: bool) -> tuple[Floats, Floats]:
    blocks = np.empty(-(-len(values) // BLOCK))
    big = np.empty(-(-len(blocks) // BLOCK))
    _machine().blocks(values, blocks, lowest)
    _machine().blocks(blocks, big, lowest)
    return blocks, big
