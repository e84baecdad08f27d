"""A run of bars as a market would have had them on one timeframe: short gaps filled, folded by law 3.

For whole arrays at once; `market.py` does the same bar by bar.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from schemas.interval import bucket_start_ms, interval_ms
from streams.engine.bars import COLUMNS, BarArrays, Floats, Ints
from streams.engine.errors import BadParameter
from streams.engine.kernels.program import CompiledProgram, Program
from streams.engine.market.folding import HigherFrame
from streams.engine.market.frames import Frame
from streams.engine.market.layout import Layout, lay_out


@dataclass(frozen=True)
class Series:
    """Closed bars of a timeframe: `open_time_ms` int64[n], `ohlcv` float64[n, 5].

    `real` bool[n]: whether a bar that was recorded is in it, not only stand-ins for missing ones. `gaps_ms`: open
    times of the base bars that follow a gap too long to fill; `begins_inside`: the first bar's bucket had begun
    before the first base bar.
    """

    open_time_ms: Ints
    ohlcv: Floats
    real: np.ndarray[tuple[int], np.dtype[np.bool_]]
    gaps_ms: tuple[int, ...]
    begins_inside: bool


def series(
    bars: BarArrays,
    interval: str,
    timeframe: str,
    fill_up_to: int = 5,
    programs: Callable[[], Program] = CompiledProgram,
) -> Series:
    """`bars` of `interval`, in any order law 2 allows, as bars of `timeframe`. Raises BadParameter for one that is
    no multiple of the interval.
    """
    step_ms = interval_ms(interval)
    if interval_ms(timeframe) % step_ms:
        raise BadParameter("timeframe", f"{timeframe} is no multiple of {interval}")
    bars = bars.accepted(0, 1 << 62)
    if not len(bars):
        return Series(bars.open_time_ms, bars.ohlcv, np.empty(0, np.bool_), (), begins_inside=False)
    layout = lay_out(bars, step_ms, fill_up_to)
    real = np.ones(len(layout.rows), np.bool_)
    real[layout.filled] = False
    gaps = tuple(opened for _, opened in layout.runs[1:])
    times, ohlcv = _open_times(layout, step_ms), layout.rows[:, :COLUMNS].copy()
    if timeframe == interval:
        return Series(times, ohlcv, real, gaps, begins_inside=False)
    rows = _folded(BarArrays(times, ohlcv), layout.runs, interval, timeframe, programs)
    buckets = np.array([bucket_start_ms(opened, timeframe) for opened in times.tolist()], np.int64)
    opened, first = np.unique(buckets, return_index=True)
    has_real = np.logical_or.reduceat(real, first)
    inside = int(opened[0]) != int(times[0])
    return Series(opened[: len(rows)], rows, has_real[: len(rows)], gaps, inside)


def _open_times(layout: Layout, step_ms: int) -> Ints:
    ends = [row for row, _ in layout.runs[1:]] + [len(layout.rows)]
    runs = zip(layout.runs, ends, strict=True)
    return np.concatenate([opened + step_ms * np.arange(end - row) for (row, opened), end in runs])


def _folded(
    bars: BarArrays,
    runs: list[tuple[int, int]],
    interval: str,
    timeframe: str,
    programs: Callable[[], Program],
) -> Floats:
    """The higher bars that are closed after the last base bar, float64[n, 5]."""
    step_ms, count = interval_ms(interval), len(bars)
    base = Frame(interval, programs)
    base.begin_at(count, bars.rows(), 0)
    frame = HigherFrame(timeframe, programs, base)
    ends = [row for row, _ in runs[1:]] + [count]
    for (row, opened), end in zip(runs, ends, strict=True):
        if row == 0:
            frame.begin(row, opened)
        else:
            frame.after_gap(row, opened)
        frame.close_upto(end, opened + (end - row) * step_ms, step_ms)
    return frame.rows(frame.bars, 0, frame.version)[:, :COLUMNS].copy()
