"""The consumer in front of the executor, and its records as this project sees them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.coordinator.assignors.range import RangePartitionAssignor

from sinks.config import ExecutorSettings
from topics.records import Record

Batches = Mapping[TopicPartition, Sequence["ConsumerRecord[bytes, bytes]"]]


def consumer(settings: ExecutorSettings) -> AIOKafkaConsumer:
    """A group member that commits nothing by itself.

    Range assignor: partition n of both topics is on one member. Where it begins is decided by the claim's
    seek; what is fetched before belongs to no claim and is dropped.
    """
    return AIOKafkaConsumer(
        group_id=settings.topics.group("executor"),
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        partition_assignment_strategy=(RangePartitionAssignor,),
        session_timeout_ms=int(settings.session_timeout * 1_000),
        heartbeat_interval_ms=int(settings.heartbeat_interval * 1_000),
        max_poll_interval_ms=300_000,
        **settings.kafka.for_aiokafka(),
    )


def by_partition(batches: Batches) -> dict[int, list[Record]]:
    """Records by the number of their partition, configs before triggers, each topic in order of offsets."""
    found: defaultdict[int, list[Record]] = defaultdict(list)
    for tp in sorted(batches):
        found[tp.partition].extend(_record(record) for record in batches[tp])
    return dict(sorted(found.items()))


def _record(record: "ConsumerRecord[bytes, bytes]") -> Record:
    return Record(
        record.topic,
        record.partition,
        record.offset,
        record.timestamp,
        record.key,
        record.value,
        tuple((name, value) for name, value in record.headers),
    )
