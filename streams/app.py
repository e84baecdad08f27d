"""The Faust app of one worker: group, assignment and tables are Faust's, what happens to a record is the
station's.
"""

import asyncio
import logging
import tempfile
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any, TypeVar, cast

import faust
from faust.types import TP, AgentT

from streams.agents import evaluator_agent, source_topic
from streams.config import WorkerSettings
from streams.guard import HEARTBEATS, GuardedPublisher, StandstillGuard
from streams.history import ReadBack
from streams.history_files import OlderBars
from streams.history_kafka import KafkaReader
from streams.rows import RowUnreadable
from streams.station import Rules, Station
from streams.store import RowStore
from streams.tables import DeclaredTables, RowTable
from streams.transport import SourceConsumer, SourceTransport
from streams.warm import set_aside
from topics.records import Publisher, Record
from topics.registry import TABLES, Table

_log = logging.getLogger("strikeline.evaluator")
Failed = Callable[[BaseException], None]
AnyApp = TypeVar("AnyApp", bound=faust.App)


class EvaluatorApp(faust.App):
    """Ends the process on an error in the agent; Faust would log it, skip the record and commit past it."""

    failed: Failed
    leave: Callable[[], None]

    async def on_stop(self) -> None:
        """Drop what is held before anything else stops; the next owner makes it again."""
        self.leave()
        await super().on_stop()

    async def _on_agent_error(self, agent: AgentT[Any], exc: BaseException) -> None:
        self.failed(exc)


class Evaluator:
    """App, station and their connections. `failed` must end the process."""

    def __init__(
        self, settings: WorkerSettings, publisher: Publisher, guard: StandstillGuard, failed: Failed
    ) -> None:
        topics = settings.topics
        self.settings = settings
        self.guard = guard
        self._failed = failed
        self.store = RowStore()
        self._tables: dict[str, Table] = {topics.changelog(table).name: table for table in TABLES}
        self.app = faust_app(settings, EvaluatorApp)
        self.app.failed, self.app.leave = failed, self._leave
        reader = KafkaReader(settings.kafka, topics.klines.name)
        self.history = ReadBack(reader, topics.klines, older=_older(settings))
        self.station = Station(
            topics, GuardedPublisher(publisher, guard), self.store, self.history, self,
            Rules(settings.hold_bars, settings.hold_seconds, settings.fill_up_to, settings.tiers()), failed,
            self._pressure,
        )  # fmt: skip
        self.app.transport = SourceTransport(
            self.app,
            frozenset(self.station.sources),
            self.station.next_offsets,
            self._load,
            guard,
        )
        for table in TABLES:
            # Faust awaits all tables' callbacks together; by then every changelog has been read.
            restored = self._restored if table == TABLES[-1] else None
            options: dict[str, Any] = {
                "name": table,
                "partitions": topics.partitions,
                "beacon": self.app.tables.beacon,
            }
            self.app.tables.add(RowTable(self.app, self.store, restored, **options))
        evaluator_agent(
            self.app,
            source_topic(self.app, *self.station.sources),
            self.station.offer,
            self.station.epoch,
            self._missed,
        )
        self.app.on_partitions_revoked.connect(self._revoked)
        self.app.task(self._checkpoints)

    async def ack(self, offsets: Mapping[tuple[str, int], int]) -> None:
        """Commit; the port of the checkpoint."""
        await cast(SourceConsumer, self.app.consumer).commit_offsets(offsets)

    def _load(self, changelog: str, partition: int, records: list[Any]) -> None:
        table = self._tables[changelog]
        try:
            for record in records:
                self.store.load(table, partition, record.key or b"", record.value)
        except RowUnreadable as error:
            # Faust would log what is raised here, and go on without the row.
            self._failed(error)

    async def _missed(self, record: Record) -> bool:
        """Whether the client passed over records before this one; then it is sent back to them.

        Offsets of the sources have no holes but before their first record. This has no known cause left, and must
        never go unseen: a command that is passed over arms nothing, for ever.
        """
        expected = self.station.expected(record.topic, record.partition)
        if expected is None or record.offset <= expected:
            return False
        tp = TP(record.topic, record.partition)
        first = (await self.app.consumer.earliest_offsets(tp))[tp]
        if record.offset <= max(expected, first or 0):
            return False
        _log.error("%s came instead of @%d, reading on from there", record.address, expected)
        self.station.counters["offset_gaps"] += 1
        await self.app.consumer.seek(tp, max(expected, first or 0))
        return True

    async def _restored(self, partitions: frozenset[int]) -> None:
        # A member that is suspended before its first heartbeat must end, too, when it wakes.
        self.guard.alive(HEARTBEATS)
        # Faust collects exceptions of this callback and never looks at them.
        await self._or_fail(self.station.assign(partitions))
        set_aside()

    async def _revoked(self, *_: Any, **__: Any) -> None:
        self.guard.check()
        self._leave()

    def _leave(self) -> None:
        self.station.revoke()
        self.history.forget()
        # While it joins again a member sends no heartbeats, and owns nothing that it could send for.
        self.guard.forget(HEARTBEATS)

    async def _checkpoints(self) -> None:
        await self._or_fail(self._checkpoint_for_ever())

    async def _checkpoint_for_ever(self) -> None:
        while not self.app.should_stop:
            await asyncio.sleep(self.settings.checkpoint_interval)
            await self.station.checkpoint()

    async def _or_fail(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        try:
            await asyncio.wait([task])
        finally:
            task.cancel()
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failed(error)

    def _pressure(self, partition: int, high: bool) -> None:
        tp = TP(self.station.sources[0], partition)
        # Not pause_partitions: Faust then drops what it has fetched already, and never fetches it again.
        if high:
            self.app.consumer.on_buffer_full(tp)
        else:
            self.app.consumer.on_buffer_drop(tp)


def _older(settings: WorkerSettings) -> OlderBars | None:
    if settings.history is None:
        return None
    from streams.feeds.history import load_older  # polars takes memory that few workers need

    return load_older(settings.history, settings.history_interval)


def faust_app(settings: WorkerSettings, kind: type[AnyApp]) -> AnyApp:
    """An app of this worker's group with the settings that were found safe (see docs/operations.md)."""
    broker = settings.kafka.for_faust()
    credentials = faust.SASLCredentials(**broker.sasl) if broker.sasl else broker.ssl_context
    return kind(
        settings.topics.group("evaluator"),
        broker=broker.url,
        broker_credentials=credentials,
        processing_guarantee="at_least_once",
        autodiscover=False,
        # Faust makes this folder; nothing is ever written to it.
        datadir=Path(tempfile.gettempdir()) / "strikeline-faust",
        store="memory://",
        TableManager=DeclaredTables,
        broker_commit_interval=1.0,
        broker_session_timeout=settings.session_timeout,
        broker_heartbeat_interval=settings.heartbeat_interval,
        broker_request_timeout=settings.request_timeout,
        broker_max_poll_records=settings.max_poll_records,
        consumer_auto_offset_reset="earliest",
        producer_acks=-1,
        producer_request_timeout=settings.request_timeout,
        stream_wait_empty=False,
        stream_recovery_delay=0.0,
        table_standby_replicas=0,
        topic_allow_declare=False,
        topic_disable_leader=True,
        topic_partitions=settings.partitions,
        web_enabled=False,
        worker_redirect_stdouts=False,
    )
