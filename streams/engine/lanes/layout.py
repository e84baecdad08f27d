"""Where a tile's arrays are: a block of numbers for compiled code, and rows of numbers that tell of its lanes."""

from typing import Final

from numba.np.numpy_support import carray

from streams.engine.bars import ROW_WIDTH
from streams.engine.kernels.kernel import floats_at, ints_at, kernel
from streams.engine.lanes.steps import LANES, MANY

# What a tile's block says, all int64. SEEN: row of the newest bar. TURN: which half of the usable values is.
(
    COUNT, PASSES, SEEN, TURN, ROWS, LOOKBACK, BARS, NODES, TABLE, WIDTH, OUTPUTS, NEEDS, COLUMNS_USED, USED, USABLE,
    SLOTS, SLOT, LOWS, HIGHS, AGES, BAD, PER_LANE,
) = range(22)  # fmt: skip
TILE: Final = 22

# What it says of each lane: a row of LANES numbers each. HELD: it runs here and not on its own. NEXT_AT: address of the
# next row of its own bars to be written, WRITTEN the pass up to which they are. PLACES_AT: where the plan's columns are
# among its own. ORDER_AT: where the plan's nodes are. WATCH_AT: which of its series watches which slot. SYNCED: the
# pass its board knows of. WAITS: it is called anyway.
(
    PLACE, HELD, NEXT_AT, FRAME, BOARD, PLACES_AT, ORDER_AT, WATCH_AT, WATCHES, ALWAYS, WAITS, TAKEN, SYNCED,
    WRITTEN,
) = range(14)  # fmt: skip
LANE: Final = 14

NOTHING: Final = 1 << 20
"""Stands for the second operand of a slot that has only one."""


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
