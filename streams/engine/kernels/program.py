"""Programs: all nodes of one timeframe, run by one call per bar or one call per node over many bars.

The compiled program works on addresses, because handing arrays to compiled code costs microseconds each and
an integer costs nothing. Whoever replaces an array must `bind` again; the program keeps the arrays it points
at alive.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import cache, partial
from typing import Any, NamedTuple, Protocol, TypeAlias

import numpy as np
from numba import njit
from numba.np.numpy_support import carray

from streams.engine.bars import COLUMNS, ROW_WIDTH, Floats, Ints
from streams.engine.kernels.kernel import (
    ADDRESS,
    BARS_AT,
    BLOCK,
    CLEAN,
    LAST,
    NEED_AT,
    NODES,
    OPENS_MS,
    OUT_AT,
    OUT_WIDTH,
    RECORD,
    ROOM,
    STEP_MS,
    TABLE_AT,
    USABLE_AT,
    Step,
    address_of,
    cached,
    call_at,
    floats_at,
    ints_at,
    kernel,
    source_digest,
)  # fmt: skip
from streams.engine.kernels.rows import fold_rows, mask, write_bar

Push: TypeAlias = Callable[[int, float, float, float, float, float], None]


class Runnable(Protocol):
    """What a program needs to know of a node."""

    step: Step
    p: Floats
    f: Floats
    i: Ints
    column: int
    width: int


class Program(Protocol):
    """`push` writes row `t` of `bars`, runs every node on it and leaves the usable values in `usable`.

    Row `t` opened at `opens_ms + t * step_ms`: said once, not with every bar, because an argument from Python
    costs as much as an indicator. A value is usable from row `clean + need - 1` of its column on; before, and
    where it is missing, it is NaN. A `need` of -1 - c is not a number of rows, but stands in column c.
    """

    push: Push

    @property
    def block_at(self) -> int: ...
    def bind(
        self, bars: Floats, out: Floats, need: Ints, usable: Floats, nodes: Sequence[Runnable]
    ) -> None: ...
    def set_clean(self, row: int) -> None: ...
    def set_times(self, opens_ms: int, step_ms: int) -> None: ...
    def set_last(self, row: int) -> None: ...
    def run(self, node: Runnable, start: int, stop: int) -> None: ...
    def fold(self, acc: Floats, start: int, stop: int, fresh: bool) -> None: ...


class _Machine(NamedTuple):
    push: Callable[..., None]
    run: Callable[..., None]
    fold: Callable[..., None]


@kernel
def push_bar(block: int, t: int, o: float, h: float, low: float, c: float, v: float) -> None:
    """See Program.push."""
    b = carray(ints_at(block), (BLOCK,))
    bars = carray(floats_at(b[BARS_AT]), (b[ROOM], ROW_WIDTH))
    write_bar(bars, t, o, h, low, c, v, b[OPENS_MS], b[STEP_MS])
    for n in range(b[NODES]):
        node = b[TABLE_AT] + n * RECORD * 8
        call_at(carray(ints_at(node), (RECORD,))[ADDRESS], block, node, t, t + 1)
    width = b[OUT_WIDTH]
    need = carray(ints_at(b[NEED_AT]), (width,))
    usable = carray(floats_at(b[USABLE_AT]), (width,))
    mask(carray(floats_at(b[OUT_AT]), (b[ROOM], width)), need, usable, t, b[CLEAN])
    b[LAST] = t


@cache
def _machine() -> _Machine:
    """The compiled drivers; `source` is part of numba's cache key, nothing else."""
    source = source_digest(push_bar, fold_rows)

    def push(block: int, t: int, o: float, h: float, low: float, c: float, v: float) -> None:
        if source != 0:
            push_bar(block, t, o, h, low, c, v)

    def run(block: int, node: int, start: int, stop: int) -> None:
        if source == 0:
            return
        call_at(carray(ints_at(node), (RECORD,))[ADDRESS], block, node, start, stop)

    def fold(block: int, acc: int, start: int, stop: int, fresh: bool) -> None:
        if source == 0:
            return
        b = carray(ints_at(block), (BLOCK,))
        bars = carray(floats_at(b[BARS_AT]), (b[ROOM], ROW_WIDTH))
        fold_rows(bars, carray(floats_at(acc), (COLUMNS,)), start, stop, fresh)

    return _Machine(
        compile_function("void(int64, int64, float64, float64, float64, float64, float64)", push),
        compile_function("void(int64, int64, int64, int64)", run),
        compile_function("void(int64, int64, int64, int64, boolean)", fold),
    )


def compile_function(signature: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """`function` compiled for one signature."""
    made: Callable[..., Any] = cached(
        lambda **on_disk: njit(signature, error_model="numpy", **on_disk), function
    )
    return made


class CompiledProgram:
    """The program as numba compiled it."""

    def __init__(self) -> None:
        self._machine = _machine()
        self._block = np.zeros(BLOCK, np.int64)
        self._at = self._block.ctypes.data
        self._alive: tuple[object, ...] = ()
        self.push: Push = partial(self._machine.push, self._at)

    def bind(self, bars: Floats, out: Floats, need: Ints, usable: Floats, nodes: Sequence[Runnable]) -> None:
        table = np.array([_record(node) for node in nodes], np.int64).reshape(-1, RECORD)
        self._alive = (bars, out, need, usable, table, *nodes)
        block = self._block
        block[BARS_AT], block[ROOM] = bars.ctypes.data, len(bars)
        block[OUT_AT], block[OUT_WIDTH] = out.ctypes.data, out.shape[1]
        block[TABLE_AT], block[NODES] = table.ctypes.data, len(nodes)
        block[NEED_AT], block[USABLE_AT] = need.ctypes.data, usable.ctypes.data

    @property
    def block_at(self) -> int:
        """Address of the block; it stays while the program lives."""
        return self._at

    def set_clean(self, row: int) -> None:
        self._block[CLEAN] = row

    def set_times(self, opens_ms: int, step_ms: int) -> None:
        self._block[OPENS_MS], self._block[STEP_MS] = opens_ms, step_ms

    def set_last(self, row: int) -> None:
        """The newest row, where no `push` wrote it."""
        self._block[LAST] = row

    def run(self, node: Runnable, start: int, stop: int) -> None:
        record = np.array(_record(node), np.int64)
        self._machine.run(self._at, record.ctypes.data, start, stop)

    def fold(self, acc: Floats, start: int, stop: int, fresh: bool) -> None:
        self._machine.fold(self._at, acc.ctypes.data, start, stop, fresh)


def _record(node: Runnable) -> list[int]:
    p, f, i = node.p, node.f, node.i
    at = [address_of(node.step), p.ctypes.data, len(p), f.ctypes.data, len(f), i.ctypes.data, len(i)]
    return [*at, node.column, node.width]


def compile_all(steps: Iterable[Step]) -> None:
    """Compile the drivers and these kernels, or load them from numba's cache."""
    _machine()
    for step in steps:
        address_of(step)
