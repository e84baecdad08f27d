"""What boards see of a tile, and which of them must look. Compiled.

A lane's board is called only where a value leaves the guard that the board has set on it: between its guards nothing
happens on a board but that the value is remembered, and that is made up for when the board is called next or asked.
"""

import math
from typing import Final

from numba.np.numpy_support import carray

from streams.engine.bars import ROW_WIDTH, Ints
from streams.engine.kernels.kernel import BARS_AT, BLOCK, LAST, USABLE_AT, floats_at, ints_at, kernel
from streams.engine.lanes.layout import (
    AGES,
    ALWAYS,
    BAD,
    BOARD,
    COLUMNS_USED,
    COUNT,
    FRAME,
    HELD,
    HIGHS,
    LANE,
    LOWS,
    NEEDS,
    NEXT_AT,
    NOTHING,
    OUTPUTS,
    PASSES,
    PER_LANE,
    PLACE,
    PLACES_AT,
    SLOT,
    SLOTS,
    SYNCED,
    TILE,
    TURN,
    USED,
    WAITS,
    WATCH_AT,
    WATCHES,
    operand_at,
    seen_by,
)
from streams.engine.lanes.rows import write_back
from streams.engine.lanes.steps import LANES, MANY
from streams.engine.network.fetching import fetch_all, fetch_rows, fetch_rungs
from streams.engine.network.ladders import HIGH, LOW, VALUE
from streams.engine.network.machine import advanced
from streams.engine.network.tables import WORDS, heads_of, values_of

LOOK_AHEAD: Final = 3
"""Boards after this one of which something is fetched already."""


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
def look(tile: int) -> bool:
    """Mark the lanes where a watched value is not between its guards. A guard of NaN: nobody watches there. Whether any
    board is to be called.
    """
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
    lanes = carray(ints_at(w[PER_LANE]), (LANE, LANES))
    called = 0
    for s in range(LANES):
        called |= (bad[s] | lanes[WAITS, s]) & lanes[HELD, s]
    return called != 0


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
    write_back(tile, s)
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
def call_boards(tile: int, said_at: int, said: int) -> int:
    """Those that are marked. Who has something to say is written behind the `said` before: place and flips."""
    w = carray(ints_at(tile), (TILE,))
    lanes = carray(ints_at(w[PER_LANE]), (LANE, LANES))
    bad = carray(ints_at(w[BAD]), (LANES,))
    rows = carray(ints_at(said_at), (MANY, 2))
    for s in range(-LOOK_AHEAD, w[COUNT]):
        fetch_boards(w, lanes, bad, s)
        if is_called(w, lanes, bad, s):
            flips = call_board(tile, s)
            if flips != 0:
                rows[said, 0] = lanes[PLACE, s]
                rows[said, 1] = flips
                said += 1
    return said
