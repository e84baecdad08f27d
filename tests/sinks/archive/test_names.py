"""A segment's name tells everything, and what a merge left behind is not read twice."""

from pathlib import Path

import pytest

from sinks.archive.names import Segment, day_of, segment_of, split

DAY = "2025-05-04"


def test_a_name_is_read_back() -> None:
    segment = Segment(3, 0, 4_999, DAY)
    assert str(segment.path) == f"date={DAY}/p00003-{0:020d}-{4999:020d}.parquet"
    assert segment_of(Path("klines") / segment.path) == segment


@pytest.mark.parametrize(
    "path",
    [
        "date=2025-05-04/notes.parquet",
        "date=2025-05-04/p00003-1-2.parquet",
        f"p00003-{0:020d}-{1:020d}.parquet",
        f"date=2025-05-04/p00003-{0:020d}-{1:020d}.parquet.unfinished",
    ],
)
def test_other_files_are_none_of_ours(path: str) -> None:
    assert segment_of(Path("klines") / path) is None


@pytest.mark.parametrize(
    "time_ms, day", [(0, "1970-01-01"), (86_399_999, "1970-01-01"), (86_400_000, "1970-01-02")]
)
def test_days_are_utc(time_ms: int, day: str) -> None:
    assert day_of(time_ms) == day


def test_parts_of_a_merged_segment_are_not_read() -> None:
    whole, parts = Segment(0, 0, 9, DAY), [Segment(0, 0, 4, DAY), Segment(0, 5, 9, DAY)]
    others = [Segment(0, 10, 12, DAY), Segment(1, 0, 9, DAY)]
    assert split([*parts, *others, whole]) == ([whole, *others], parts)
