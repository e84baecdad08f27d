"""Numbers and times of bars, and how bars read back are laid out, against plain lists."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from streams.engine.bars import BarArrays
from streams.engine.market.layout import lay_out
from streams.engine.market.timeline import Timeline

steps = st.lists(st.sampled_from([1] * 6 + [2, 3, 9]), min_size=1, max_size=30)


@given(steps, st.data())
def test_every_bar_is_found_at_its_time_and_every_time_at_its_bar(
    skips: list[int], data: st.DataObject
) -> None:
    timeline, opens = Timeline(10), []
    opened = 100
    for index, skip in enumerate(skips):
        if index == 0 or skip > 1:
            opened += 10 * (skip - 1)
            timeline.begin_run(index, opened)
        opens.append(opened)
        opened += 10
    forgotten = data.draw(st.integers(0, len(opens) - 1))
    timeline.forget_before(forgotten)
    assert [timeline.open_time_ms(i) for i in range(forgotten, len(opens))] == opens[forgotten:]
    for time_ms in range(opens[forgotten], opens[-1] + 25, 5):
        wanted = next((i for i, at in enumerate(opens) if at >= time_ms), len(opens))
        assert timeline.index_at_or_after(time_ms, len(opens)) == wanted


@given(steps, st.integers(0, 4))
def test_short_gaps_are_filled_and_long_ones_begin_a_run(skips: list[int], fill_up_to: int) -> None:
    times = np.cumsum(skips) * 10
    bars = BarArrays(times, np.arange(5.0 * len(times)).reshape(-1, 5))
    filled: list[int] = []
    rows, runs = bars.rows()[:1].tolist(), [(0, int(times[0]))]
    for k in range(1, len(times)):
        missing = skips[k] - 1
        if missing > fill_up_to:
            runs.append((len(rows), int(times[k])))
        else:
            filled += range(len(rows), len(rows) + missing)
            opens = range(int(times[k - 1]) + 10, int(times[k]), 10)
            rows += [[bars.ohlcv[k - 1, 3]] * 4 + [0.0, float(opened)] for opened in opens]
        rows.append(bars.rows()[k].tolist())
    layout = lay_out(bars, 10, fill_up_to)
    assert layout.rows.tolist() == rows
    assert (layout.runs, layout.filled) == (runs, filled)


@given(st.lists(st.integers(0, 30), max_size=30), st.integers(0, 30), st.integers(0, 30))
def test_of_bars_read_back_each_counts_once_and_none_that_came_late(
    times: list[int], first: int, end: int
) -> None:
    bars = BarArrays(np.array(times, np.int64), np.arange(5.0 * len(times)).reshape(-1, 5))
    wanted: list[int] = []
    for k, at in enumerate(times):
        if first <= at < end and all(at > times[other] for other in wanted):
            wanted.append(k)
    kept = bars.accepted(first, end)
    assert kept.open_time_ms.tolist() == [times[k] for k in wanted]
    assert kept.ohlcv.tolist() == bars.ohlcv[wanted].tolist()
