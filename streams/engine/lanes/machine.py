"""One minute of all engines at once: who has something due, and a bar of every lane of every tile. Compiled."""

from collections.abc import Callable
from functools import cache
from typing import Final, NamedTuple

from numba.np.numpy_support import carray

from streams.engine.bars import Floats, Ints
from streams.engine.kernels.kernel import call_at, ints_at, kernel, source_digest
from streams.engine.kernels.program import compile_function
from streams.engine.lanes.boards import call_boards, look, mask_used
from streams.engine.lanes.layout import COUNT, NODES, SEEN, TABLE, TILE
from streams.engine.lanes.moves import copy_states, lift, lower, passed_over
from streams.engine.lanes.rows import take_bars
from streams.engine.lanes.steps import LANE_RECORD, MANY, RUN

# What a pass is told, all int64. Of each engine: when its next bar is EXPECTED, until when it is QUIET and when an
# ANCHOR is due. DUE: room for their places, those on which something is.
ENGINES, STEP_MS, EXPECTED, QUIET, ANCHOR, DUE, TILES, TILES_AT, SAID_AT = range(9)
PASS: Final = 9


@kernel
def step_tile(tile: int, time: float, rows_at: int, said_at: int, said: int) -> int:
    """One bar of every lane; see `call_boards`."""
    w = carray(ints_at(tile), (TILE,))
    take_bars(tile, time, rows_at)
    for n in range(w[NODES]):
        node = w[TABLE] + n * LANE_RECORD * 8
        call_at(carray(ints_at(node), (LANE_RECORD,))[RUN], node, w[SEEN], w[COUNT], 0)
    mask_used(tile)
    return call_boards(tile, said_at, said) if look(tile) else said


@kernel
def step_tiles(block: int, opened: int, rows_at: int) -> int:
    """One bar of every tile: how many boards have something to say."""
    b = carray(ints_at(block), (PASS,))
    tiles = carray(ints_at(b[TILES_AT]), (MANY,))
    said = 0
    for k in range(b[TILES]):
        said = step_tile(tiles[k], float(opened), rows_at, b[SAID_AT], said)
    return said


@kernel
def is_due(opened: int, expected: int, quiet: int, anchor: int) -> int:
    return (expected != opened) | (quiet <= opened) | (anchor <= opened)


@kernel
def find_due(block: int, opened: int) -> int:
    """Write down on which engines something is due before a bar that opens then, or instead of it: how many."""
    b = carray(ints_at(block), (PASS,))
    expected = carray(ints_at(b[EXPECTED]), (MANY,))
    quiet = carray(ints_at(b[QUIET]), (MANY,))
    anchor = carray(ints_at(b[ANCHOR]), (MANY,))
    found = 0
    for place in range(b[ENGINES]):
        found |= is_due(opened, expected[place], quiet[place], anchor[place])
    if found == 0:
        return 0
    found = 0
    due = carray(ints_at(b[DUE]), (MANY,))
    for place in range(b[ENGINES]):
        if is_due(opened, expected[place], quiet[place], anchor[place]):
            due[found] = place
            found += 1
    return found


@kernel
def move_on(block: int) -> None:
    """All engines expect the bar after this one."""
    b = carray(ints_at(block), (PASS,))
    expected = carray(ints_at(b[EXPECTED]), (MANY,))
    for place in range(b[ENGINES]):
        expected[place] += b[STEP_MS]


class Machine(NamedTuple):
    """The compiled calls, which take addresses of a pass's block and of tiles. `go` steps if nothing is due; else it
    does nothing and says how many are, less than 0. `note` copies the states of engines: their places, of all engines
    the tile and lane, where to, integers from which column on, and how many bars went over them since they were taken.
    """

    go: Callable[[int, int, Floats], int]
    step: Callable[[int, int, Floats], int]
    lift: Callable[[int, int], None]
    lower: Callable[[int, int], None]
    note: Callable[[Ints, Ints, Floats, int, Ints], None]


@cache
def machine() -> Machine:  # noqa: C901 - a list of small functions
    """Compiled, or loaded from numba's cache, at the first call. `source` is part of the cache key, nothing else."""
    source = source_digest(find_due, step_tiles, move_on, lift, lower, copy_states, passed_over)

    def go(block: int, opened: int, rows: Floats) -> int:
        if source == 0:
            return 0
        due = find_due(block, opened)
        if due > 0:
            return -due
        said = step_tiles(block, opened, rows.ctypes.data)
        move_on(block)
        return said

    def step(block: int, opened: int, rows: Floats) -> int:
        if source == 0:
            return 0
        said = step_tiles(block, opened, rows.ctypes.data)
        move_on(block)
        return said

    def lift_lane(tile: int, s: int) -> None:
        if source != 0:
            lift(tile, s)

    def lower_lane(tile: int, s: int) -> None:
        if source != 0:
            lower(tile, s)

    def note(places: Ints, lanes: Ints, states: Floats, ints_from: int, passed: Ints) -> None:
        if source != 0:
            for k in range(len(places)):
                at = states[k].ctypes.data
                passed[k] = passed_over(lanes[places[k], 0], lanes[places[k], 1])
                copy_states(lanes[places[k], 0], lanes[places[k], 1], at, at + 8 * ints_from)

    pass_of_bars = "int64(int64, int64, Array(float64, 2, 'C', readonly=True))"
    return Machine(
        compile_function(pass_of_bars, go),
        compile_function(pass_of_bars, step),
        compile_function("void(int64, int64)", lift_lane),
        compile_function("void(int64, int64)", lower_lane),
        compile_function("void(int64[::1], int64[:, ::1], float64[:, ::1], int64, int64[::1])", note),
    )
