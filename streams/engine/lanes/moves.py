"""A symbol comes into a lane and leaves it, and its states are copied on the way. Compiled."""

import math

from numba.np.numpy_support import carray

from streams.engine.bars import ROW_WIDTH, Floats
from streams.engine.kernels.kernel import (
    BARS_AT,
    BLOCK,
    CLEAN,
    F_AT,
    F_LEN,
    I_AT,
    I_LEN,
    LAST,
    OUT_AT,
    OUT_WIDTH,
    RECORD,
    ROOM,
    TABLE_AT,
    USABLE_AT,
    floats_at,
    ints_at,
    kernel,
)  # fmt: skip
from streams.engine.lanes.boards import newest_row, refresh
from streams.engine.lanes.layout import (
    AGES,
    BARS,
    BOARD,
    COLUMNS_USED,
    FRAME,
    HELD,
    LANE,
    LOOKBACK,
    LOWS,
    NEEDS,
    NEXT_AT,
    NODES,
    ORDER_AT,
    OUTPUTS,
    PASSES,
    PER_LANE,
    PLACES_AT,
    SEEN,
    SLOTS,
    SYNCED,
    TABLE,
    TAKEN,
    TILE,
    USED,
    WATCH_AT,
    WATCHES,
    WIDTH,
    WRITTEN,
    operand_at,
    seen_by,
)
from streams.engine.lanes.rows import write_back
from streams.engine.lanes.steps import LANE_RECORD, LANES, MANY, NODE_F, NODE_FLOATS, NODE_I, NODE_INTS
from streams.engine.network.ladders import BEFORE, VALUE
from streams.engine.network.tables import values_of


@kernel
def carry(tile: int, s: int, there: int) -> None:
    """Copy the states of the lane's nodes: `there` 1 into the tile, 0 back into its own arrays."""
    w = carray(ints_at(tile), (TILE,))
    lanes = carray(ints_at(w[PER_LANE]), (LANE, LANES))
    b = carray(ints_at(lanes[FRAME, s]), (BLOCK,))
    order = carray(ints_at(lanes[ORDER_AT, s]), (MANY,))
    for n in range(w[NODES]):
        node = carray(ints_at(w[TABLE] + n * LANE_RECORD * 8), (LANE_RECORD,))
        own = carray(ints_at(b[TABLE_AT] + order[n] * RECORD * 8), (RECORD,))
        f = carray(floats_at(node[NODE_F]), (MANY, LANES))
        i = carray(ints_at(node[NODE_I]), (MANY, LANES))
        own_f = carray(floats_at(own[F_AT]), (own[F_LEN],))
        own_i = carray(ints_at(own[I_AT]), (own[I_LEN],))
        for k in range(node[NODE_FLOATS]):
            if there != 0:
                f[k, s] = own_f[k]
            else:
                own_f[k] = f[k, s]
        for k in range(node[NODE_INTS]):
            if there != 0:
                i[k, s] = own_i[k]
            else:
                own_i[k] = i[k, s]


@kernel
def passed_over(tile: int, s: int) -> int:
    """Bars that went over a lane since it was taken in."""
    w = carray(ints_at(tile), (TILE,))
    return int(w[PASSES] - carray(ints_at(w[PER_LANE]), (LANE, LANES))[TAKEN, s])


@kernel
def copy_states(tile: int, s: int, f_at: int, i_at: int) -> None:
    """Copy the states of a lane's nodes to where they lie as its own do from the first node's numbers on."""
    w = carray(ints_at(tile), (TILE,))
    lanes = carray(ints_at(w[PER_LANE]), (LANE, LANES))
    b = carray(ints_at(lanes[FRAME, s]), (BLOCK,))
    order = carray(ints_at(lanes[ORDER_AT, s]), (MANY,))
    begin = carray(ints_at(b[TABLE_AT]), (RECORD,))
    for n in range(w[NODES]):
        node = carray(ints_at(w[TABLE] + n * LANE_RECORD * 8), (LANE_RECORD,))
        own = carray(ints_at(b[TABLE_AT] + order[n] * RECORD * 8), (RECORD,))
        f = carray(floats_at(node[NODE_F]), (MANY, LANES))
        i = carray(ints_at(node[NODE_I]), (MANY, LANES))
        to_f = carray(floats_at(f_at + own[F_AT] - begin[F_AT]), (MANY,))
        to_i = carray(ints_at(i_at + own[I_AT] - begin[I_AT]), (MANY,))
        for k in range(node[NODE_FLOATS]):
            to_f[k] = f[k, s]
        for k in range(node[NODE_INTS]):
            to_i[k] = i[k, s]


