"""Which segments become one."""

from sinks.archive.merging import RUN, of_days_that_are_over, of_today
from sinks.archive.names import Segment


def test_a_day_that_is_over_becomes_one_segment() -> None:
    old = [Segment(0, n, n, "2025-05-04") for n in range(3)]
    assert of_days_that_are_over([*old, Segment(0, 3, 3, "2025-05-05")]) == [old]


def test_a_day_of_one_segment_is_left_alone() -> None:
    assert of_days_that_are_over([Segment(0, 0, 5, "2025-05-04"), Segment(0, 6, 9, "2025-05-05")]) == []


def test_segments_are_not_merged_over_a_hole() -> None:
    first, second = Segment(0, 0, 1, "2025-05-04"), Segment(0, 2, 3, "2025-05-04")
    behind = Segment(0, 7, 8, "2025-05-04")
    assert of_days_that_are_over([first, second, behind, Segment(0, 9, 9, "2025-05-05")]) == [[first, second]]


def test_todays_are_merged_when_there_are_many() -> None:
    today = [Segment(0, n, n, "2025-05-04") for n in range(RUN)]
    assert of_today(today[:-1]) == []
    assert of_today(today) == today
    assert of_today([]) == []
