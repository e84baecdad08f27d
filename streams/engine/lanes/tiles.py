"""One minute of a tile: bars in, every node over all lanes, and a glance at what the boards wait for. Compiled.

A lane's board is called only where a value leaves the guard that the board has set on it: between its guards nothing
happens on a board but that the value is remembered, and that is made up for when the board is called next or asked.
"""

import math
from collections.abc import Callable
from functools import cache
from typing import Final, NamedTuple

from numba.np.numpy_support import carray

from streams.engine.bars import COLUMNS, ROW_WIDTH, TIME, Floats, Ints
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
    call_at,
    floats_at,
    ints_at,
    kernel,
    source_digest,
)  # fmt: skip
from streams.engine.kernels.program import compile_function
from streams.engine.lanes.steps import LANE_RECORD, LANES, MANY, NODE_F, NODE_FLOATS, NODE_I, NODE_INTS, RUN
from streams.engine.network.fetching import fetch_all, fetch_rows, fetch_rungs
from streams.engine.network.ladders import BEFORE, HIGH, LOW, VALUE
from streams.engine.network.machine import advanced
from streams.engine.network.tables import WORDS, heads_of, values_of

# What a tile's block says, all int64. SEEN: row of the newest bar. TURN: which half of the usable values is.
(
    COUNT, PASSES, SEEN, TURN, ROWS, LOOKBACK, BARS, NODES, TABLE, WIDTH, OUTPUTS, NEEDS, COLUMNS_USED, USED, USABLE,
    SLOTS, SLOT, LOWS, HIGHS, AGES, BAD, PER_LANE,
) = range(22)  # fmt: skip
TILE: Final = 22

# What it says of each lane: a row of LANES numbers each. HELD: it runs here and not on its own. NEXT_AT: address of the
# next row of its own bars. PLACES_AT: where the plan's columns are among its own. ORDER_AT: where the plan's nodes are.
# WATCH_AT: which of its series watches which slot. SYNCED: the pass its board knows of. WAITS: it is called anyway.
(
    PLACE, HELD, NEXT_AT, FRAME, BOARD, PLACES_AT, ORDER_AT, WATCH_AT, WATCHES, ALWAYS, WAITS, TAKEN, SYNCED,
) = range(13)  # fmt: skip
LANE: Final = 13

LOOK_AHEAD: Final = 3
"""Boards after this one of which something is fetched already."""
NOTHING: Final = 1 << 20
"""No second operand. Operands of slots: k of the usable values, or -1 - c for column c of the bar."""


@kernel
def operand_at(tile: int, operand: int, earlier: int) -> int:
    """Address of the newest LANES values of an operand, or of those one pass `earlier`."""
    w = carray(ints_at(tile), (TILE,))
    if operand < 0:
        return int(w[BARS] + ((w[SEEN] - earlier) * ROW_WIDTH - 1 - operand) * LANES * 8)
    return int(w[USABLE] + ((w[TURN] ^ earlier) * w[WIDTH] + operand) * LANES * 8)


@kernel
def seen_by(tile: int, slot: int, s: int, earlier: int) -> float:
    """The value of a slot in lane `s`."""
    slots = carray(ints_at(carray(ints_at(tile), (TILE,))[SLOT]), (MANY, 2))
    x = carray(floats_at(operand_at(tile, slots[slot, 0], earlier)), (LANES,))[s]
    if slots[slot, 1] == NOTHING:
        return float(x)
    return float(x - carray(floats_at(operand_at(tile, slots[slot, 1], earlier)), (LANES,))[s])


