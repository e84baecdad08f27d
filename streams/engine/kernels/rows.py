"""Kernels that every program runs besides its nodes: write a bar, fold bars, mask what is not usable."""

import math

from streams.engine.bars import CLOSE, COLUMNS, HIGH, LOW, OPEN, TIME, VOLUME, Floats, Ints
from streams.engine.kernels.kernel import kernel


@kernel
def fold_rows(bars: Floats, acc: Floats, start: int, stop: int, fresh: bool) -> None:
    """Fold rows [start, stop) into the higher bar `acc`, one after the other; `fresh` begins a new one."""
    for t in range(start, stop):
        if fresh:
            for column in range(COLUMNS):
                acc[column] = bars[t, column]
            fresh = False
        else:
            acc[HIGH] = max(acc[HIGH], bars[t, HIGH])
            acc[LOW] = min(acc[LOW], bars[t, LOW])
            acc[CLOSE] = bars[t, CLOSE]
            acc[VOLUME] += bars[t, VOLUME]


@kernel
def write_bar(
    bars: Floats, t: int, o: float, h: float, low: float, c: float, v: float, opens_ms: int, step_ms: int
) -> None:
    """Write row `t`; row 0 would have opened at `opens_ms`, had time gone on in steps up to this row."""
    bars[t, OPEN] = o
    bars[t, HIGH] = h
    bars[t, LOW] = low
    bars[t, CLOSE] = c
    bars[t, VOLUME] = v
    bars[t, TIME] = float(opens_ms + t * step_ms)


@kernel
def enough(out: Floats, need: int, t: int, clean: int) -> bool:
    """Whether row `t` has `need` clean rows behind it, itself included.

    A need of -1 - c stands in column c of the row itself, NaN for never: sessions differ in length.
    """
    age = t - clean + 1
    return bool(age >= need if need >= 0 else age >= out[t, -1 - need])


@kernel
def mask(out: Floats, need: Ints, usable: Floats, t: int, clean: int) -> None:
    """Copy row `t` of `out` to `usable`, NaN where fewer clean rows are behind it than are needed."""
    for column in range(len(need)):
        usable[column] = out[t, column] if enough(out, need[column], t, clean) else math.nan
