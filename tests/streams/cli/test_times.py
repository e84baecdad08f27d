"""Times as people write and read them."""

import pytest

from streams.cli.amounts import money, short
from streams.cli.errors import Invalid
from streams.cli.times import parse_time, show_span, show_time


@pytest.mark.parametrize(
    "text, expected",
    [
        ("1700000040000", 1_700_000_040_000),
        ("2023-11-14", 1_699_920_000_000),
        ("2023-11-14T22:14", 1_700_000_040_000),
        ("2023-11-14T22:14:00Z", 1_700_000_040_000),
        ("2023-11-14T23:14:00+01:00", 1_700_000_040_000),
        ("2023-11-14 22:14:00.5", 1_700_000_040_500),
    ],
)
def test_times_are_utc_unless_they_say_otherwise(text: str, expected: int) -> None:
    assert parse_time(text) == expected


@pytest.mark.parametrize("text", ["", "yesterday", "14.11.2023", "2023-13-01", "9" * 15, "9" * 5_000])
def test_what_is_no_time_is_refused_with_the_option(text: str) -> None:
    with pytest.raises(Invalid, match="--from: "):
        parse_time(text, "--from")


@pytest.mark.parametrize(
    "ms, shown",
    [
        (0, "0 s"),
        (45_000, "45 s"),
        (600_000, "10 min"),
        (7_800_000, "2 h 10 min"),
        (200_000_000, "2 d 7 h"),
        (-5_000, "-5 s"),
    ],
)
def test_spans_have_two_units_at_most(ms: int, shown: str) -> None:
    assert show_span(ms) == shown


def test_times_show_seconds_only_where_there_are_any() -> None:
    assert [show_time(t) for t in (1_700_000_040_000, 1_700_000_041_000, None)] == [
        "2023-11-14 22:14", "2023-11-14 22:14:01", "–",
    ]  # fmt: skip


def test_amounts_are_rounded_for_people_only() -> None:
    assert [short("0.000012345678912"), short("1050.000"), short(None)] == ["0.000012345679", "1050", None]
    assert money("1234.565") == "1,234.56"
