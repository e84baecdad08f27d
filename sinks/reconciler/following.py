"""What the topics say: their bounds, and the newest position that was published of each bot."""

from collections.abc import Iterable, Mapping
from typing import Final, Protocol

from sinks.reconciler.books import TopicBounds
from topics.bus import MemoryBus
from topics.records import Record
from topics.registry import Topics

_BATCH: Final = 5_000


class Log(Protocol):
    """Topics as they are read; raises what the client raises."""

    def bounds(self, topic: str, partition: int) -> TopicBounds:
        """Offsets of one partition."""

    def read(self, topic: str, partition: int, offset: int, limit: int) -> Iterable[Record]:
        """Records at or after `offset`, at most `limit`; none at the end. Some offsets may carry none."""


class BusLog:
    """The in-process bus as the reconciler reads it."""

    def __init__(self, bus: MemoryBus) -> None:
        self._bus = bus

    def bounds(self, topic: str, partition: int) -> TopicBounds:
        return TopicBounds(self._bus.begin(topic, partition), self._bus.end(topic, partition))

    def read(self, topic: str, partition: int, offset: int, limit: int) -> Iterable[Record]:
        return self._bus.read(topic, partition, offset, limit)


class Positions:
    """Follows `bots.positions.v1`: the version of the newest snapshot, by bot. One partition after the other."""

    def __init__(self, log: Log, topics: Topics) -> None:
        self._log = log
        self._topic = topics.positions.name
        self._next: dict[int, int] = {}
        self._versions: dict[int, dict[str, int]] = {}

    def newest(self, partition: int) -> Mapping[str, int]:
        """Read on to the end as of now."""
        versions = self._versions.setdefault(partition, {})
        bounds = self._log.bounds(self._topic, partition)
        at = max(self._next.get(partition, 0), bounds.begin)
        while at < bounds.end:
            records = list(self._log.read(self._topic, partition, at, min(_BATCH, bounds.end - at)))
            for record in records:
                _note(versions, record)
            at = records[-1].offset + 1 if records else bounds.end
        self._next[partition] = at
        return versions

    def forget(self, partition: int) -> None:
        """It is another's now."""
        self._next.pop(partition, None)
        self._versions.pop(partition, None)


def _note(versions: dict[str, int], record: Record) -> None:
    """Snapshots are numbered by their ids, `{bot_id}:position:{version}`; what nobody of us wrote is left aside."""
    ce_id = dict(record.headers).get("ce_id", b"").decode("utf-8", "replace")
    bot_id, _, version = ce_id.rpartition(":position:")
    if bot_id and version.isdecimal():
        versions[bot_id] = max(int(version), versions.get(bot_id, 0))
