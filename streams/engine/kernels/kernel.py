"""Kernels: plain functions over numbers and flat arrays, run as they stand (the oracle) or compiled by numba.

A kernel is `step(t, bars, p, f, i, out)`: fold row `t` of `bars` (open, high, low, close, volume, open time in
epoch ms) into the state `f` (float64) and `i` (int64), given the parameters `p` (float64), and write the
outputs of that row to `out`, which comes full of NaN: "missing". It may read earlier rows as far back as its
plan's `lookback`. States begin as zeros; `i[0]` counts the rows seen, by convention. A kernel divides by
nothing that can be zero and calls nothing but `math` and other kernels, so that both ways give the same
bits: no fastmath, no libm but sqrt and floor.

Compiled, every kernel becomes one C function found by its address, and `program.py` calls a whole list of
them in one call from Python. A new indicator therefore compiles alone; nothing else is compiled again.
"""

import hashlib
import math
from collections.abc import Callable
from types import FunctionType
from typing import Any, Final, TypeAlias, TypeVar

from llvmlite import ir  # type: ignore[import-untyped]
from numba import cfunc, types
from numba.extending import intrinsic, register_jitable
from numba.np.numpy_support import carray

from streams.engine.bars import ROW_WIDTH, Floats, Ints

Step: TypeAlias = Callable[[int, Floats, Floats, Floats, Ints, Floats], None]
Prepare: TypeAlias = Callable[[int, Floats, Floats, Floats, Ints], None]
When: TypeAlias = Callable[[int, Floats, Floats, Floats, Ints], bool]
_F = TypeVar("_F", bound=Callable[..., Any])

# What one node's record in a program's table holds, all int64: see program.py.
ADDRESS, P_AT, P_LEN, F_AT, F_LEN, I_AT, I_LEN, COLUMN, WIDTH = range(9)
RECORD: Final = 9
# And what a program's block holds.
(
    BARS_AT, ROOM, OUT_AT, OUT_WIDTH, TABLE_AT, NODES, NEED_AT, USABLE_AT, CLEAN, LAST, OPENS_MS, STEP_MS,
) = range(12)  # fmt: skip
BLOCK: Final = 12


def kernel(function: _F) -> _F:
    """Mark a function as callable from compiled kernels. It is compiled into them, because handing arrays over takes as
    long as small functions do; it stays the plain function it is.
    """
    marked: _F = register_jitable(error_model="numpy", forceinline=True)(function)
    return marked


@kernel
def never(t: int, bars: Floats, p: Floats, f: Floats, i: Ints) -> bool:
    """When most steps need something before a row."""
    return False


@kernel
def always(t: int, bars: Floats, p: Floats, f: Floats, i: Ints) -> bool:
    return True


@kernel
def nothing(t: int, bars: Floats, p: Floats, f: Floats, i: Ints) -> None:
    """And what."""


_prepared: dict[Step, tuple[When, Prepare]] = {}


def prepared(by: Prepare, when: When = always) -> Callable[[Step], Step]:
    """Have `by(t, bars, p, f, i)` run before the step takes in a row for which `when` says so: what few rows need and
    what takes a loop, so that the step itself is straight and compiled code takes several symbols' rows with one
    instruction. So it asks `when`, which is straight too.
    """

    def mark(step: Step) -> Step:
        _prepared[step] = when, by
        return step

    return mark


def preparation(step: Step) -> tuple[When, Prepare]:
    """When something runs before one of the step's rows, and what."""
    return _prepared.get(step, (never, nothing))


def source_digest(*functions: Callable[..., Any]) -> int:
    """Changes with the code of `functions`, of the kernels they call, and with the constants they use.

    Part of numba's cache key: numba itself looks only at the file of the function it compiles.
    """
    digest = hashlib.sha256(repr((P_AT, COLUMN, RECORD, BARS_AT, CLEAN, LAST, BLOCK, ROW_WIDTH)).encode())
    seen: set[Any] = set()
    waiting: list[Any] = list(functions)
    while waiting:
        function = waiting.pop()
        if function in seen:
            continue
        seen.add(function)
        code = function.__code__
        digest.update(code.co_code + repr((code.co_consts, code.co_names)).encode())
        for name in code.co_names:
            used = function.__globals__.get(name)
            if isinstance(used, FunctionType):
                waiting.append(used)
            elif isinstance(used, int | float):
                digest.update(f"{name}={used!r}".encode())
    return int.from_bytes(digest.digest()[:7], "big") + 1


