"""Intervals and their buckets."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.interval import MINUTE_MS, bucket_start_ms, grid, interval_ms

DAY_MS = 1_440 * MINUTE_MS


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1_000)


@pytest.mark.parametrize(
    "interval, minutes",
    [("1m", 1), ("15m", 15), ("1h", 60), ("4h", 240), ("1d", 1_440), ("1w", 10_080), ("9999m", 9_999)],
)
def test_an_interval_has_a_length(interval: str, minutes: int) -> None:
    assert interval_ms(interval) == minutes * MINUTE_MS


@pytest.mark.parametrize(
    "text",
    ["", "m", "0m", "01m", "1", "1M", "1s", "-1m", "1 m", " 1m", "1m ", "1m\n", "10000m", "١m", "1.5h"],
)
def test_what_is_no_interval_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no interval"):
        interval_ms(text)


@pytest.mark.parametrize(
    "time, interval, opens",
    [
        ("2026-06-10T13:47:59.999", "1m", "2026-06-10T13:47"),
        ("2026-06-10T13:47:59.999", "15m", "2026-06-10T13:45"),
        ("2026-06-10T13:47:59.999", "4h", "2026-06-10T12:00"),
        ("2026-06-10T13:47:59.999", "1d", "2026-06-10"),
        ("2026-06-10T13:47", "1w", "2026-06-08"),  # a Wednesday: its week began on Monday the 8th
        ("2026-06-08T00:00", "1w", "2026-06-08"),
        ("2026-06-07T23:59:59.999", "1w", "2026-06-01"),
        ("1970-01-01", "1w", "1969-12-29"),
        ("1970-01-05", "1w", "1970-01-05"),
    ],
)
def test_a_time_lies_in_its_bucket(time: str, interval: str, opens: str) -> None:
    assert bucket_start_ms(ms(time), interval) == ms(opens)


@given(st.integers(0, ms("2100-01-01")), st.sampled_from(["1m", "7m", "45m", "3h", "1d", "3d", "1w", "2w"]))
def test_buckets_tile_the_time(time_ms: int, interval: str) -> None:
    start = bucket_start_ms(time_ms, interval)
    assert start <= time_ms < start + interval_ms(interval)
    assert bucket_start_ms(start, interval) == start
    assert bucket_start_ms(start + interval_ms(interval), interval) == start + interval_ms(interval)


@given(st.integers(0, ms("2100-01-01")))
def test_weeks_open_on_monday_at_midnight(time_ms: int) -> None:
    opened = datetime.fromtimestamp(bucket_start_ms(time_ms, "1w") // 1_000, UTC)
    assert (opened.isoweekday(), opened.hour, opened.minute) == (1, 0, 0)


def test_only_weeks_are_shifted() -> None:
    assert grid("1d") == (DAY_MS, 0)
    assert grid("1w") == (7 * DAY_MS, 4 * DAY_MS)