@kernel
def take_bars(tile: int, time: float, rows_at: int) -> None:
    """The next row of bars: every lane's into the tile, and into its own rows where it is held."""
    w = carray(ints_at(tile), (TILE,))
    bars = carray(floats_at(w[BARS]), (MANY, ROW_WIDTH, LANES))
    lanes = carray(ints_at(w[PER_LANE]), (LANE, LANES))
    rows = carray(floats_at(rows_at), (MANY, COLUMNS))
    t = w[SEEN] + 1
    if t == w[ROWS]:
        keep = w[LOOKBACK]
        for k in range(keep):
            for c in range(ROW_WIDTH):
                for s in range(LANES):
                    bars[k, c, s] = bars[t - keep + k, c, s]
        t = keep
    w[SEEN] = t
    for s in range(LANES):
        bars[t, TIME, s] = time
    for s in range(w[COUNT]):
        place = lanes[PLACE, s]
        if place < 0:
            continue
        for c in range(COLUMNS):
            bars[t, c, s] = rows[place, c]
        if lanes[HELD, s] != 0:
            own = carray(floats_at(lanes[NEXT_AT, s]), (ROW_WIDTH,))
            for c in range(COLUMNS):
                own[c] = rows[place, c]
            own[TIME] = time
            lanes[NEXT_AT, s] += ROW_WIDTH * 8


@kernel
def old_enough(out: Floats, need: int, age: int, s: int) -> bool:
    """Whether lane `s` has as many clean rows as are needed; see `rows.enough`."""
    return bool(age >= need if need >= 0 else age >= out[-1 - need, s])


@kernel
def mask_used(tile: int) -> None:
    """What may be used of the columns that anybody watches; see `rows.mask`."""
    w = carray(ints_at(tile), (TILE,))
    ages = carray(ints_at(w[AGES]), (LANES,))
    out = carray(floats_at(w[OUTPUTS]), (MANY, LANES))
    used = carray(ints_at(w[USED]), (MANY,))
    needs = carray(ints_at(w[NEEDS]), (MANY,))
    w[TURN] ^= 1
    for s in range(LANES):
        ages[s] += 1
    for k in range(w[COLUMNS_USED]):
        usable = carray(floats_at(operand_at(tile, k, 0)), (LANES,))
        need = needs[used[k]]
        values = out[used[k]]
        if need >= 0:
            for s in range(LANES):
                usable[s] = values[s] if ages[s] >= need else math.nan
        else:
            reach = out[-1 - need]
            for s in range(LANES):
                usable[s] = values[s] if ages[s] >= reach[s] else math.nan


@kernel
def look(tile: int) -> None:
    """Mark the lanes where a watched value is not between its guards. A guard of NaN: nobody watches there."""
    w = carray(ints_at(tile), (TILE,))
    bad = carray(ints_at(w[BAD]), (LANES,))
    slots = carray(ints_at(w[SLOT]), (MANY, 2))
    lows = carray(floats_at(w[LOWS]), (MANY, LANES))
    highs = carray(floats_at(w[HIGHS]), (MANY, LANES))
    for s in range(LANES):
        bad[s] = 0
    for g in range(w[SLOTS]):
        x = carray(floats_at(operand_at(tile, slots[g, 0], 0)), (LANES,))
        low = lows[g]
        high = highs[g]
        if slots[g, 1] == NOTHING:
            for s in range(LANES):
                inside = (low[s] < x[s]) & (x[s] < high[s])
                bad[s] |= 0 if inside | (low[s] != low[s]) else 1
        else:
            y = carray(floats_at(operand_at(tile, slots[g, 1], 0)), (LANES,))
            for s in range(LANES):
                inside = (low[s] < x[s] - y[s]) & (x[s] - y[s] < high[s])
                bad[s] |= 0 if inside | (low[s] != low[s]) else 1


@kernel
def refresh(tile: int, s: int) -> None:
    """Read the guards of a lane's board anew."""
    w = carray(ints_at(tile), (TILE,))
    lanes = carray(ints_at(w[PER_LANE]), (LANE, LANES))
    lows = carray(floats_at(w[LOWS]), (MANY, LANES))
    highs = carray(floats_at(w[HIGHS]), (MANY, LANES))
    watch = carray(ints_at(lanes[WATCH_AT, s]), (MANY, 2))
    values = values_of(lanes[BOARD, s])
    for k in range(lanes[WATCHES, s]):
        lows[watch[k, 1], s] = values[watch[k, 0], LOW]
        highs[watch[k, 1], s] = values[watch[k, 0], HIGH]
    lanes[WAITS, s] = 1 if lanes[ALWAYS, s] != 0 or heads_of(lanes[BOARD, s])[0] >= 0 else 0