def _pointer(kind: Any) -> Any:
    @intrinsic
    def at(typingctx: Any, address: Any) -> Any:
        signature = types.CPointer(kind)(types.int64)

        def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            return builder.inttoptr(args[0], context.get_value_type(sig.return_type))

        return signature, generate

    return at


floats_at = _pointer(types.float64)
ints_at = _pointer(types.int64)
shorts_at = _pointer(types.int32)
bytes_at = _pointer(types.uint8)
_ENTRY: Final = types.void(types.int64, types.int64, types.int64, types.int64)


def _fetch(typingctx: Any, address: Any) -> Any:
    """Have the processor bring the line at `address` near; nothing is read, so it may be any number."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        pointer = ir.PointerType()
        flags = [ir.Constant(ir.IntType(32), flag) for flag in (0, 3, 1)]
        kind = ir.FunctionType(ir.VoidType(), [pointer] + [ir.IntType(32)] * 3)
        name = "llvm.prefetch.p0"
        found = builder.module.globals.get(name) or ir.Function(builder.module, kind, name)
        builder.call(found, [builder.inttoptr(args[0], pointer), *flags])
        return context.get_dummy_value()

    return types.void(types.int64), generate


fetch: Any = intrinsic(_fetch)


def _call_at(typingctx: Any, address: Any, block: Any, node: Any, start: Any, stop: Any) -> Any:
    """Call the C function at `address` with (block, node, start, stop)."""
    signature = types.void(*[types.int64] * 5)

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        kind = ir.FunctionType(ir.VoidType(), [ir.IntType(64)] * 4)
        builder.call(builder.inttoptr(args[0], kind.as_pointer()), args[1:])
        return context.get_dummy_value()

    return signature, generate


call_at: Any = intrinsic(_call_at)


def _entry(step: Step, when: When, prepare: Prepare, source: int) -> Callable[[int, int, int, int], None]:
    """The C function that runs `step` over rows [start, stop). `source` is part of numba's cache key, nothing
    else.
    """

    def entry(block: int, node: int, start: int, stop: int) -> None:
        if source == 0:
            return
        b = carray(ints_at(block), (BLOCK,))
        k = carray(ints_at(node), (RECORD,))
        bars = carray(floats_at(b[BARS_AT]), (b[ROOM], ROW_WIDTH))
        out = carray(floats_at(b[OUT_AT]), (b[ROOM], b[OUT_WIDTH]))
        p = carray(floats_at(k[P_AT]), (k[P_LEN],))
        f = carray(floats_at(k[F_AT]), (k[F_LEN],))
        i = carray(ints_at(k[I_AT]), (k[I_LEN],))
        for t in range(start, stop):
            row = out[t, k[COLUMN] : k[COLUMN] + k[WIDTH]]
            for c in range(k[WIDTH]):
                row[c] = math.nan
            if when(t, bars, p, f, i):
                prepare(t, bars, p, f, i)
            step(t, bars, p, f, i, row)
            for c in range(k[WIDTH]):
                if not math.isfinite(row[c]):
                    row[c] = math.nan

    return entry


_compiled: dict[Step, Any] = {}


def address_of(step: Step) -> int:
    """Address of the compiled `step`; compiled, or loaded from numba's cache, at the first call."""
    if step not in _compiled:
        before = preparation(step)
        source = source_digest(step, *before)
        _compiled[step] = cached(
            lambda **on_disk: cfunc(_ENTRY, error_model="numpy", **on_disk), _entry(step, *before, source)
        )
    return int(_compiled[step].address)


def cached(compiler: Callable[..., Any], function: Callable[..., Any]) -> Any:
    """`function` compiled, kept on disk where numba finds a folder that may be written to."""
    try:
        return compiler(cache=True)(function)
    except RuntimeError as error:
        if "cannot cache" not in str(error):
            raise
        return compiler()(function)
