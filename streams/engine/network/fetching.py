"""What a board will look at, brought near the processor while others are worked on. Compiled; changes nothing.

A pass over hundreds of symbols finds little of theirs in the cache, and waiting for memory is most of what it costs.
"""

from typing import Final

from numba.np.numpy_support import carray

from streams.engine.kernels.kernel import fetch, ints_at, kernel
from streams.engine.network.ladders import CODES_AT, CONSTANTS_AT, LEFT, RUNGS
from streams.engine.network.tables import (
    LADDER,
    LADDERS_AT,
    SERIES,
    SERIES_AT,
    TALLIES,
    TALLIES_AT,
    USED,
    VALUES,
    VALUES_AT,
    WORDS,
    Words,
    ladders_of,
)

LINE: Final = 64
NEAR: Final = 8_192
"""Bytes of tallies: of more than that, a bar looks at few."""


@kernel
def fetch_all(start: int, size: int) -> None:
    for at in range(start, start + size, LINE):
        fetch(at)


@kernel
def fetch_rows(block: int) -> None:
    """Series, where they stand, and tallies."""
    b = carray(ints_at(block), (WORDS,))
    fetch_all(b[SERIES_AT], b[USED] * SERIES * 8)
    fetch_all(b[VALUES_AT], b[USED] * VALUES * 8)
    fetch_all(b[LADDERS_AT], b[USED] * 2 * LADDER * 8)
    fetch_all(b[TALLIES_AT], min(b[TALLIES], NEAR))


@kernel
def fetch_rungs(block: int) -> None:
    """The rungs around each value."""
    b = carray(ints_at(block), (WORDS,))
    ladders = ladders_of(block)
    for which in range(2 * b[USED]):
        if ladders[which, RUNGS] > 0:
            left = ladders[which, LEFT]
            fetch_all(ladders[which, CONSTANTS_AT] + 8 * left - LINE, 3 * LINE)
            fetch_all(ladders[which, CODES_AT] + 4 * left - LINE // 2, 2 * LINE)


@kernel
def ahead(pairs: Words, k: int) -> None:
    """The board at `k` comes next: its rungs, what tells where those of the one after it are, and so on."""
    count = len(pairs)
    if k + 2 < count:
        fetch_all(pairs[k + 2, 0], 8 * WORDS)
    if k + 1 < count:
        fetch_rows(pairs[k + 1, 0])
    if k < count:
        fetch_rungs(pairs[k, 0])
