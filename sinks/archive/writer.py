"""Records in, segments out: decode, buffer, write, merge. Knows no client; the folder is its only truth."""

import logging
from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from sinks.archive.buffer import Batch, Buffer
from sinks.archive.frames import KINDS, Kind, frame, row_of, topic_of
from sinks.archive.merging import of_days_that_are_over, of_today
from sinks.archive.store import Store
from topics.codec import Undecodable
from topics.records import Record
from topics.registry import Topics

_log = logging.getLogger("strikeline.archive")


class Source(NamedTuple):
    """One partition of a topic that is archived."""

    kind: Kind
    partition: int


class Writer:
    """`most_rows` and `longest_s`: how much a segment may hold, how long a row may wait until it is written."""

    def __init__(self, store: Store, topics: Topics, most_rows: int, longest_s: float) -> None:
        self._store = store
        self._most_rows = most_rows
        self._longest_s = longest_s
        self._specs = {topic_of(kind, topics).name: (kind, topic_of(kind, topics)) for kind in KINDS}
        self._buffers: dict[Source, Buffer] = {}
        self._days: dict[Source, str] = {}
        self.counts: Counter[str] = Counter()
        """Rows written by kind, records passed over by reason (`not archived`, an error class), holes."""
        store.clean()
        for kind in KINDS:
            for partition in range(topics.partitions):
                self._buffers[Source(kind, partition)] = Buffer(partition, store.next_offset(kind, partition))

    def positions(self) -> dict[tuple[str, int], int]:
        """By topic and partition, the offset to read next."""
        return {
            (name, partition): self._buffers[Source(kind, partition)].next_offset
            for name, (kind, _) in self._specs.items()
            for partition in sorted(source.partition for source in self._buffers if source.kind == kind)
        }

    def written(self) -> dict[tuple[str, int], int]:
        """By topic and partition, the offset up to which everything is in files."""
        kinds = {kind: name for name, (kind, _) in self._specs.items()}
        return {
            (kinds[source.kind], source.partition): buffer.written_to
            for source, buffer in self._buffers.items()
        }

    def add(self, record: Record, now_s: float) -> None:
        """Take one record, each partition's in order of offsets; one that was taken before is passed over."""
        kind, spec = self._specs[record.topic]
        source = Source(kind, record.partition)
        buffer = self._buffers[source]
        if record.offset < buffer.next_offset:
            return
        if record.offset > buffer.next_offset and spec.cleanup == "delete":
            self._hole(source, buffer, record)
            buffer = self._buffers[source]
        try:
            row = row_of(kind, record, spec)
            if row is None:
                self.counts["not archived"] += 1
        except Undecodable as refused:
            # Its reader has dead-lettered it.
            row = None
            self.counts[refused.error_class] += 1
        if ended := buffer.add(record.offset, row, now_s):
            self._write(source, ended)
        elif len(buffer) >= self._most_rows:
            self._write(source, buffer.take())

    def flush(self, now_s: float, *, everything: bool = False) -> bool:
        """Write what has waited long enough, or everything. Returns whether anything was written."""
        due = [
            source
            for source, buffer in self._buffers.items()
            if buffer.due(now_s, self._most_rows, 0 if everything else self._longest_s)
        ]
        for source in due:
            self._write(source, self._buffers[source].take())
            self._merge_today(source)
        return bool(due)

    def lost(self, positions: Mapping[tuple[str, int], int]) -> None:
        """The topics begin only at `positions`: what retention took before it was archived stays a hole."""
        for (name, partition), begin in positions.items():
            kind, spec = self._specs[name]
            source = Source(kind, partition)
            buffer = self._buffers[source]
            if begin > buffer.next_offset and buffer.next_offset and spec.cleanup == "delete":
                self._tell_hole(source, buffer.next_offset, begin)
            if begin > buffer.next_offset:
                self._buffers[source] = Buffer(partition, begin)

    def _hole(self, source: Source, buffer: Buffer, record: Record) -> None:
        """Offsets are missing between two records: the segment ends, so that its name tells no lie."""
        self._tell_hole(source, buffer.next_offset, record.offset)
        if len(buffer):
            self._write(source, buffer.take())
        self._buffers[source] = Buffer(source.partition, record.offset)

    def _tell_hole(self, source: Source, expected: int, found: int) -> None:
        self.counts["holes"] += 1
        _log.error(
            "%s[%d]: offsets %d to %d were gone before they were archived",
            source.kind, source.partition, expected, found - 1,
        )  # fmt: skip

    def _write(self, source: Source, batch: Batch) -> None:
        self._store.write(source.kind, batch.segment, frame(source.kind, batch.rows))
        self.counts[source.kind] += len(batch.rows)
        if self._days.get(source) != batch.segment.day:
            self._days[source] = batch.segment.day
            self._merge_earlier(source)

    def _merge_earlier(self, source: Source) -> None:
        for run in of_days_that_are_over(self._store.segments(source.kind, source.partition)):
            self._store.merge(source.kind, run)

    def _merge_today(self, source: Source) -> None:
        if run := of_today(self._store.segments(source.kind, source.partition)):
            self._store.merge(source.kind, run)
