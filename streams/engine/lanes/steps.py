"""Kernels over many symbols at once: the same `step`, compiled as a loop over the lanes of a tile.

In a tile every number of a state, every column of a bar and every output is a row of LANES numbers, one per symbol.
A kernel sees what it sees of a single symbol. Where its source is straight (no loop, no row that is read on a condition
only) the compiler makes the loop over the lanes one over vectors; where it is not, the loop stays as it is. The bits
are the same in any case: additions and multiplications are not contracted or reordered.
"""

from collections.abc import Callable
from typing import Any, Final

from numba import cfunc, types
from numba.np.numpy_support import carray

from streams.engine.bars import ROW_WIDTH
from streams.engine.kernels.kernel import (
    Prepare,
    Step,
    When,
    cached,
    floats_at,
    ints_at,
    preparation,
    source_digest,
)
from streams.engine.lanes.loops import (
    Shape,
    flags_of_loops,
    loop_of,
    over_lanes,
    parameters_at,
    prepare_lanes,
)

LANES: Final = 64

# For the compiler, which likes a constant: no array has more rows, and no kernel counts from the end of one.
MANY: Final = 1 << 20

# A node's record in a tile's table, all int64: addresses, and how many rows of numbers there are.
RUN, NODE_P, NODE_F, NODE_FLOATS, NODE_I, NODE_INTS, NODE_OUT, NODE_WIDTH, NODE_BARS = range(9)
LANE_RECORD: Final = 9


_ENTRY: Final = types.void(types.int64, types.int64, types.int64, types.int64)


def _entry(
    step: Step, when: When, prepare: Prepare, shape: tuple[int, int, int, int], source: int
) -> Callable[[int, int, int, int], None]:
    """The C function that runs `step` on row `t` of the first `count` lanes. `source` is part of numba's cache key,
    nothing else.
    """
    parameters, width, floats, ints = shape

    def entry(node: int, t: int, count: int, unused: int) -> None:
        if source == 0:
            return
        k = carray(ints_at(node), (LANE_RECORD,))
        bars = carray(floats_at(k[NODE_BARS]), (MANY, ROW_WIDTH, LANES))
        p = parameters_at(k[NODE_P], parameters)
        f = carray(floats_at(k[NODE_F]), (MANY, LANES))
        i = carray(ints_at(k[NODE_I]), (MANY, LANES))
        out = carray(floats_at(k[NODE_OUT]), (MANY, LANES))
        over_lanes(step, when, prepare, width, floats, ints, t, count, bars, p, f, i, out)

    return entry


_compiled: dict[tuple[Step, Shape], Any] = {}


def lanes_address_of(step: Step, shape: Shape) -> int:
    """Address of `step` over lanes; compiled, or loaded, at the first call."""
    if (step, shape) not in _compiled:
        before = preparation(step)
        loop = loop_of(step, *before, *shape[1:])
        source = source_digest(step, *before, loop, prepare_lanes, flags_of_loops)
        _compiled[step, shape] = cached(
            lambda **on_disk: cfunc(_ENTRY, error_model="numpy", **on_disk),
            _entry(step, *before, shape, source),
        )
    return int(_compiled[step, shape].address)
