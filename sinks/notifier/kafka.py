"""The notifier on Kafka: an aiokafka consumer in front of a desk per partition.

assignment   read where the group stands, and what is done beyond it; a desk per partition
loop         fetch, hand over; while too many alerts are under way reading pauses
every 0.2 s  digests that are due; every second: dead letters acknowledged, then offsets committed
revocation   what is done is committed, the rest is left to the next owner
watchdog     ends the process when reading gets nowhere though there is something to read
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import Final

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import BrokerResponseError, IllegalStateError, KafkaError
from aiokafka.structs import OffsetAndMetadata

from sinks.notifier import offsets
from sinks.notifier.config import NotifierSettings
from sinks.notifier.desk import Desk, Setting, under_way
from sinks.notifier.directory import Directory
from sinks.notifier.metrics import Metrics
from sinks.notifier.offsets import Offsets
from sinks.watchdog import Watchdog
from topics.records import Publisher, Record

_POLL_MS: Final = 200
_BATCH: Final = 500
_TICK_S: Final = 0.2
_COMMIT_S: Final = 1.0
_ANSWER_S: Final = 10.0
_LAST_S: Final = 5.0
_TRIES: Final = 50
_log = logging.getLogger("strikeline.notifier")


class KafkaNotifier(ConsumerRebalanceListener):  # type: ignore[misc]
    """Runs until `stop` is called or something fails; `run` raises what failed."""

    def __init__(
        self, settings: NotifierSettings, directory: Directory, publisher: Publisher, metrics: Metrics
    ) -> None:
        self._settings = settings
        setting = Setting(
            settings.topics, directory, settings.retry, publisher.send, metrics, broken=self._broke
        )
        self._setting = setting
        self._publisher = publisher
        self._topic = setting.topics.fired.name
        self._group = setting.topics.group("notifier")
        self._consumer = AIOKafkaConsumer(
            group_id=self._group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            partition_assignment_strategy=(RangePartitionAssignor,),
            session_timeout_ms=int(settings.session_timeout * 1_000),
            heartbeat_interval_ms=int(settings.heartbeat_interval * 1_000),
            **settings.kafka.for_aiokafka(),
        )
        self._desks: dict[int, Desk] = {}
        self._committing = asyncio.Lock()
        self._committed: dict[int, tuple[int, str]] = {}
        self._ended = asyncio.Event()
        self._failure: BaseException | None = None
        self._watchdog = Watchdog(self._look, settings.watchdog_seconds)

    def stop(self) -> None:
        """End in order: what is done is committed, the rest is left to the next life."""
        self._ended.set()

    async def run(self) -> None:
        """Consume until stopped. Raises DeliveryFailed, or what the broker raised."""
        self._consumer.subscribe([self._topic], listener=self)
        await self._consumer.start()
        works = (self._consume(), self._tick(), self._commit_often(), self._watchdog.run())
        tasks = [asyncio.create_task(work) for work in works]
        for task in tasks:
            task.add_done_callback(self._note)
        try:
            await self._ended.wait()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            await self._end(list(self._desks))
            await self._consumer.stop()
        if self._failure is not None:
            raise self._failure

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Begin where the group stands. aiokafka only logs what is raised here, so it ends the process from `run`."""
        starting = asyncio.create_task(self._begin(sorted(assigned)))
        starting.add_done_callback(self._note)
        await asyncio.wait([starting])

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Commit what is done and forget the rest."""
        await self._end([tp.partition for tp in revoked if tp.partition in self._desks])

    async def _begin(self, assigned: list[TopicPartition]) -> None:
        stands = await self._stands(assigned)
        begins = await self._consumer.beginning_offsets(assigned)
        for tp in assigned:
            offset, metadata = stands.get(tp, (-1, ""))
            # What retention has taken in the meantime cannot be told any more.
            first = max(offset, begins[tp])
            if 0 <= offset < first:
                _log.warning("%s[%s]: records %s to %s are gone", tp.topic, tp.partition, offset, first - 1)
            done = offsets.read(offset, metadata) if offset >= 0 else set()
            self._desks[tp.partition] = Desk(tp.partition, Offsets(first, done), self._setting)
            self._consumer.seek(tp, first)
        _log.info("reads partitions %s", [tp.partition for tp in assigned])

    async def _end(self, partitions: Sequence[int]) -> None:
        """What is being sent may still arrive; then what is done is committed."""
        await asyncio.gather(*(self._desks[partition].end(_LAST_S) for partition in partitions))
        if self._failure is None:
            await self._commit(partitions)
        for partition in partitions:
            del self._desks[partition]
            self._committed.pop(partition, None)

    async def _stands(self, assigned: list[TopicPartition]) -> dict[TopicPartition, OffsetAndMetadata]:
        """The group's offsets with their metadata, which the consumer itself does not tell."""
        admin = AIOKafkaAdminClient(**self._settings.kafka.for_aiokafka())
        await admin.start()
        try:
            for left in reversed(range(_TRIES)):
                try:
                    found: dict[TopicPartition, OffsetAndMetadata] = await admin.list_consumer_group_offsets(
                        self._group, partitions=assigned
                    )
                except BrokerResponseError as error:
                    if not (error.retriable and left):
                        raise
                    await asyncio.sleep(_TICK_S)  # the group has just moved to another broker
                else:
                    return found
        finally:
            await admin.close()
        raise AssertionError("the last try returned or raised")

    async def _consume(self) -> None:
        while True:
            if under_way(list(self._desks.values())) >= self._settings.notifier_in_flight:
                await asyncio.sleep(_TICK_S)
                continue
            batches = await self._consumer.getmany(timeout_ms=_POLL_MS, max_records=_BATCH)
            for tp, records in batches.items():
                if (desk := self._desks.get(tp.partition)) is None:
                    continue  # the desk of who owns it reads them
                for record in records:
                    desk.take(_record(record))

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(_TICK_S)
            for desk in self._desks.values():
                desk.tick()
            self._setting.metrics.pending(under_way(list(self._desks.values())), len(self._desks))

    async def _commit_often(self) -> None:
        while True:
            await asyncio.sleep(_COMMIT_S)
            await self._commit(list(self._desks))

    async def _commit(self, partitions: Sequence[int]) -> None:
        """First what the offsets say is done, then the broker's word for its dead letters, then the offsets."""
        async with self._committing:
            places = {p: self._desks[p].offsets.commit() for p in partitions if p in self._desks}
            news = {p: place for p, place in places.items() if self._committed.get(p) != place}
            await self._publisher.flush()
            if not news:
                return
            try:
                await self._consumer.commit(
                    {TopicPartition(self._topic, p): place for p, place in news.items()}
                )
            except (KafkaError, IllegalStateError) as late:
                # The group has moved on, or the broker is away and is asked again in a second.
                _log.info("offsets not committed: %s", late)
            else:
                self._committed |= news

    async def _look(self) -> dict[str, object]:
        """Partitions not read to their end, for the watchdog. While too much is under way that is no fault."""
        assigned = sorted(self._consumer.assignment())
        desks = list(self._desks.values())
        if under_way(desks) >= self._settings.notifier_in_flight:
            return {}
        try:
            async with asyncio.timeout(_ANSWER_S):
                ends = await self._consumer.end_offsets(assigned) if assigned else {}
                places = {tp: await self._consumer.position(tp) for tp in assigned}
        except (KafkaError, IllegalStateError) as error:
            raise TimeoutError(str(error)) from error
        return {f"{tp.topic}[{tp.partition}]": places[tp] for tp in assigned if places[tp] < ends[tp]}

    def _broke(self, error: BaseException) -> None:
        self._failure = self._failure or error
        self._ended.set()

    def _note(self, task: "asyncio.Task[None]") -> None:
        """A task ended: with an error, everything does."""
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._broke(error)


def _record(record: "ConsumerRecord[bytes, bytes]") -> Record:
    return Record(
        record.topic, record.partition, record.offset, record.timestamp, record.key, record.value,
        tuple((name, value) for name, value in record.headers),
    )  # fmt: skip
