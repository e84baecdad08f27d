"""Kernels over many symbols at once: the same `step`, compiled as a loop over the lanes of a tile.

In a tile every number of a state, every column of a bar and every output is a row of LANES numbers, one per symbol.
A kernel sees through views what it sees of a single symbol. Where its source is straight (no loop, no row that is read
on a condition only) the compiler makes the loop over the lanes one over vectors; where it is not, the loop stays as it
is. The bits are the same in any case: additions and multiplications are not contracted or reordered.
"""

import math
from collections.abc import Callable
from typing import Any, Final

from numba import cfunc, types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.numpy_support import carray

from streams.engine.bars import ROW_WIDTH
from streams.engine.kernels.kernel import (
    Prepare,
    Step,
    cached,
    floats_at,
    ints_at,
    preparation,
    source_digest,
)

LANES: Final = 64

# For the compiler, which likes a constant: no array has more rows, and no kernel counts from the end of one.
MANY: Final = 1 << 20

# A node's record in a tile's table, all int64: addresses, and how many rows of numbers there are.
RUN, NODE_P, NODE_F, NODE_FLOATS, NODE_I, NODE_INTS, NODE_OUT, NODE_WIDTH, NODE_BARS = range(9)
LANE_RECORD: Final = 9


_ENTRY: Final = types.void(types.int64, types.int64, types.int64, types.int64)


def _parameters_at(typingctx: Any, address: Any, count: Any) -> Any:
    """As many floats as the literal `count` says, as a tuple: what cannot change while states are written."""
    if not isinstance(count, types.IntegerLiteral):
        return None
    kind = types.UniTuple(types.float64, count.literal_value)

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        numbers = builder.inttoptr(args[0], context.get_value_type(types.CPointer(types.float64)))
        found = [builder.load(cgutils.gep(builder, numbers, k)) for k in range(kind.count)]
        return context.make_tuple(builder, kind, found)

    return kind(types.int64, count), generate


parameters_at: Any = intrinsic(_parameters_at)


def _entry(
    step: Step, prepare: Prepare, parameters: int, source: int
) -> Callable[[int, int, int, int], None]:
    """The C function that runs `step` on row `t` of the first `count` lanes. `source` is part of numba's cache key,
    nothing else.
    """

    def entry(node: int, t: int, count: int, unused: int) -> None:
        if source == 0:
            return
        k = carray(ints_at(node), (LANE_RECORD,))
        bars = carray(floats_at(k[NODE_BARS]), (MANY, ROW_WIDTH, LANES))
        p = parameters_at(k[NODE_P], parameters)
        f = carray(floats_at(k[NODE_F]), (MANY, LANES))
        i = carray(ints_at(k[NODE_I]), (MANY, LANES))
        out = carray(floats_at(k[NODE_OUT]), (MANY, LANES))
        flat = carray(floats_at(k[NODE_OUT]), (MANY,))
        numbers = k[NODE_WIDTH] * LANES
        for s in range(count):
            prepare(t, bars[:, :, s], p, f[:, s], i[:, s])
        for c in range(numbers):
            flat[c] = math.nan
        for s in range(count):
            step(t, bars[:, :, s], p, f[:, s], i[:, s], out[:, s])
        for c in range(numbers):
            flat[c] = flat[c] if math.isfinite(flat[c]) else math.nan

    return entry


_compiled: dict[tuple[Step, int], Any] = {}


def lanes_address_of(step: Step, parameters: int) -> int:
    """Address of `step` over lanes, for plans of so many parameters; compiled, or loaded, at the first call."""
    if (step, parameters) not in _compiled:
        before = preparation(step)
        source = source_digest(step, before)
        _compiled[step, parameters] = cached(
            lambda **on_disk: cfunc(_ENTRY, error_model="numpy", **on_disk),
            _entry(step, before, parameters, source),
        )
    return int(_compiled[step, parameters].address)
