"""Searches of the compiled walk: the next touch of two levels at once, the next entry, the row of an instant."""

import numpy as np
from numpy.typing import NDArray

from streams.engine.backtest.extremes import BLOCK
from streams.engine.bars import Floats, Ints
from streams.engine.kernels.kernel import kernel


@kernel
def touch(
    low: Floats, high: Floats, lows: Floats, highs: Floats, big_lows: Floats, big_highs: Floats, start: int,
    below: float, above: float,
) -> int:  # fmt: skip
    """The first bar from `start` on whose low is at or below `below` or whose high is at or above `above`."""
    t, n = start, len(low)
    size = BLOCK * BLOCK
    while t < n:
        if t % BLOCK == 0:
            big = t // size
            if t % size == 0 and big_lows[big] > below and big_highs[big] < above:
                t += size
                continue
            block = t // BLOCK
            if lows[block] > below and highs[block] < above:
                t += BLOCK
                continue
        if low[t] <= below or high[t] >= above:
            return t
        t += 1
    return n


@kernel
def signal(truths: NDArray[np.int8], start: int, at_once: bool) -> int:
    """The first bar from `start` on at which an entry armed then fires; their number where none does (see `Edges`)."""
    t, count = start, len(truths)
    while t < count and truths[t] < 0:
        t += 1
    if t >= count or (at_once and truths[t] == 1):
        return min(t, count)
    known = truths[t]
    t += 1
    while t < count:
        truth = truths[t]
        if truth == 1 and known == 0:
            return t
        if truth >= 0:
            known = truth
        t += 1
    return count


@kernel
def row_from(open_ms: Ints, ms: int, guess: int) -> int:
    """The first row that opens at or after `ms`; `guess` is right unless bars are missing."""
    if 0 < guess < len(open_ms) and open_ms[guess] >= ms and open_ms[guess - 1] < ms:
        return guess
    return int(np.searchsorted(open_ms, ms))
