"""One partition: records in the order they were appended, under offsets that are never given twice."""

from bisect import bisect_left
from collections.abc import Callable
from operator import attrgetter

from topics.records import Outgoing, Record

_offset: Callable[[Record], int] = attrgetter("offset")


class PartitionLog:
    """Append-only; `begin` and `end` are the first offset that is kept and the next one to be given."""

    def __init__(self, topic: str, partition: int) -> None:
        self.topic = topic
        self.partition = partition
        self.begin = 0
        self.end = 0
        self._records: list[Record] = []

    def append(self, outgoing: Outgoing) -> int:
        """The offset of the new record."""
        offset = self.end
        _, key, value, timestamp_ms, headers, _ = outgoing
        self._records.append(Record(self.topic, self.partition, offset, timestamp_ms, key, value, headers))
        self.end = offset + 1
        return offset

    def read(self, offset: int, limit: int) -> list[Record]:
        """Up to `limit` records at or after `offset`; compaction leaves gaps between their offsets."""
        at = self._index(offset)
        return self._records[at : at + limit]

    def offset_at(self, time_ms: int) -> int:
        """The first offset whose record is stamped `time_ms` or later; the end when there is none."""
        return next((record.offset for record in self._records if record.timestamp_ms >= time_ms), self.end)

    def truncate(self, before_offset: int) -> None:
        """Forget everything before `before_offset`, as retention does."""
        upto = min(max(before_offset, self.begin), self.end)
        del self._records[: self._index(upto)]
        self.begin = upto

    def compact(self, before_offset: int, drop_tombstones: bool) -> None:
        """Before `before_offset`, keep only the last record of each key; the newest of all is kept always."""
        last = {record.key: record.offset for record in self._records}
        newest = self.end - 1

        def stays(record: Record) -> bool:
            if record.offset >= before_offset or record.offset == newest:
                return True
            dead = drop_tombstones and record.value is None
            return last[record.key] == record.offset and not dead

        self._records = [record for record in self._records if stays(record)]

    def __len__(self) -> int:
        return len(self._records)

    def _index(self, offset: int) -> int:
        records = self._records
        if not records or offset <= records[0].offset:
            return 0
        at = offset - records[0].offset
        if at < len(records) and records[at].offset == offset:  # no gaps before it: the common case
            return at
        return bisect_left(records, offset, key=_offset)
