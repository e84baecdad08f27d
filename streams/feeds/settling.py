"""Law 2 over records as they come, and their bars put together by symbol: compiled."""

from collections.abc import Callable
from functools import cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from streams.engine.bars import ROW_WIDTH, TIME, Floats, Ints
from streams.engine.kernels.kernel import kernel, source_digest
from streams.engine.kernels.program import compile_function
from streams.feeds.spelling import BAR
from streams.feeds.words import put_float

Kinds = NDArray[np.int8]
Ids = NDArray[np.int32]
_ROWS: Final = "float64[:, ::1]"


@kernel
def settle(kinds: Kinds, ids: Ids, rows: Floats, newest: Ints, counts: Ints, stale: Ints) -> int:
    """Bars newer than all before them of their symbol move to the front, in order; returns how many there are.

    `newest` (open time by symbol, -1 for none) and `counts` go on. The others are written to `stale`, int64[n, 2]
    (symbol, open time), whose last row says how many there are.
    """
    kept, left = 0, 0
    for i in range(len(kinds)):
        if kinds[i] != BAR:
            continue
        symbol, time_ms = ids[i], int(rows[i, TIME])
        if time_ms <= newest[symbol]:
            stale[left, 0], stale[left, 1] = symbol, time_ms
            left += 1
            continue
        newest[symbol] = time_ms
        counts[symbol] += 1
        ids[kept] = symbol
        for k in range(ROW_WIDTH):
            rows[kept, k] = rows[i, k]
        kept += 1
    stale[len(stale) - 1, 0] = left
    return kept


@kernel
def gather(ids: Ids, rows: Floats, counts: Ints, filled: Ints, columns_at: Ints) -> None:
    """Rows to the columns of their symbols: float64[6, count] at an address by symbol, of which `filled` are there."""
    for i in range(len(ids)):
        symbol = ids[i]
        place = columns_at[symbol] + 8 * filled[symbol]
        filled[symbol] += 1
        for k in range(ROW_WIDTH):
            put_float(place + 8 * k * counts[symbol], rows[i, k])


class Machine(NamedTuple):
    """Both, compiled."""

    settle: Callable[..., int]
    gather: Callable[..., None]


@cache
def machine() -> Machine:
    """Compiled, or from numba's cache; `source` is part of its key, nothing else."""
    source = source_digest(settle, gather)

    def settling(kinds: Kinds, ids: Ids, rows: Floats, newest: Ints, counts: Ints, stale: Ints) -> int:
        return settle(kinds, ids, rows, newest, counts, stale) if source != 0 else 0

    def gathering(ids: Ids, rows: Floats, counts: Ints, filled: Ints, columns_at: Ints) -> None:
        if source != 0:
            gather(ids, rows, counts, filled, columns_at)

    return Machine(
        compile_function(
            f"int64(int8[::1], int32[::1], {_ROWS}, int64[::1], int64[::1], int64[:, ::1])", settling
        ),
        compile_function(f"void(int32[::1], {_ROWS}, int64[::1], int64[::1], int64[::1])", gathering),
    )