@kernel
def newest_row(tile: int, s: int) -> int:
    """Row of the newest bar in the lane's own frame, which is told."""
    w = carray(ints_at(tile), (TILE,))
    lanes = carray(ints_at(w[PER_LANE]), (LANE, LANES))
    b = carray(ints_at(lanes[FRAME, s]), (BLOCK,))
    b[LAST] = (lanes[NEXT_AT, s] - b[BARS_AT]) // (ROW_WIDTH * 8) - 1
    return int(b[LAST])


@kernel
def call_board(tile: int, s: int) -> int:
    """Hand the newest values to the lane's board and have it go on; what it says."""
    w = carray(ints_at(tile), (TILE,))
    lanes = carray(ints_at(w[PER_LANE]), (LANE, LANES))
    b = carray(ints_at(lanes[FRAME, s]), (BLOCK,))
    board = lanes[BOARD, s]
    newest_row(tile, s)
    usable = carray(floats_at(b[USABLE_AT]), (MANY,))
    used = carray(ints_at(w[USED]), (MANY,))
    places = carray(ints_at(lanes[PLACES_AT, s]), (MANY,))
    for k in range(w[COLUMNS_USED]):
        usable[places[used[k]]] = carray(floats_at(operand_at(tile, k, 0)), (LANES,))[s]
    if w[PASSES] - lanes[SYNCED, s] > 1:
        watch = carray(ints_at(lanes[WATCH_AT, s]), (MANY, 2))
        values = values_of(board)
        for k in range(lanes[WATCHES, s]):
            values[watch[k, 0], VALUE] = seen_by(tile, watch[k, 1], s, 1)
    lanes[SYNCED, s] = w[PASSES]
    flips = advanced(board)
    refresh(tile, s)
    return flips


@kernel
def is_called(w: Ints, lanes: Ints, bad: Ints, s: int) -> bool:
    """Whether the board of lane `s`, if there is one, has something to look at."""
    return bool(0 <= s < w[COUNT] and (bad[s] | lanes[WAITS, s]) != 0 and lanes[HELD, s] != 0)


@kernel
def fetch_boards(w: Ints, lanes: Ints, bad: Ints, s: int) -> None:
    """The board of lane `s` comes now: bring near what those after it will look at, the nearest one's rungs last."""
    if is_called(w, lanes, bad, s + LOOK_AHEAD):
        fetch_all(lanes[BOARD, s + LOOK_AHEAD], 8 * WORDS)
    if is_called(w, lanes, bad, s + LOOK_AHEAD - 1):
        fetch_rows(lanes[BOARD, s + LOOK_AHEAD - 1])
    if is_called(w, lanes, bad, s + LOOK_AHEAD - 2):
        fetch_rungs(lanes[BOARD, s + LOOK_AHEAD - 2])


