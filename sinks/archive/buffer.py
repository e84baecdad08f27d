"""What was read and is not written yet, per kind and partition, and when it is time to write. Pure: told the time."""

from typing import NamedTuple

from sinks.archive.frames import Row
from sinks.archive.names import Segment, day_of


class Batch(NamedTuple):
    """Rows to be written as one segment."""

    segment: Segment
    rows: list[Row]


class Buffer:
    """Records of one partition from offset `first` on.

    A segment is of one day, that of its latest row: a bar of an earlier day that comes late goes with the day in which
    it came, so that segments follow each other without a hole.
    """

    def __init__(self, partition: int, first: int) -> None:
        self._partition = partition
        self._first = first
        self._next = first
        self._day = ""
        self._since_s = 0.0
        self._rows: list[Row] = []

    @property
    def next_offset(self) -> int:
        """The offset behind the last record that was added."""
        return self._next

    @property
    def written_to(self) -> int:
        """The offset behind the last record that was taken."""
        return self._first

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, offset: int, row: Row | None, now_s: float) -> Batch | None:
        """The next record, with its row if it has one. Returns what has to be written before: another day begins."""
        ended: Batch | None = None
        if row is not None:
            day = max(self._day, day_of(row.time_ms))
            if self._rows and day != self._day:
                ended = self.take()
            if not self._rows:
                self._since_s = now_s
            self._day = day
            self._rows.append(row)
        self._next = offset + 1
        return ended

    def due(self, now_s: float, most_rows: int, longest_s: float) -> bool:
        """Whether there are that many rows, or the first has waited that long."""
        return bool(self._rows) and (len(self._rows) >= most_rows or now_s - self._since_s >= longest_s)

    def take(self) -> Batch:
        """All that was added, to be written. Only where there are rows."""
        batch = Batch(Segment(self._partition, self._first, self._next - 1, self._day), self._rows)
        self._first, self._rows = self._next, []
        return batch
