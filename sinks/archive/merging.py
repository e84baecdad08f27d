"""Which segments to merge: files written every few minutes are many and small. Pure."""

from collections.abc import Sequence
from itertools import groupby
from typing import Final

from sinks.archive.names import Segment

RUN: Final = 24
"""So many segments of the day that is not over yet become one."""


def of_days_that_are_over(segments: Sequence[Segment]) -> list[list[Segment]]:
    """Everything of a partition's earlier days, each day in one; `segments` are one partition's, in order."""
    newest = max((segment.day for segment in segments), default="")
    return [run for run in _runs(segments) if run[0].day != newest and len(run) > 1]


def of_today(segments: Sequence[Segment]) -> list[Segment]:
    """The neighbours at the end of the newest day, once there are `RUN` of them.

    What was merged counts as one of them: a day of a flush every five minutes is rewritten a dozen times.
    """
    runs = _runs(segments)
    if not runs or len(runs[-1]) < RUN:
        return []
    return runs[-1]


def _runs(segments: Sequence[Segment]) -> list[list[Segment]]:
    """Neighbours of one day that follow each other without a hole."""
    found: list[list[Segment]] = []
    for _, day in groupby(segments, key=lambda segment: segment.day):
        run: list[Segment] = []
        for segment in day:
            if run and segment.first != run[-1].last + 1:
                found.append(run)
                run = []
            run.append(segment)
        found.append(run)
    return found
