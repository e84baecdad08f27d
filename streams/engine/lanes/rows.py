"""Bars into a tile, and from there into the symbols' own rows. Compiled.

A symbol's own rows are written many at a time: 500 symbols are 500 places in memory, and to come back to each for every
bar takes longer than all its indicators.
"""

from numba.np.numpy_support import carray

from streams.engine.bars import COLUMNS, ROW_WIDTH, TIME
from streams.engine.kernels.kernel import floats_at, ints_at, kernel
from streams.engine.lanes.layout import (
    BARS,
    COUNT,
    HELD,
    LANE,
    LOOKBACK,
    NEXT_AT,
    PASSES,
    PER_LANE,
    PLACE,
    ROWS,
    SEEN,
    TILE,
    WRITTEN,
)  # fmt: skip
from streams.engine.lanes.steps import LANES, MANY


@kernel
def write_back(tile: int, s: int) -> None:
    """The bars of lane `s` up to the newest into its own rows."""
    w = carray(ints_at(tile), (TILE,))
    lanes = carray(ints_at(w[PER_LANE]), (LANE, LANES))
    bars = carray(floats_at(w[BARS]), (MANY, ROW_WIDTH, LANES))
    own = carray(floats_at(lanes[NEXT_AT, s]), (MANY, ROW_WIDTH))
    lacking = w[PASSES] - lanes[WRITTEN, s]
    first = w[SEEN] - lacking + 1
    for k in range(lacking):
        for c in range(ROW_WIDTH):
            own[k, c] = bars[first + k, c, s]
    lanes[NEXT_AT, s] += lacking * ROW_WIDTH * 8
    lanes[WRITTEN, s] = w[PASSES]


@kernel
def begin_anew(tile: int) -> None:
    """The tile's rows are full: keep those that windows reach."""
    w = carray(ints_at(tile), (TILE,))
    lanes = carray(ints_at(w[PER_LANE]), (LANE, LANES))
    for s in range(w[COUNT]):
        if lanes[HELD, s] != 0:
            write_back(tile, s)
    keep = w[LOOKBACK]
    numbers = keep * ROW_WIDTH * LANES
    flat = carray(floats_at(w[BARS]), (MANY,))
    behind = (w[SEEN] + 1 - keep) * ROW_WIDTH * LANES
    for k in range(numbers):
        flat[k] = flat[behind + k]
    w[SEEN] = keep - 1


@kernel
def take_bars(tile: int, time: float, rows_at: int) -> None:
    """The next row of bars of all lanes."""
    w = carray(ints_at(tile), (TILE,))
    if w[SEEN] + 1 == w[ROWS]:
        begin_anew(tile)
    bars = carray(floats_at(w[BARS]), (MANY, ROW_WIDTH, LANES))
    lanes = carray(ints_at(w[PER_LANE]), (LANE, LANES))
    rows = carray(floats_at(rows_at), (MANY, COLUMNS))
    w[PASSES] += 1
    w[SEEN] += 1
    t = w[SEEN]
    for s in range(LANES):
        bars[t, TIME, s] = time
    for s in range(w[COUNT]):
        place = max(lanes[PLACE, s], 0)  # a lane that nobody has takes any bar
        for c in range(COLUMNS):
            bars[t, c, s] = rows[place, c]
