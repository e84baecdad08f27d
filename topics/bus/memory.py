"""The bus: topics in memory that behave as Kafka's do, for tests, demos and the pipeline in one process."""

from collections.abc import Mapping
from typing import Final

from topics.bus.errors import OffsetOutOfRange, Refused, TopicDiffers, Unavailable, UnknownTopic
from topics.bus.groups import Group, TopicPartition
from topics.bus.log import PartitionLog
from topics.partitioner import partition_for
from topics.records import Outgoing, Record
from topics.spec import TopicSpec

_OVERHEAD: Final = 70
"""Bytes that Kafka adds to a record alone in its batch, roughly."""


class _Topic:
    def __init__(self, spec: TopicSpec, topic_id: str) -> None:
        self.spec = spec
        self.id = topic_id
        self.logs = [PartitionLog(spec.name, p) for p in range(spec.partitions)]
        self.keyless = 0
        self.max_bytes = int(spec.configs.get("max.message.bytes", 2**31))


class MemoryBus:
    """Topics, their partitions and the committed offsets of groups. Deterministic; for one thread.

    `available = False` makes every append raise Unavailable, as a broker that is down would.
    """

    def __init__(self, *specs: TopicSpec) -> None:
        self.available = True
        self._topics: dict[str, _Topic] = {}
        self._groups: dict[str, Group] = {}
        self._created = 0
        for spec in specs:
            self.create(spec)

    def create(self, spec: TopicSpec) -> None:
        """Create a topic. One that exists stays as it is; raises TopicDiffers for another partition count."""
        if (topic := self._topics.get(spec.name)) is not None:
            if topic.spec.partitions != spec.partitions:
                have = f"{topic.spec.partitions} partitions, not {spec.partitions}"
                raise TopicDiffers(f"{spec.name} has {have}; partitions never grow in place")
            return
        self._created += 1
        self._topics[spec.name] = _Topic(spec, f"memory-{self._created}")
        for group in self._groups.values():
            group.rebalance(self.partition_counts())

    def delete(self, topic: str) -> None:
        """Delete a topic with its offsets; one created under the same name later has another id."""
        self._topic(topic)
        del self._topics[topic]
        for group in self._groups.values():
            group.forget(topic)
            group.rebalance(self.partition_counts())

    def topics(self) -> list[str]:
        """Names of all topics, sorted."""
        return sorted(self._topics)

    def spec(self, topic: str) -> TopicSpec:
        """What the topic was created with."""
        return self._topic(topic).spec

    def topic_id(self, topic: str) -> str:
        """The topic's identity: another one after it was deleted and created again."""
        return self._topic(topic).id

    def partition_counts(self) -> dict[str, int]:
        """Number of partitions by topic."""
        return {name: topic.spec.partitions for name, topic in self._topics.items()}

    def append(self, outgoing: Outgoing) -> tuple[int, int]:
        """Write one record; its (partition, offset). Raises Refused, UnknownTopic, Unavailable."""
        if not self.available:
            raise Unavailable("the bus is switched off")
        topic = self._topic(outgoing.topic)
        _check(topic, outgoing)
        partition = outgoing.partition
        if partition is None:
            partition = (
                _spread(topic) if outgoing.key is None else partition_for(outgoing.key, len(topic.logs))
            )
        return partition, self._log(outgoing.topic, partition).append(outgoing)

    def read(self, topic: str, partition: int, offset: int, limit: int = 1_000) -> list[Record]:
        """Up to `limit` records from `offset` on; none at the end. Raises OffsetOutOfRange, UnknownTopic."""
        log = self._log(topic, partition)
        if not log.begin <= offset <= log.end:
            raise OffsetOutOfRange(topic, partition, offset, log.begin, log.end)
        return log.read(offset, limit)

    def records(self, topic: str) -> list[Record]:
        """Everything the topic holds, partition by partition."""
        return [record for log in self._topic(topic).logs for record in log.read(log.begin, len(log))]

    def begin(self, topic: str, partition: int) -> int:
        """The first offset that is kept."""
        return self._log(topic, partition).begin

    def end(self, topic: str, partition: int) -> int:
        """The next offset to be given."""
        return self._log(topic, partition).end

    def offset_at(self, topic: str, partition: int, time_ms: int) -> int:
        """The first offset stamped `time_ms` or later; the end when there is none."""
        return self._log(topic, partition).offset_at(time_ms)

    def truncate(self, topic: str, partition: int, before_offset: int) -> None:
        """Lose the records before `before_offset`, as retention does."""
        self._log(topic, partition).truncate(before_offset)

    def compact(self, topic: str, *, keep_tail: int = 0, drop_tombstones: bool = False) -> None:
        """Keep each key's last record. The last `keep_tail` records of a partition are left alone."""
        for log in self._topic(topic).logs:
            log.compact(log.end - keep_tail, drop_tombstones)

    def commit(self, group: str, offsets: Mapping[TopicPartition, int]) -> None:
        """Set the group's next offsets, whoever asks; a member's consumer checks that it owns them."""
        self.group(group).offsets.update(offsets)

    def committed(self, group: str, topic: str, partition: int) -> int | None:
        """The group's next offset, None when it has none."""
        return self.group(group).offsets.get((topic, partition))

    def group(self, name: str) -> Group:
        """The group of that name, made when it is first asked for."""
        return self._groups.setdefault(name, Group(name))

    def _topic(self, name: str) -> _Topic:
        try:
            return self._topics[name]
        except KeyError:
            raise UnknownTopic(f"no topic {name}") from None

    def _log(self, topic: str, partition: int) -> PartitionLog:
        logs = self._topic(topic).logs
        if not 0 <= partition < len(logs):
            raise UnknownTopic(f"no partition {topic}[{partition}]")
        return logs[partition]


def _check(topic: _Topic, outgoing: Outgoing) -> None:
    size = _OVERHEAD + len(outgoing.key or b"") + len(outgoing.value or b"")
    size += sum(len(name) + len(value or b"") for name, value in outgoing.headers)
    if size > topic.max_bytes:
        raise Refused(f"{outgoing.topic}: a record of {size} bytes, the limit is {topic.max_bytes}")
    if outgoing.key is None and topic.spec.cleanup == "compact":
        raise Refused(f"{outgoing.topic}: a compacted topic needs keys")


def _spread(topic: _Topic) -> int:
    topic.keyless += 1
    return (topic.keyless - 1) % len(topic.logs)
