"""Bars read back from a topic, laid out as a market had them: each once, short gaps filled flat, long ones
marked.
"""

from dataclasses import dataclass

import numpy as np

from streams.engine.bars import CLOSE, TIME, VOLUME, BarArrays, Floats


@dataclass(frozen=True)
class Layout:
    """Consecutive rows of a frame; `runs` (row, open time) as in Timeline; `filled` rows are stand-ins."""

    rows: Floats
    runs: list[tuple[int, int]]
    filled: list[int]


def lay_out(bars: BarArrays, step_ms: int, fill_up_to: int, upto_ms: int | None = None) -> Layout:
    """Lay out accepted, non-empty bars; with `upto_ms`, the open time of the bar that follows, also what lies
    between.
    """
    times = bars.open_time_ms if upto_ms is None else np.append(bars.open_time_ms, upto_ms)
    missing = np.diff(times) // step_ms - 1
    fills = np.where(missing <= fill_up_to, missing, 0)
    if upto_ms is None:
        fills = np.append(fills, 0)
    repeats = fills + 1
    rows = np.repeat(bars.rows(), repeats, axis=0)
    real = np.concatenate(([0], np.cumsum(repeats)[:-1]))
    is_filled = np.ones(len(rows), bool)
    is_filled[real] = False
    rows[is_filled, :VOLUME] = rows[is_filled, CLOSE][:, None]
    rows[is_filled, VOLUME] = 0.0
    rows[:, TIME] += (np.arange(len(rows)) - np.repeat(real, repeats)) * step_ms
    gaps = np.flatnonzero(missing[: len(bars) - 1] > fill_up_to) + 1
    runs = [(0, int(times[0])), *((int(real[k]), int(times[k])) for k in gaps)]
    return Layout(rows, runs, [int(k) for k in np.flatnonzero(is_filled)])
