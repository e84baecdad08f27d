"""The kline topic of the in-process bus."""

from collections.abc import Iterator

from topics.bus import MemoryBus
from topics.records import Record


class BusReader:
    """Implements RecordReader."""

    def __init__(self, bus: MemoryBus, topic: str) -> None:
        self._bus = bus
        self._topic = topic

    def read(self, partition: int, from_offset: int, to_offset: int) -> Iterator[Record]:
        """Records in [from_offset, to_offset) that still exist."""
        start = max(from_offset, self._bus.begin(self._topic, partition))
        stop = min(to_offset, self._bus.end(self._topic, partition))
        while start < stop:
            batch = self._bus.read(self._topic, partition, start, min(1_000, stop - start))
            for record in batch:
                if record.offset >= stop:
                    return
                yield record
            if not batch:
                return
            start = batch[-1].offset + 1