@kernel
def lift(tile: int, s: int) -> None:
    """Take a lane in: its states, the bars that windows reach, and what it waits for."""
    w = carray(ints_at(tile), (TILE,))
    lanes = carray(ints_at(w[PER_LANE]), (LANE, LANES))
    b = carray(ints_at(lanes[FRAME, s]), (BLOCK,))
    last = b[LAST]
    carry(tile, s, 1)
    lanes[NEXT_AT, s] = b[BARS_AT] + (last + 1) * ROW_WIDTH * 8
    carray(ints_at(w[AGES]), (LANES,))[s] = last - b[CLEAN] + 1
    bars = carray(floats_at(w[BARS]), (MANY, ROW_WIDTH, LANES))
    own = carray(floats_at(b[BARS_AT]), (b[ROOM], ROW_WIDTH))
    for k in range(min(w[LOOKBACK], last + 1)):
        for c in range(ROW_WIDTH):
            bars[w[SEEN] - k, c, s] = own[last - k, c]
    usable = carray(floats_at(b[USABLE_AT]), (MANY,))
    used = carray(ints_at(w[USED]), (MANY,))
    places = carray(ints_at(lanes[PLACES_AT, s]), (MANY,))
    for k in range(w[COLUMNS_USED]):
        carray(floats_at(operand_at(tile, k, 0)), (LANES,))[s] = usable[places[used[k]]]
    lows = carray(floats_at(w[LOWS]), (MANY, LANES))
    for g in range(w[SLOTS]):
        lows[g, s] = math.nan
    refresh(tile, s)
    lanes[TAKEN, s] = w[PASSES]
    lanes[SYNCED, s] = w[PASSES]
    lanes[WRITTEN, s] = w[PASSES]
    lanes[HELD, s] = 1


@kernel
def old_enough(out: Floats, need: int, age: int, s: int) -> bool:
    """Whether lane `s` has as many clean rows as are needed; see `rows.enough`."""
    return bool(age >= need if need >= 0 else age >= out[-1 - need, s])


@kernel
def lower(tile: int, s: int) -> None:
    """Give a lane back, as if it had run on its own, but for the outputs of its rows where they are more than one."""
    w = carray(ints_at(tile), (TILE,))
    lanes = carray(ints_at(w[PER_LANE]), (LANE, LANES))
    lanes[HELD, s] = 0
    passes = w[PASSES] - lanes[TAKEN, s]
    if passes == 0:
        return
    b = carray(ints_at(lanes[FRAME, s]), (BLOCK,))
    write_back(tile, s)
    t = newest_row(tile, s)
    carry(tile, s, 0)
    out = carray(floats_at(w[OUTPUTS]), (MANY, LANES))
    places = carray(ints_at(lanes[PLACES_AT, s]), (MANY,))
    needs = carray(ints_at(w[NEEDS]), (MANY,))
    usable = carray(floats_at(b[USABLE_AT]), (MANY,))
    ages = carray(ints_at(w[AGES]), (LANES,))
    own = carray(floats_at(b[OUT_AT]), (b[ROOM], b[OUT_WIDTH]))
    for c in range(w[WIDTH]):
        usable[places[c]] = out[c, s] if old_enough(out, needs[c], ages[s], s) else math.nan
        if passes == 1:
            own[t, places[c]] = out[c, s]
    unknown = w[PASSES] - lanes[SYNCED, s]
    watch = carray(ints_at(lanes[WATCH_AT, s]), (MANY, 2))
    values = values_of(lanes[BOARD, s])
    for k in range(lanes[WATCHES, s] if unknown > 0 else 0):
        n = watch[k, 0]
        values[n, BEFORE] = values[n, VALUE] if unknown == 1 else seen_by(tile, watch[k, 1], s, 1)
        values[n, VALUE] = seen_by(tile, watch[k, 1], s, 0)
