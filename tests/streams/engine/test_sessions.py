"""Sessions as kernels tell them, against Python's calendar."""

import math
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.conditions import ANCHORS, MAX_MS
from streams.engine.bars import ROW_WIDTH, TIME, Floats
from streams.engine.kernels.sessions import (
    DAY,
    MONTH,
    NONE,
    STATE,
    WEEK,
    begins,
    counts,
    reach,
    session_start,
)

HOUR: Final = 3_600_000
# A Thursday at noon, the last day of February of a leap year.
LEAP: Final = int(datetime(2024, 2, 29, 12, tzinfo=UTC).timestamp()) * 1_000


def by_calendar(time_ms: int, anchor: int) -> int:
    day = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=time_ms)).replace(
        hour=0, minute=0, second=0, microsecond=0
    )
    if anchor == WEEK:
        day -= timedelta(days=day.weekday())
    elif anchor == MONTH:
        day = day.replace(day=1)
    return (day - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


@given(st.integers(0, MAX_MS), st.sampled_from([DAY, WEEK, MONTH]))
def test_a_session_begins_when_the_calendar_says(time_ms: int, anchor: int) -> None:
    start = session_start(time_ms, anchor)
    assert start == by_calendar(time_ms, anchor)
    assert session_start(start, anchor) == start
    assert session_start(start - 1, anchor) < start


def test_words_mean_what_the_kernel_takes_them_for() -> None:
    assert ANCHORS == {"day": DAY, "week": WEEK, "month": MONTH}


def asked(times: list[int], anchor: int, bar_ms: int = HOUR) -> list[tuple[bool, bool, float]]:
    """(begins, counts, reach) row by row, as a kernel asks."""
    bars: Floats = np.zeros((len(times), ROW_WIDTH))
    bars[:, TIME] = times
    i = np.zeros(STATE + 1, np.int64)
    return [(begins(t, bars, anchor, bar_ms, i, 1), counts(i, 1), reach(i, 1)) for t in range(len(times))]


def same(found: list[tuple[bool, bool, float]], wanted: list[tuple[bool, bool, float]]) -> bool:
    return repr(found) == repr(wanted)


def test_sums_begin_anew_at_the_first_bar_of_a_day_and_reach_back_to_it() -> None:
    day = LEAP + 12 * HOUR
    times = [day - 2 * HOUR, day - HOUR, day, day + HOUR, day + 24 * HOUR]
    missing = math.nan  # it began before the first bar there is
    assert same(
        asked(times, DAY),
        [
            (True, True, missing),
            (False, True, missing),
            (True, True, 1.0),
            (False, True, 2.0),
            (True, True, 1.0),
        ],
    )


def test_a_day_whose_first_bars_never_came_may_not_be_used() -> None:
    day = LEAP + 12 * HOUR
    found = asked([day - 3 * HOUR, day - 2 * HOUR, day + 4 * HOUR, day + 5 * HOUR], DAY)
    assert [begun for begun, _, _ in found] == [True, False, True, False]
    assert all(math.isnan(rows) for _, _, rows in found)


def test_a_bar_that_straddles_midnight_belongs_to_the_day_before() -> None:
    times = [LEAP + 7 * HOUR * k for k in range(5)]  # 12:00, 19:00, 02:00, 09:00, 16:00
    found = asked(times, DAY, 7 * HOUR)
    assert [begun for begun, _, _ in found] == [True, False, True, False, False]
    assert [rows for _, _, rows in found][2:] == [1.0, 2.0, 3.0]


@pytest.mark.parametrize("anchor, begun", [(WEEK, 3), (MONTH, 0)])
def test_weeks_begin_on_monday_and_months_on_the_first(anchor: int, begun: int) -> None:
    day = LEAP + 12 * HOUR  # Friday, 1 March 2024
    times = [day + 24 * HOUR * k for k in range(14)]
    first = [k for k, (yes, _, rows) in enumerate(asked(times, anchor, 24 * HOUR)) if yes and rows == 1.0]
    assert first[0] == begun
    assert len(first) == (2 if anchor == WEEK else 1)


def test_an_instant_counts_from_the_first_bar_at_or_after_it() -> None:
    times = [LEAP + HOUR * k for k in range(4)]
    found = asked(times, LEAP + HOUR + 1)
    assert [(begun, counted) for begun, counted, _ in found] == [
        (False, False), (False, False), (True, True), (False, True),
    ]  # fmt: skip


def test_without_an_anchor_everything_is_one_session() -> None:
    found = asked([LEAP, LEAP + HOUR, LEAP + 24 * HOUR], NONE)
    assert [(begun, counted) for begun, counted, _ in found] == [(True, True), (False, True), (False, True)]
