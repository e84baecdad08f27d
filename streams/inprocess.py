"""An evaluator worker in this process, over the in-memory bus: same station, same checkpoint, same recovery
as on Kafka.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

from streams.history import ReadBack
from streams.history_files import OlderBars
from streams.history_memory import BusReader
from streams.station import Rules, Station
from streams.store import RowStore
from topics.bus import MemoryBus, MemoryConsumer, MemoryPublisher, TopicPartition
from topics.records import Publisher, Record
from topics.registry import TABLES, Table, Topics

_POLL: Final = 500


class EvaluatorWorker:
    """A member of the evaluator's group on `bus`. Checkpoints every `checkpoint_every` records and when it is
    idle.

    `seed` shuffles how partitions and topics interleave; nothing that comes out may depend on it. Answers to
    triggers come only between calls, so a call returns when klines wait for one.
    """

    def __init__(
        self,
        bus: MemoryBus,
        topics: Topics,
        *,
        rules: Rules = Rules(),  # noqa: B008 (frozen)
        checkpoint_every: int = 200,
        seed: int | None = None,
        publisher: Callable[[MemoryBus], Publisher] = MemoryPublisher,
        older: OlderBars | None = None,
    ) -> None:
        self._bus = bus
        self._topics = topics
        self._every = checkpoint_every
        self._failure: BaseException | None = None
        self._unsettled = True
        self._since = 0
        self.publisher = publisher(bus)
        self.store = RowStore()
        self.history = ReadBack(
            BusReader(bus, topics.klines.name), topics.klines, in_thread=False, older=older
        )
        self.station = Station(
            topics, self.publisher, self.store, self.history, self, rules, self._fail, self._pressure
        )
        self._consumer: MemoryConsumer | None = MemoryConsumer(
            bus, topics.group("evaluator"), self.station.sources, seed=seed, listener=self
        )

    async def run_until_idle(self) -> int:
        """Handle what is there, checkpoint, and return the number of records; raises what broke the
        evaluator.
        """
        handled = 0
        while True:
            await self._settle_assignment()
            records = self._member.poll(min(_POLL, self._every))
            if not records:
                await self.station.settle()
                self._raise()
                if await self._checkpoint():
                    continue
                if handled or not self._lose_patience():
                    return handled
                handled = 1
                continue
            handled += len(records)
            await self._handle(records)

    async def step(self, limit: int) -> int:
        """Handle at most `limit` records; the number handled."""
        await self._settle_assignment()
        records = self._member.poll(limit)
        await self._handle(records)
        return len(records)

    def crash(self) -> None:
        """Die: memory is gone, nothing is committed, what the publisher held back is lost."""
        self.station.revoke()
        if isinstance(self.publisher, MemoryPublisher):
            self.publisher.crash()
        if self._consumer is not None:
            self._consumer.crash()
            self._consumer = None

    def close(self) -> None:
        """Leave the group in order."""
        if self._consumer is not None:
            self._consumer.close()
            self._consumer = None

    async def ack(self, offsets: Mapping[tuple[str, int], int]) -> None:
        """Commit; the port of the checkpoint."""
        self._member.commit(offsets)

    def revoked(self, partitions: frozenset[TopicPartition]) -> None:
        """The group takes partitions away."""
        self.station.revoke()
        self.history.forget()
        self._unsettled = True

    def assigned(self, partitions: frozenset[TopicPartition]) -> None:
        """The group gives partitions; all are rebuilt before the next record is handled, as on Kafka."""
        self._unsettled = True

    @property
    def _member(self) -> MemoryConsumer:
        if self._consumer is None:
            raise RuntimeError("this worker is gone")
        return self._consumer

    async def _settle_assignment(self) -> None:
        while self._unsettled:
            self._unsettled = False
            owned = {p for topic, p in self._member.assignment if topic == self.station.sources[0]}
            for table in TABLES:
                self.store.forget(table, range(self._topics.partitions))
                for partition in owned:
                    self._load(table, partition)
            await self.station.assign(owned)
            for tp, offset in self.station.next_offsets().items():
                self._member.seek(tp, offset)

    def _load(self, table: Table, partition: int) -> None:
        changelog = self._topics.changelog(table).name
        at, end = self._bus.begin(changelog, partition), self._bus.end(changelog, partition)
        while at < end and (batch := self._bus.read(changelog, partition, at)):
            for record in batch:
                self.store.load(table, partition, record.key or b"", record.value)
            at = batch[-1].offset + 1

    async def _handle(self, records: list[Record]) -> None:
        for record in records:
            if self._unsettled:
                return
            self.station.offer(record)
            self._since += 1
            if self._since >= self._every:
                await self.station.settle()
                self._raise()
                await self._checkpoint()
        await asyncio.sleep(0)

    async def _checkpoint(self) -> bool:
        self._since = 0
        return await self.station.checkpoint()

    def _lose_patience(self) -> bool:
        """Nothing came since the last call, so no answer will: let klines that wait for one go on."""
        waiting = [lane for lane in self.station.lanes.values() if lane.waits]
        for lane in waiting:
            lane.lose_patience()
        return bool(waiting)

    def _fail(self, error: BaseException) -> None:
        self._failure = error

    def _raise(self) -> None:
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure

    def _pressure(self, partition: int, high: bool) -> None:
        tp = (self.station.sources[0], partition)
        if high:
            self._member.pause(tp)
        else:
            self._member.resume(tp)
