"""What commands need of a broker: the port and its in-process adapter; `kafka.py` has the other one."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple, Protocol

from streams.cli.errors import Unreachable
from topics.bus.errors import UnknownTopic
from topics.bus.memory import MemoryBus
from topics.bus.publisher import MemoryPublisher
from topics.records import Publisher, Record


class Bounds(NamedTuple):
    """Offsets of a partition: the first that is kept, and the next to be given."""

    begin: int
    end: int


class Cluster(Protocol):
    """A broker's topics. Every method raises Unreachable where the broker or the topic is not there."""

    @property
    def name(self) -> str:
        """Where it is, for people."""

    def names(self) -> dict[str, int]:
        """All topics with their number of partitions."""

    def bounds(self, topic: str) -> dict[int, Bounds]:
        """Every partition's bounds."""

    def read(self, topic: str, start: Mapping[int, int]) -> Iterator[Record]:
        """What the partitions in `start` hold from there to their ends as of now; in order per partition."""

    def follow(self, topic: str, start: Mapping[int, int]) -> Iterator[Record | None]:
        """Records from `start` on, for ever; None when nothing came for a moment, so callers can stop."""

    def committed(self, group: str, topic: str) -> dict[int, int]:
        """The group's next offset of each partition that it has committed."""

    def publisher(self) -> Publisher:
        """A producer onto this broker."""

    def close(self) -> None:
        """Let go of connections."""


class MemoryCluster:
    """The in-process bus as a cluster."""

    name = "in-process bus"

    def __init__(self, bus: MemoryBus) -> None:
        self.bus = bus

    def names(self) -> dict[str, int]:
        return self.bus.partition_counts()

    def bounds(self, topic: str) -> dict[int, Bounds]:
        try:
            count = self.bus.spec(topic).partitions
        except UnknownTopic as missing:
            raise Unreachable(f"{missing} on the {self.name}; `strikeline topics create` makes it") from None
        return {p: Bounds(self.bus.begin(topic, p), self.bus.end(topic, p)) for p in range(count)}

    def read(self, topic: str, start: Mapping[int, int]) -> Iterator[Record]:
        for partition, bounds in self.bounds(topic).items():
            if partition in start:
                offset = max(start[partition], bounds.begin)
                yield from self.bus.read(topic, partition, offset, bounds.end - offset)

    def follow(self, topic: str, start: Mapping[int, int]) -> Iterator[Record | None]:
        at = dict(start)
        while True:
            for record in self.read(topic, at):
                at[record.partition] = record.offset + 1
                yield record
            yield None

    def committed(self, group: str, topic: str) -> dict[int, int]:
        found = {p: self.bus.committed(group, topic, p) for p in self.bounds(topic)}
        return {partition: offset for partition, offset in found.items() if offset is not None}

    def publisher(self) -> MemoryPublisher:
        return MemoryPublisher(self.bus)

    def close(self) -> None:
        """Nothing to let go of: the bus lives as long as its process."""
