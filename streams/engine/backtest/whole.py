"""Indicators over whole columns: the engine's own kernels, driven over columns instead of rows.

A column is read in one stream, where rows would drag the other five numbers of every bar along; the kernel is put into
the loop itself, and a small state stands on the stack, so that it lives in the processor's registers: eight times as
fast as a call per row. The arithmetic is the same source, so the values are the same bits (a test holds both against
each other).
"""

import math
from collections.abc import Callable
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
from numba import cfunc, njit, types
from numba.extending import overload
from numba.np.numpy_support import carray, farray

from streams.engine.backtest.candles import Candles
from streams.engine.bars import ROW_WIDTH, Floats, Ints
from streams.engine.kernels.kernel import (
    Step,
    cached,
    call_at,
    floats_at,
    ints_at,
    never,
    preparation,
    source_digest,
)
from streams.engine.kernels.rooms import room_for_floats, room_for_ints
from streams.engine.market.nodes import Node

_ENTRY: Final = types.void(types.int64, types.int64, types.int64, types.int64)
_BARS, _OUT, _ROWS, _P, _F, _I, _P_LEN, _F_LEN, _I_LEN = range(9)
_BLOCK: Final = 9
_SMALL: Final = 64
"""Numbers of state that are put on the stack."""


class _Sizes(NamedTuple):
    """How long a node's arrays are; compiled in."""

    p: int
    f: int
    i: int
    width: int

    @property
    def small(self) -> bool:
        """Do parameters and state fit the stack? Sizes of 0 stand for any that do not."""
        return 0 < self.p + self.f + self.i <= _SMALL


def _inlined(step: Step) -> Step:
    """A name under which compiled code puts `step`, and what it has done before each row, in place."""
    when, prepare = preparation(step)

    def both(t: int, bars: Floats, p: Floats, f: Floats, i: Ints, out: Floats) -> None:
        if when(t, bars, p, f, i):
            prepare(t, bars, p, f, i)
        step(t, bars, p, f, i, out)

    def placed(t: int, bars: Floats, p: Floats, f: Floats, i: Ints, out: Floats) -> None:
        both(t, bars, p, f, i, out)

    def body(t: Any, bars: Any, p: Any, f: Any, i: Any, out: Any) -> Any:
        return step if when is never else both

    overload(placed, inline="always", strict=False, jit_options={"error_model": "numpy"})(body)
    return placed


_Entry: TypeAlias = Callable[[int, int, int, int], None]


def _entry(step: Step, sizes: _Sizes, source: int) -> _Entry:
    """The C function that runs `step` over rows [start, stop). `source` is part of numba's cache key, nothing else."""
    placed = _inlined(step)
    return _on_stack(placed, sizes, source) if sizes.small else _in_memory(placed, sizes.width, source)


def _on_stack(placed: Step, sizes: _Sizes, source: int) -> _Entry:
    p_len, f_len, i_len, width = sizes

    def on_stack(block: int, unused: int, start: int, stop: int) -> None:
        if source == 0:
            return
        b = carray(ints_at(block), (_BLOCK,))
        bars = farray(floats_at(b[_BARS]), (b[_ROWS], ROW_WIDTH))
        out = carray(floats_at(b[_OUT]), (width, b[_ROWS]))
        given = carray(floats_at(b[_P]), (p_len,))
        p = carray(room_for_floats(p_len), (p_len,))
        for k in range(p_len):
            p[k] = given[k]
        f = carray(room_for_floats(f_len), (f_len,))
        for k in range(f_len):
            f[k] = 0.0
        i = carray(room_for_ints(i_len), (i_len,))
        for k in range(i_len):
            i[k] = 0
        row = carray(room_for_floats(width), (width,))
        for t in range(start, stop):
            for c in range(width):
                row[c] = math.nan
            placed(t, bars, p, f, i, row)
            for c in range(width):
                out[c, t] = row[c] if math.isfinite(row[c]) else math.nan

    return on_stack


def _in_memory(placed: Step, width: int, source: int) -> _Entry:
    def in_memory(block: int, unused: int, start: int, stop: int) -> None:
        if source == 0:
            return
        b = carray(ints_at(block), (_BLOCK,))
        bars = farray(floats_at(b[_BARS]), (b[_ROWS], ROW_WIDTH))
        out = carray(floats_at(b[_OUT]), (width, b[_ROWS]))
        p = carray(floats_at(b[_P]), (b[_P_LEN],))
        f = carray(floats_at(b[_F]), (b[_F_LEN],))
        i = carray(ints_at(b[_I]), (b[_I_LEN],))
        row = carray(room_for_floats(width), (width,))
        for t in range(start, stop):
            for c in range(width):
                row[c] = math.nan
            placed(t, bars, p, f, i, row)
            for c in range(width):
                out[c, t] = row[c] if math.isfinite(row[c]) else math.nan

    return in_memory


_compiled: dict[tuple[Step, _Sizes], Any] = {}


@njit("void(int64, int64, int64, int64)", cache=True, error_model="numpy")
def _run(address: int, block: int, start: int, stop: int) -> None:
    call_at(address, block, 0, start, stop)


def _address_of(step: Step, sizes: _Sizes) -> int:
    if not sizes.small:
        sizes = _Sizes(0, 0, 0, sizes.width)  # read at run time: one compiled function serves every window
    key = (step, sizes)
    if key not in _compiled:
        _compiled[key] = cached(
            lambda **on_disk: cfunc(_ENTRY, error_model="numpy", **on_disk),
            _entry(step, sizes, source_digest(step, *preparation(step)) + 1),
        )
    return int(_compiled[key].address)


def over(node: Node, candles: Candles) -> Floats:
    """Every column of `node` at every row of the base timeframe, as defined: float64[width, n], NaN where missing."""
    node.reset()
    node.p[np.isnan(node.p)] = candles.step_ms  # see Plan
    count = len(candles)
    out = np.empty((node.width, count))
    sizes = _Sizes(len(node.p), len(node.f), len(node.i), node.width)
    at = [array.ctypes.data for array in (candles.columns, out, node.p, node.f, node.i)]
    block = np.array([*at[:2], count, *at[2:], sizes.p, sizes.f, sizes.i], np.int64)
    address = _address_of(node.step, sizes)
    _run(address, block.ctypes.data, 0, count)
    return out
