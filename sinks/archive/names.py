"""What the archive's files are called: the name says which offsets are in them, and is all the bookkeeping there is.

    <root>/klines/date=2025-05-04/p00003-00000000000000000000-00000000000000004999.parquet

A file is written under another name and renamed when it is whole, so that what exists is complete; the next offset
to archive is one behind the highest that a name tells. A file covers a stretch of one partition without a hole: records
that are not archived (ticks, forming bars, what cannot be decoded) are within it too.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

_NAME: Final = re.compile(r"p(\d{5})-(\d{20})-(\d{20})\.parquet")
_DAY: Final = re.compile(r"date=(\d{4}-\d{2}-\d{2})")


class Segment(NamedTuple):
    """Offsets first to last, both included, of one partition; `day` is ISO, in UTC. Sorts in order of offsets."""

    partition: int
    first: int
    last: int
    day: str

    @property
    def path(self) -> Path:
        """Below the folder of its kind."""
        return Path(f"date={self.day}") / f"p{self.partition:05d}-{self.first:020d}-{self.last:020d}.parquet"

    def covers(self, other: "Segment") -> bool:
        """Whether all that is in `other` is in here too."""
        return self.partition == other.partition and self.first <= other.first and other.last <= self.last


def segment_of(path: Path) -> Segment | None:
    """The segment that a file's name tells; None for a file that is none of ours."""
    name, day = _NAME.fullmatch(path.name), _DAY.fullmatch(path.parent.name)
    if name is None or day is None:
        return None
    partition, first, last = map(int, name.groups())
    return Segment(partition, first, last, day[1])


def day_of(time_ms: int) -> str:
    """The UTC day of an instant."""
    return f"{datetime.fromtimestamp(time_ms / 1_000, UTC):%Y-%m-%d}"


def split(segments: Iterable[Segment]) -> tuple[list[Segment], list[Segment]]:
    """(the segments to read, those that are covered by another of them), each in order of partition and offset.

    A covered one is what a merge that was cut short has left behind.
    """
    kept: list[Segment] = []
    covered: list[Segment] = []
    for segment in sorted(segments, key=lambda s: (s.partition, s.first, -s.last)):
        (covered if kept and kept[-1].covers(segment) else kept).append(segment)
    return kept, covered
