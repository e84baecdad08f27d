"""Records as this project sees them, whichever client or bus carried them, and the port through which they leave."""

from typing import NamedTuple, Protocol

Headers = tuple[tuple[str, bytes], ...]


class Record(NamedTuple):
    """A consumed record. `timestamp_ms` is its CreateTime: event time, epoch milliseconds UTC."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()

    @property
    def address(self) -> str:
        """`topic[partition]@offset`, as every log line and dead letter names it."""
        return f"{self.topic}[{self.partition}]@{self.offset}"


class Outgoing(NamedTuple):
    """A record to be produced. `partition` None: by murmur2 of the key, as Java's default partitioner does."""

    topic: str
    key: bytes | None
    value: bytes | None
    timestamp_ms: int
    headers: Headers = ()
    partition: int | None = None


class Publisher(Protocol):
    """Produces records in order per partition, idempotently where the broker can."""

    def send(self, outgoing: Outgoing) -> None:
        """Hand one record over; it may be buffered."""

    async def flush(self) -> None:
        """Return when the broker has acknowledged everything sent so far. Raises DeliveryFailed."""


class DeliveryFailed(Exception):
    """The broker did not acknowledge a record in time: what depends on it must not be persisted. The process stops."""