@kernel
def step_tile(tile: int, time: float, rows_at: int, said_at: int, said: int) -> int:
    """One bar of every lane. Who has something to say is written behind the `said` before: place and flips."""
    w = carray(ints_at(tile), (TILE,))
    lanes = carray(ints_at(w[PER_LANE]), (LANE, LANES))
    bad = carray(ints_at(w[BAD]), (LANES,))
    rows = carray(ints_at(said_at), (MANY, 2))
    take_bars(tile, time, rows_at)
    for n in range(w[NODES]):
        node = w[TABLE] + n * LANE_RECORD * 8
        call_at(carray(ints_at(node), (LANE_RECORD,))[RUN], node, w[SEEN], w[COUNT], 0)
    w[PASSES] += 1
    mask_used(tile)
    look(tile)
    for s in range(-LOOK_AHEAD, w[COUNT]):
        fetch_boards(w, lanes, bad, s)
        if is_called(w, lanes, bad, s):
            flips = call_board(tile, s)
            if flips != 0:
                rows[said, 0] = lanes[PLACE, s]
                rows[said, 1] = flips
                said += 1
    return said


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
def copy_states(tile: int, s: int, f_at: int, i_at: int, own_f_at: int, own_i_at: int) -> None:
    """Copy the states of a lane's nodes to where they lie as all nodes' own do from `own_f_at` and `own_i_at` on."""
    w = carray(ints_at(tile), (TILE,))
    lanes = carray(ints_at(w[PER_LANE]), (LANE, LANES))
    b = carray(ints_at(lanes[FRAME, s]), (BLOCK,))
    order = carray(ints_at(lanes[ORDER_AT, s]), (MANY,))
    for n in range(w[NODES]):
        node = carray(ints_at(w[TABLE] + n * LANE_RECORD * 8), (LANE_RECORD,))
        own = carray(ints_at(b[TABLE_AT] + order[n] * RECORD * 8), (RECORD,))
        f = carray(floats_at(node[NODE_F]), (MANY, LANES))
        i = carray(ints_at(node[NODE_I]), (MANY, LANES))
        to_f = carray(floats_at(f_at + own[F_AT] - own_f_at), (MANY,))
        to_i = carray(ints_at(i_at + own[I_AT] - own_i_at), (MANY,))
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
    lanes[HELD, s] = 1


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


class Machine(NamedTuple):
    """The compiled calls. `step` takes addresses of tiles; `due` those of when bars are expected, until when it is
    quiet, and when an anchor is due.
    """

    step: Callable[[int, int, float, int, int], int]
    due: Callable[[int, int, int, int, int, int], int]
    lift: Callable[[int, int], None]
    lower: Callable[[int, int], None]
    copy_states: Callable[[int, int, int, int, int, int], None]


@cache
def machine() -> Machine:  # noqa: C901 - a list of small functions
    """Compiled, or loaded from numba's cache, at the first call. `source` is part of the cache key, nothing else."""
    source = source_digest(step_tile, lift, lower, copy_states)

    def step(tiles_at: int, count: int, time: float, rows_at: int, said_at: int) -> int:
        said = 0
        if source != 0:
            tiles = carray(ints_at(tiles_at), (count,))
            for k in range(count):
                said = step_tile(tiles[k], time, rows_at, said_at, said)
        return said

    def due(opened: int, count: int, expected_at: int, quiet_at: int, anchors_at: int, places_at: int) -> int:
        found = 0
        if source != 0:
            expected = carray(ints_at(expected_at), (count,))
            quiet = carray(ints_at(quiet_at), (count,))
            anchors = carray(ints_at(anchors_at), (count,))
            places = carray(ints_at(places_at), (count,))
            for place in range(count):
                if expected[place] != opened or quiet[place] <= opened or anchors[place] <= opened:
                    places[found] = place
                    found += 1
        return found

    def lift_lane(tile: int, s: int) -> None:
        if source != 0:
            lift(tile, s)

    def lower_lane(tile: int, s: int) -> None:
        if source != 0:
            lower(tile, s)

    def copy_lane(tile: int, s: int, f_at: int, i_at: int, own_f_at: int, own_i_at: int) -> None:
        if source != 0:
            copy_states(tile, s, f_at, i_at, own_f_at, own_i_at)

    return Machine(
        compile_function("int64(int64, int64, float64, int64, int64)", step),
        compile_function("int64(int64, int64, int64, int64, int64, int64)", due),
        compile_function("void(int64, int64)", lift_lane),
        compile_function("void(int64, int64)", lower_lane),
        compile_function("void(int64, int64, int64, int64, int64, int64)", copy_lane),
    )
