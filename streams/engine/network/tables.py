"""Where a board's arrays are: one block of numbers tells compiled code, because handing over arrays costs microseconds.

Whoever replaces an array writes its new address into the block.
"""

from typing import Final, TypeAlias

import numpy as np
from numba.np.numpy_support import carray
from numpy.typing import NDArray

from streams.engine.kernels.kernel import bytes_at, floats_at, ints_at, kernel, shorts_at

Rows: TypeAlias = NDArray[np.int32]
Words: TypeAlias = NDArray[np.int64]
Values: TypeAlias = NDArray[np.float64]
Bytes: TypeAlias = NDArray[np.uint8]

# What the block says, all int64. USED: the rows of series up to the last that was ever taken.
(
    NODES_AT, NODES, EDGES_AT, EDGES, STATE_AT, FLIPPED_AT, CALLED_AT, PULSES_AT, CLOCKS, CLOCKS_AT, SERIES_AT, COUNT,
    VALUES_AT, LADDERS_AT, HEADS_AT, TALLIES_AT, TALLIES, DOUBTS_AT, TOLD_AT, USED,
) = range(20)  # fmt: skip
WORDS: Final = 20

# The width of a row of `nodes`, of `series`, of `values`, of `ladders`, and how many words `state` has.
NODE: Final = 4
SERIES: Final = 11
VALUES: Final = 4
LADDER: Final = 7
RANKS: Final = 32
STATE: Final = 5 + RANKS


@kernel
def nodes_of(block: int) -> Rows:
    b = carray(ints_at(block), (WORDS,))
    return carray(shorts_at(b[NODES_AT]), (b[NODES], NODE))


@kernel
def edges_of(block: int) -> Rows:
    b = carray(ints_at(block), (WORDS,))
    return carray(shorts_at(b[EDGES_AT]), (b[EDGES], 2))


@kernel
def state_of(block: int) -> Words:
    return carray(ints_at(carray(ints_at(block), (WORDS,))[STATE_AT]), (STATE,))


@kernel
def flipped_of(block: int) -> Rows:
    b = carray(ints_at(block), (WORDS,))
    return carray(shorts_at(b[FLIPPED_AT]), (b[NODES], 1))


@kernel
def called_of(block: int) -> Rows:
    b = carray(ints_at(block), (WORDS,))
    return carray(shorts_at(b[CALLED_AT]), (b[NODES], 1))


@kernel
def pulses_of(block: int) -> Rows:
    b = carray(ints_at(block), (WORDS,))
    return carray(shorts_at(b[PULSES_AT]), (b[NODES], 2))


@kernel
def heads_of(block: int) -> Words:
    b = carray(ints_at(block), (WORDS,))
    return carray(ints_at(b[HEADS_AT]), (b[CLOCKS],))


@kernel
def clocks_of(block: int) -> Words:
    b = carray(ints_at(block), (WORDS,))
    return carray(ints_at(b[CLOCKS_AT]), (b[CLOCKS],))


@kernel
def series_of(block: int) -> Words:
    b = carray(ints_at(block), (WORDS,))
    return carray(ints_at(b[SERIES_AT]), (b[COUNT], SERIES))


@kernel
def values_of(block: int) -> Values:
    b = carray(ints_at(block), (WORDS,))
    return carray(floats_at(b[VALUES_AT]), (b[COUNT], VALUES))


@kernel
def ladders_of(block: int) -> Words:
    b = carray(ints_at(block), (WORDS,))
    return carray(ints_at(b[LADDERS_AT]), (2 * b[COUNT], LADDER))


@kernel
def tallies_of(block: int) -> Bytes:
    b = carray(ints_at(block), (WORDS,))
    return carray(bytes_at(b[TALLIES_AT]), (b[TALLIES],))


@kernel
def doubts_of(block: int) -> Bytes:
    b = carray(ints_at(block), (WORDS,))
    return carray(bytes_at(b[DOUBTS_AT]), (b[TALLIES],))


@kernel
def told_of(block: int) -> Rows:
    b = carray(ints_at(block), (WORDS,))
    return carray(shorts_at(b[TOLD_AT]), (b[TALLIES],))
