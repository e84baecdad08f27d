"""Crontab lines: what they mean, what is refused, and local times that do not exist or come twice (law 1)."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.conditions import ConditionError, Schedule
from streams.engine.conditions.cron import Instants, cron_of, zone_of
from tests.streams.engine import naive_cron

MINUTE = 60_000


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def told(cron: str, tz: str, after: str, count: int) -> list[str]:
    """The next `count` instants after `after`, in UTC."""
    instants, at, found = Instants(Schedule(cron, tz)), ms(after), []
    for _ in range(count):
        at = instants.after(at)
        found.append(datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d %H:%M"))
    return found


@pytest.mark.parametrize(
    "cron, tz, after, expected",
    [
        ("0 9 * * MON", "Europe/Berlin", "2026-03-20T00:00Z", ["2026-03-23 08:00", "2026-03-30 07:00"]),
        ("0 9 * * *", "UTC", "2026-03-20T09:00Z", ["2026-03-21 09:00"]),
        ("*/20 22-23/1 * * *", "UTC", "2026-03-20T22:30Z", ["2026-03-20 22:40", "2026-03-20 23:00"]),
        ("0 0 29 2 *", "UTC", "2097-01-01T00:00Z", ["2104-02-29 00:00"]),
        # Both day fields restricted: either counts. One that begins with * restricts together with the other.
        ("0 0 13 * FRI", "UTC", "2026-02-01T00:00Z", ["2026-02-06 00:00", "2026-02-13 00:00", "2026-02-20 00:00"]),
        ("0 0 13 * *", "UTC", "2026-02-01T00:00Z", ["2026-02-13 00:00", "2026-03-13 00:00"]),
        ("0 0 */2 * FRI", "UTC", "2026-02-01T00:00Z", ["2026-02-13 00:00", "2026-02-27 00:00"]),
        ("0 0 * * 0", "UTC", "2026-02-02T00:00Z", ["2026-02-08 00:00"]),
        ("0 0 * * 7", "UTC", "2026-02-02T00:00Z", ["2026-02-08 00:00"]),
        ("0 0 * * sat-sun", "UTC", "2026-02-02T00:00Z", ["2026-02-07 00:00", "2026-02-08 00:00"]),
        # Clocks go from 02:00 to 03:00 on 2026-03-29: 02:30 moves forward to 03:00, which is 01:00 in UTC.
        ("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00Z", ["2026-03-29 01:00", "2026-03-30 00:30"]),
        ("*/30 * * * *", "Europe/Berlin", "2026-03-29T00:30Z", ["2026-03-29 01:00", "2026-03-29 01:30"]),
        # Clocks go from 03:00 back to 02:00 on 2026-10-25: 02:30 comes twice and counts the first time.
        ("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00Z", ["2026-10-25 00:30", "2026-10-26 01:30"]),
        ("0 * * * *", "Europe/Berlin", "2026-10-24T23:30Z", ["2026-10-25 00:00", "2026-10-25 02:00"]),
        # A day that Samoa left out: its midnight moves forward to that of the next one.
        ("0 0 * * *", "Pacific/Apia", "2011-12-29T12:00Z", ["2011-12-30 10:00", "2011-12-31 10:00"]),
        # Offsets that are no whole hours; a jump at midnight.
        ("15 9 * * *", "Asia/Kathmandu", "2026-01-01T00:00Z", ["2026-01-01 03:30"]),
        ("30 0 * * *", "America/Havana", "2026-03-07T12:00Z", ["2026-03-08 05:00", "2026-03-09 04:30"]),
    ],
)  # fmt: skip
def test_instants(cron: str, tz: str, after: str, expected: list[str]) -> None:
    assert told(cron, tz, after, len(expected)) == expected


@pytest.mark.parametrize(
    "cron, reason",
    [
        ("", "five fields"),
        ("0 9 * *", "five fields"),
        ("0 0 9 * * *", "five fields"),
        ("60 9 * * *", "minute: expected 0 to 59"),
        ("0 24 * * *", "hour: expected 0 to 23"),
        ("0 9 0 * *", "day of month: expected 1 to 31"),
        ("0 9 * 13 *", "month: expected 1 to 12 or JAN"),
        ("0 9 * MON *", "month: expected 1 to 12 or JAN"),
        ("0 9 * * 8", "day of week: expected 0 to 7 or SUN"),
        ("0 9 * * MONDAY", "day of week: expected *, a number"),
        ("0 9 * * FRI-MON", "runs backwards"),
        ("30-10 9 * * *", "runs backwards"),
        ("5/10 9 * * *", "a step needs a range, as in 5-59/10"),
        ("*/0 9 * * *", "a step from 1 to 59"),
        ("*/60 9 * * *", "a step from 1 to 59"),
        ("1,,2 9 * * *", "minute: expected *"),
        ("@daily", "five fields"),
        ("0 9 L * *", "day of month: expected *"),
        ("0 9 31 4,6 *", "no day is ever"),
    ],
)
def test_what_is_no_crontab_line_is_refused(cron: str, reason: str) -> None:
    with pytest.raises(ConditionError) as refused:
        cron_of(cron)
    assert reason in refused.value.reason


@pytest.mark.parametrize("name", ["", "Berlin", "Mars/Olympus", "../UTC", "europe/berlin", "zones", "Europe"])
def test_what_is_no_time_zone_is_refused(name: str) -> None:
    with pytest.raises(ConditionError, match="no time zone"):
        zone_of(name)


def test_time_zones_are_those_of_the_locked_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONTZPATH", "/nowhere")
    zone_of.cache_clear()
    assert zone_of("Europe/Berlin").utcoffset(datetime(2026, 7, 1)) == timedelta(hours=2)  # noqa: DTZ001


WORDS = [
    st.sampled_from(["0", "*/7", "5,35", "10-20/5", "*", "59"]),
    st.sampled_from(["*", "2", "0-3", "1,2,3", "*/2", "23"]),
    st.sampled_from(["*", "*", "29", "1-7", "*/2", "25,8"]),
    st.sampled_from(["*", "3,10", "MAR-NOV", "4"]),
    st.sampled_from(["*", "*", "SUN", "7", "MON-FRI", "*/2", "0,6"]),
]
CRONS = st.tuples(*WORDS).map(" ".join)
# A day before clocks change somewhere, and a day on which nothing happens.
STARTS = st.sampled_from(
    [
        "2026-03-28T18:00Z",
        "2026-10-24T18:00Z",
        "2026-03-08T00:00Z",
        "2026-11-01T00:00Z",
        "2026-04-04T08:00Z",
        "2026-06-01T00:00Z",
    ]
)
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Havana"])


@settings(max_examples=60, deadline=None)
@given(CRONS, ZONES, STARTS)
def test_instants_are_those_found_by_looking_at_every_minute(cron: str, tz: str, start: str) -> None:
    from_ms = ms(start)
    to_ms = from_ms + 20 * 60 * MINUTE
    expected = naive_cron.instants(cron, tz, from_ms, to_ms)
    instants, found = Instants(Schedule(cron, tz)), [from_ms - 1]
    while found[-1] <= to_ms:
        found.append(instants.after(found[-1]))
    assert found[1:-1] == expected


@settings(max_examples=60, deadline=None)
@given(CRONS, ZONES, STARTS, st.lists(st.integers(0, 3_000), min_size=2, max_size=6))
def test_the_order_of_questions_does_not_matter(cron: str, tz: str, start: str, minutes: list[int]) -> None:
    asked = Instants(Schedule(cron, tz))
    for minute in minutes:
        at = ms(start) + minute * MINUTE
        assert asked.after(at) == Instants(Schedule(cron, tz)).after(at) > at


def test_instants_ascend() -> None:
    asked = Instants(Schedule("*/10 * * * *", "America/New_York"))
    found = [ms("2026-10-31T00:00Z")]
    for _ in range(300):
        found.append(asked.after(found[-1]))
    assert all(before < after for before, after in pairwise(found))
