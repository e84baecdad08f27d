"""A kernel as a loop over lanes, put together for the compiler such that the loop becomes one over vectors.

It is told what it cannot see: that bars, states and outputs do not overlap (else it would have to look at each of
dozens of rows first), and that a lane's state is a handful of numbers, which then live in registers, so that a kernel's
conditional write is a choice between two values.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

from numba import types
from numba.core import cgutils
from numba.core.compiler import Flags
from numba.extending import intrinsic
from numba.np.numpy_support import carray

from streams.engine.kernels.kernel import Prepare, Step, When, kernel
from streams.engine.kernels.rooms import room_for_floats, room_for_ints

Loop: TypeAlias = Callable[[int, int, Any, Any, Any, Any, Any], None]


class Shape(NamedTuple):
    """What is compiled in: how many parameters and outputs there are, and how many numbers of state where they are few
    and as many for all parameters; else 0, and the kernel works on the tile's rows.
    """

    parameters: int
    width: int
    floats: int
    ints: int


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


@kernel
def prepare_lanes(when: Any, prepare: Any, t: int, count: int, bars: Any, p: Any, f: Any, i: Any) -> None:
    """What has to run before the row in some lanes: mostly in none, which is seen at once."""
    due = 0
    for s in range(count):
        due |= 1 if when(t, bars[:, :, s], p, f[:, s], i[:, s]) else 0
    for s in range(count if due else 0):
        if when(t, bars[:, :, s], p, f[:, s], i[:, s]):
            prepare(t, bars[:, :, s], p, f[:, s], i[:, s])


def _in_rows(step: Step, when: When, prepare: Prepare, width: int) -> Loop:
    """One row of `count` lanes. What a kernel does not write is NaN, and so is what is not finite."""

    def in_rows(t: int, count: int, bars: Any, p: Any, f: Any, i: Any, out: Any) -> None:
        prepare_lanes(when, prepare, t, count, bars, p, f, i)
        for s in range(count):
            values = carray(room_for_floats(width), (width,))
            for c in range(width):
                values[c] = math.nan
            step(t, bars[:, :, s], p, f[:, s], i[:, s], values)
            for c in range(width):
                out[c, s] = values[c] if math.isfinite(values[c]) else math.nan

    return in_rows


def _in_registers(step: Step, when: When, prepare: Prepare, width: int, floats: int, ints: int) -> Loop:
    """The same, the state taken out of the tile's rows and put back."""

    def in_registers(t: int, count: int, bars: Any, p: Any, f: Any, i: Any, out: Any) -> None:
        prepare_lanes(when, prepare, t, count, bars, p, f, i)
        for s in range(count):
            mine_f = carray(room_for_floats(floats), (floats,))
            mine_i = carray(room_for_ints(ints), (ints,))
            values = carray(room_for_floats(width), (width,))
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

    return in_registers


def loop_of(step: Step, when: When, prepare: Prepare, width: int, floats: int, ints: int) -> Loop:
    """The loop over lanes, with the kernel in it."""
    if floats:
        return _in_registers(step, when, prepare, width, floats, ints)
    return _in_rows(step, when, prepare, width)


def flags_of_loops() -> Any:
    """As a kernel is compiled; and `noalias`, which no decorator of numba's sets."""
    flags: Any = Flags()
    flags.nrt = flags.no_cpython_wrapper = flags.no_cfunc_wrapper = True
    flags.noalias = flags.forceinline = True
    flags.enable_pyobject = flags.dbg_optnone = False
    flags.error_model = "numpy"
    return flags


def _over_lanes(
    typingctx: Any, step: Any, when: Any, prepare: Any, width: Any, floats: Any, ints: Any,
    t: Any, count: Any, bars: Any, p: Any, f: Any, i: Any, out: Any,
) -> Any:  # fmt: skip
    """The loop over `count` lanes, compiled into the caller."""
    sizes = width, floats, ints
    if not all(isinstance(size, types.IntegerLiteral) for size in sizes):
        return None
    functions = step.typing_key, when.typing_key, prepare.typing_key
    loop = loop_of(*functions, *(size.literal_value for size in sizes))
    inner = types.void(t, count, bars, p, f, i, out)

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        made = context.compile_subroutine(builder, loop, inner, flags=flags_of_loops())
        context.call_internal(builder, made.fndesc, inner, args[-len(inner.args) :])
        return context.get_dummy_value()

    return types.void(step, when, prepare, *sizes, *inner.args), generate


over_lanes: Any = intrinsic(prefer_literal=True)(_over_lanes)
