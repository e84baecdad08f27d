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
from numba.core.compiler import Flags
from numba.extending import intrinsic
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


def _local(kind: Any) -> Any:
    """Room for as many numbers as the literal `count` says, in the function itself: in registers, where they are reached
    by constants only.
    """

    @intrinsic(prefer_literal=True)
    def room(typingctx: Any, count: Any) -> Any:
        if not isinstance(count, types.IntegerLiteral):
            return None

        def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            return cgutils.alloca_once(builder, context.get_value_type(kind), size=count.literal_value)

        return types.CPointer(kind)(count), generate

    return room


local_floats: Any = _local(types.float64)
local_ints: Any = _local(types.int64)


def _lanes(step: Step, when: When, prepare: Prepare, width: int, floats: int, ints: int) -> Callable[..., None]:
    """One row of `count` lanes, their states in rows. What a kernel does not write is NaN, and so is what is not finite."""

    def lanes(t: int, count: int, bars: Any, p: Any, f: Any, i: Any, out: Any) -> None:
        due = 0
        for s in range(count):
            due |= 1 if when(t, bars[:, :, s], p, f[:, s], i[:, s]) else 0
        for s in range(count if due else 0):
            if when(t, bars[:, :, s], p, f[:, s], i[:, s]):
                prepare(t, bars[:, :, s], p, f[:, s], i[:, s])
        for s in range(count):
            values = carray(local_floats(width), (width,))
            for c in range(width):
                values[c] = math.nan
            step(t, bars[:, :, s], p, f[:, s], i[:, s], values)
            for c in range(width):
                out[c, s] = values[c] if math.isfinite(values[c]) else math.nan

    def straight(t: int, count: int, bars: Any, p: Any, f: Any, i: Any, out: Any) -> None:
        due = 0
        for s in range(count):
            due |= 1 if when(t, bars[:, :, s], p, f[:, s], i[:, s]) else 0
        for s in range(count if due else 0):
            if when(t, bars[:, :, s], p, f[:, s], i[:, s]):
                prepare(t, bars[:, :, s], p, f[:, s], i[:, s])
        for s in range(count):
            mine_f = carray(local_floats(floats), (floats,))
            mine_i = carray(local_ints(ints), (ints,))
            values = carray(local_floats(width), (width,))
            for k in range(floats):
                mine_f[k] = f[k, s]
            for k in range(ints):
                mine_i[k] = i[k, s]
            for c in range(width):
                values[c] = math.nan
            step(t, bars[:, :, s], p, mine_f, mine_i, values)
            for c in range(width):
                out[c, s] = values[c] if math.isfinite(values[c]) else math.nan
            for k in range(floats):
                f[k, s] = mine_f[k]
            for k in range(ints):
                i[k, s] = mine_i[k]

    return straight if floats else lanes


def _over_lanes(
    typingctx: Any, step: Any, when: Any, prepare: Any, width: Any, floats: Any, ints: Any, t: Any, count: Any, bars: Any, p: Any,
    f: Any, i: Any, out: Any
) -> Any:
    """`_lanes` compiled into the caller, the compiler being told that bars, states and outputs do not overlap: numba
    has the flag, but no decorator that sets it.
    """
    sizes = [width, floats, ints]
    if not all(isinstance(size, types.IntegerLiteral) for size in sizes):
        return None
    function = _lanes(step.typing_key, when.typing_key, prepare.typing_key, *(size.literal_value for size in sizes))

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        flags = Flags()
        flags.nrt = flags.noalias = flags.forceinline = flags.no_cpython_wrapper = flags.no_cfunc_wrapper = True
        flags.enable_pyobject = flags.dbg_optnone = False
        flags.error_model = "numpy"
        inner = types.void(*sig.args[6:])
        made = context.compile_subroutine(builder, function, inner, flags=flags)
        context.call_internal(builder, made.fndesc, inner, args[6:])
        return context.get_dummy_value()

    return types.void(step, when, prepare, *sizes, t, count, bars, p, f, i, out), generate


over_lanes: Any = intrinsic(prefer_literal=True)(_over_lanes)


def _entry(
    step: Step, when: When, prepare: Prepare, parameters: int, width: int, floats: int, ints: int, source: int
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
        over_lanes(step, when, prepare, width, floats, ints, t, count, bars, p, f, i, out)

    return entry


_compiled: dict[tuple[Step, int, int, int, int], Any] = {}


def lanes_address_of(step: Step, parameters: int, width: int, floats: int, ints: int) -> int:
    """Address of `step` over lanes, for plans of so many parameters and outputs; compiled, or loaded, at the first
    call.
    """
    key = step, parameters, width, floats, ints
    if key not in _compiled:
        before = preparation(step)
        source = source_digest(step, *before)
        _compiled[key] = cached(
            lambda **on_disk: cfunc(_ENTRY, error_model="numpy", **on_disk),
            _entry(step, *before, parameters, width, floats, ints, source),
        )
    return int(_compiled[key].address)
