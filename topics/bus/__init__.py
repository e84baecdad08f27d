"""Kafka's behaviour without a broker: a bus for tests, demos and the pipeline in one process."""

from topics.bus.consumer import MemoryConsumer, RebalanceListener
from topics.bus.errors import (
    BusError,
    NotOwner,
    OffsetOutOfRange,
    Refused,
    TopicDiffers,
    Unavailable,
    UnknownTopic,
)
from topics.bus.groups import TopicPartition
from topics.bus.memory import MemoryBus
from topics.bus.publisher import MemoryPublisher

__all__ = [
    "BusError",
    "MemoryBus",
    "MemoryConsumer",
    "MemoryPublisher",
    "NotOwner",
    "OffsetOutOfRange",
    "RebalanceListener",
    "Refused",
    "TopicDiffers",
    "TopicPartition",
    "Unavailable",
    "UnknownTopic",
]
