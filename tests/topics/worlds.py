"""Two worlds in which one behaviour is tested: the in-process bus, and a real broker."""

import time
from typing import Any, Protocol

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from tests.deadline import DEADLINE_S
from topics.admin import TopicAdmin
from topics.bus import MemoryBus, MemoryPublisher
from topics.connection import KafkaSettings
from topics.producer import DELIVERY_TIMEOUT_MS, KafkaPublisher
from topics.records import Publisher, Record
from topics.registry import Topics
from topics.spec import TopicSpec

NOT_YET = (
    KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError.LEADER_NOT_AVAILABLE,
    KafkaError.UNKNOWN_LEADER_EPOCH,
    KafkaError.UNKNOWN_TOPIC_OR_PART,
)


class World(Protocol):
    """Somewhere to publish, and to see what arrived."""

    topics: Topics

    def publisher(self, patience_ms: int = ...) -> Publisher:
        """A new publisher, as a new process would make; it gives up what nobody takes for `patience_ms`."""

    def records(self, spec: TopicSpec) -> list[Record]:
        """All that the topic holds, partition by partition."""


class MemoryWorld:
    def __init__(self, topics: Topics) -> None:
        self.topics = topics
        self.bus = MemoryBus(*topics.all())

    def publisher(self, patience_ms: int = 0) -> MemoryPublisher:
        return MemoryPublisher(self.bus)

    def records(self, spec: TopicSpec) -> list[Record]:
        return self.bus.records(spec.name)


class KafkaWorld:
    def __init__(self, bootstrap: str, topics: Topics) -> None:
        self.topics = topics
        self.settings = KafkaSettings(bootstrap=bootstrap)
        TopicAdmin(self.settings).create(topics.all())

    def publisher(self, patience_ms: int = DELIVERY_TIMEOUT_MS) -> KafkaPublisher:
        return KafkaPublisher(self.settings, delivery_timeout_ms=patience_ms)

    def records(self, spec: TopicSpec) -> list[Record]:
        quick = {"group.id": "reader", "fetch.wait.max.ms": 10, "enable.partition.eof": True}
        consumer = Consumer(self.settings.for_confluent() | quick)
        try:
            return [
                record for p in range(spec.partitions) for record in read_partition(consumer, spec.name, p)
            ]
        finally:
            consumer.close()


def bounds(consumer: Consumer, place: TopicPartition) -> tuple[int, int]:
    """Begin and end of a partition. A leader is named a moment before it knows that it leads, and refuses so long."""
    deadline = time.monotonic() + DEADLINE_S
    while True:
        try:
            begin, end = consumer.get_watermark_offsets(place, timeout=DEADLINE_S)
        except KafkaException as error:
            if error.args[0].code() not in NOT_YET or time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return begin, end


def read_partition(consumer: Consumer, topic: str, partition: int) -> list[Record]:
    """Everything between the partition's begin and end."""
    begin, end = bounds(consumer, TopicPartition(topic, partition))
    if begin == end:
        return []
    consumer.assign([TopicPartition(topic, partition, begin)])
    found: list[Record] = []
    while True:
        message = consumer.poll(DEADLINE_S)
        assert message is not None, f"nothing more from {topic}[{partition}] in {DEADLINE_S} s"
        if message.error() is not None:  # the end of the partition
            return found
        found.append(record_of(message))


def record_of(message: Message) -> Record:
    """A consumed message as a record."""
    topic, partition, offset = message.topic(), message.partition(), message.offset()
    assert topic is not None
    assert partition is not None
    assert offset is not None
    raw: Any = message.headers() or []
    _, timestamp_ms = message.timestamp()
    return Record(
        topic, partition, offset, timestamp_ms, message.key(), message.value(), tuple(map(tuple, raw))
    )
