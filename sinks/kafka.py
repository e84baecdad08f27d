"""The executor on Kafka: an aiokafka consumer in front of `Executor`, relays behind it.

    assignment   partition n of both topics comes to one member: claim it, seek where the database says
    loop         fetch, one transaction per partition, wake the relays
    revocation   the transaction and the publication in flight end, then the claims are dropped
    watchdog     ends the process when a partition gets nowhere though there is something to do
    reconciler   once a minute compares what should agree, and tells what does not

The group's committed offsets only show others how far we are.
"""

import asyncio
import logging
import random
from collections.abc import Callable
from typing import Final, TypeVar

from aiokafka import TopicPartition
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.errors import IllegalStateError, KafkaError

from sinks.config import ExecutorSettings
from sinks.errors import BeyondEnd, Fenced, RecordsLost
from sinks.executor.core import Executor
from sinks.executor.owned import Claim, Source
from sinks.fetching import by_partition, consumer
from sinks.gateways import Gateways
from sinks.metrics import Metrics
from sinks.orders.accounts import Accounts
from sinks.patience import Patience
from sinks.reconciler.kafka import KafkaLog
from sinks.reconciler.metrics import ReconcilerMetrics
from sinks.reconciler.reconciler import Reconciler
from sinks.reconciler.running import Reconciling
from sinks.relays import Relays
from sinks.watchdog import Watchdog
from topics.admin import TopicAdmin
from topics.failpoints import failpoint
from topics.records import Publisher, Record

T = TypeVar("T")

_POLL_MS: Final = 500
_SHOW_S: Final = 1.0
_ANSWER_S: Final = 10.0
_STUCK_S: Final = 120.0
_log = logging.getLogger("strikeline.executor")


class KafkaExecutor(ConsumerRebalanceListener):  # type: ignore[misc]
    """Runs until `stop` is called or something fails; `run` raises what failed."""

    def __init__(
        self,
        settings: ExecutorSettings,
        executor: Executor,
        publisher: Publisher,
        metrics: Metrics,
        accounts: Accounts | None = None,
    ) -> None:
        self._settings = settings
        self._executor = executor
        self._metrics = metrics
        self._patience = Patience(settings.database_patience, metrics.database_failed)
        metrics.watch_database(lambda: self._patience.away_s)
        self._admin = TopicAdmin(settings.kafka)
        self._consumer = consumer(settings)
        self._relays = Relays(
            executor.engine,
            publisher,
            metrics,
            batch=settings.outbox_batch,
            patience=self._patience,
            stale_s=settings.session_timeout / 2,
        )
        self._gateways = Gateways(
            executor.engine,
            executor.topics,
            accounts,
            timing=settings.timing,
            patience=self._patience,
            reported=self._relays.told,
        )
        self._watchdog = Watchdog(self._look, settings.watchdog_seconds)
        self._log = KafkaLog(settings.kafka, executor.topics)
        self._reconciling = Reconciling(
            Reconciler(
                executor.engine,
                executor.topics,
                self._log,
                interval=settings.base_interval,
                stuck_s=max(settings.reconcile_seconds, _STUCK_S),
                keep_ms=settings.keep_ms,
            ),
            self._relays,
            publisher,
            executor.topics,
            ReconcilerMetrics(metrics.registry),
            settings.reconcile_seconds,
        )
        self._working: tuple[int, int] | None = None
        self._next: dict[TopicPartition, int] = {}
        self._transaction = asyncio.Lock()
        self._ended = asyncio.Event()
        self._failure: BaseException | None = None
        self._shown_at = 0.0

    def stop(self) -> None:
        """End in order, as soon as the transaction in flight is done."""
        self._ended.set()

    async def run(self) -> None:
        """Consume until stopped. Raises Stop, DeliveryFailed, or what database and broker raised."""
        self._consumer.subscribe(list(self._executor.sources), listener=self)
        await self._consumer.start()
        consuming = asyncio.create_task(self._consume())
        relaying = asyncio.create_task(self._relays.run())
        watching = asyncio.create_task(self._watchdog.run())
        if not self._settings.reconcile_seconds:
            self._reconciling.end()
        reconciling = asyncio.create_task(self._reconciling.run())
        trading = asyncio.create_task(self._gateways.run())
        for task in (consuming, relaying, watching, reconciling, trading):
            task.add_done_callback(self._note)
        try:
            await self._ended.wait()
        finally:
            self._ended.set()
            self._patience.give_up()
            await asyncio.wait([consuming])
            self._gateways.end()
            await asyncio.wait([trading])
            self._relays.end()
            await asyncio.wait([relaying])
            self._reconciling.end()
            await asyncio.wait([reconciling])
            watching.cancel()
            await self._consumer.stop()
            self._log.close()
        if self._failure is not None:
            raise self._failure

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Claim what came. aiokafka only logs what is raised in here, so it ends the process from `run`."""
        claiming = asyncio.create_task(self._claim({tp.partition for tp in assigned}))
        claiming.add_done_callback(self._note)
        await asyncio.wait([claiming])

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Wait for what is in flight, then forget what goes: who comes next publishes behind us, not between."""
        async with self._transaction, self._gateways.working, self._relays.publishing:
            for partition in {tp.partition for tp in revoked}:
                self._release(partition)

    async def _claim(self, partitions: set[int]) -> None:
        async with self._transaction:
            states = await asyncio.to_thread(self._admin.describe, self._executor.sources)
            places = [
                TopicPartition(topic, p) for p in sorted(partitions) for topic in self._executor.sources
            ]
            begins = await self._consumer.beginning_offsets(places)
            ends = await self._consumer.end_offsets(places)
            for partition in sorted(partitions):
                mine = [tp for tp in places if tp.partition == partition]
                found = [Source(tp.topic, states[tp.topic].topic_id, begins[tp], ends[tp]) for tp in mine]
                await self._take(partition, found)
        _log.info("claimed partitions %s", sorted(partitions))

    async def _take(self, partition: int, sources: list[Source]) -> None:
        accept_lost = self._settings.lost_records == "rearm"
        claim = await self._in_thread(
            lambda: self._executor.claim(partition, sources, accept_lost=accept_lost)
        )
        self._relays.claimed(claim)
        self._gateways.claimed(claim)
        for topic, offset in claim.next_offsets.items():
            self._next[TopicPartition(topic, partition)] = offset
        self._rewind(partition)

    async def _consume(self) -> None:
        while not self._ended.is_set():
            claims = {partition: self._relays.claim_of(partition) for partition in self._relays}
            batches = await self._consumer.getmany(timeout_ms=_POLL_MS, max_records=self._settings.batch)
            await self._dawdle(bool(batches))
            for partition, records in by_partition(batches).items():
                failpoint("executor.fetched")
                async with self._transaction:
                    await self._apply(partition, claims.get(partition), records)
            await self._show_progress()

    async def _dawdle(self, busy: bool) -> None:
        if busy and self._settings.executor_delay_max:
            await asyncio.sleep(random.uniform(0, self._settings.executor_delay_max))

    async def _apply(self, partition: int, fetched_under: Claim | None, records: list[Record]) -> None:
        claim = self._relays.claim_of(partition)
        if claim is None or claim is not fetched_under:
            # The claim in force decides what is read: go back to where it says.
            self._metrics.dropped(len(records))
            self._rewind(partition)
            return
        await self._unbroken(records)
        self._working = (partition, records[0].offset)
        try:
            applied = await self._in_thread(lambda: self._executor.apply(claim, records))
        except Fenced as fenced:
            _log.warning("given up: %s", fenced)
            self._metrics.fenced()
            self._release(partition)
            return
        finally:
            self._working = None
        for topic, offset in applied.next_offsets.items():
            self._next[TopicPartition(topic, partition)] = offset
        self._metrics.applied(applied.outcomes)
        self._relays.told()
        self._gateways.told()

    async def _unbroken(self, records: list[Record]) -> None:
        """Raise Stop where the broker moved the reader: a client out of range goes on at the topic's beginning."""
        firsts: dict[TopicPartition, int] = {}
        for record in records:
            firsts.setdefault(TopicPartition(record.topic, record.partition), record.offset)
        for tp, found in firsts.items():
            expected = self._next.get(tp, found)
            if found < expected:
                end = (await self._consumer.end_offsets([tp]))[tp]
                raise BeyondEnd(tp.topic, tp.partition, expected, end)
            if found > expected and not self._executor.compacted(tp.topic):
                begin = (await self._consumer.beginning_offsets([tp]))[tp]
                if begin > expected:
                    raise RecordsLost(tp.topic, tp.partition, expected, begin)

    async def _look(self) -> dict[str, object]:
        """Who is behind, for the watchdog: partitions not read to the end or not ours, and a transaction that runs.

        A database that does not answer holds up everything. It is waited for as long as the settings say, and named
        alone: only then does standing still begin to count.
        """
        if (away_s := self._patience.away_s) > 0:
            mark = away_s if away_s < self._patience.limit_s else "longer than it is waited for"
            return {"database": mark}
        assigned = sorted(self._consumer.assignment())
        try:
            async with asyncio.timeout(_ANSWER_S):
                ends = await self._consumer.end_offsets(assigned) if assigned else {}
                places = {tp: await self._consumer.position(tp) for tp in assigned}
        except (KafkaError, IllegalStateError) as error:
            raise TimeoutError(str(error)) from error
        behind: dict[str, object] = {}
        for tp in assigned:
            if self._relays.claim_of(tp.partition) is None:
                behind[f"{tp.topic}[{tp.partition}]"] = "assigned to us, claimed by another executor"
            elif places[tp] < ends[tp]:
                behind[f"{tp.topic}[{tp.partition}]"] = f"offset {places[tp]}, claim {self._next.get(tp)}"
        if self._working is not None:
            partition, offset = self._working
            behind[f"database, partition {partition}"] = f"a transaction from offset {offset} on"
        return behind

    def _rewind(self, partition: int) -> None:
        for tp, offset in self._next.items():
            if tp.partition == partition and tp in self._consumer.assignment():
                self._consumer.seek(tp, offset)

    def _release(self, partition: int) -> None:
        self._relays.released(partition)
        self._gateways.released(partition)
        self._next = {tp: offset for tp, offset in self._next.items() if tp.partition != partition}

    async def _show_progress(self) -> None:
        """Commit to the group now and then, so that its lag can be seen."""
        now = asyncio.get_running_loop().time()
        mine = {tp: offset for tp, offset in self._next.items() if tp in self._consumer.assignment()}
        if not mine or now - self._shown_at < _SHOW_S:
            return
        self._shown_at = now
        try:
            await self._consumer.commit(mine)
        except (KafkaError, IllegalStateError) as late:
            # Only a display: the group has moved on, or the broker is away and will be asked again.
            _log.info("offsets not shown to the group: %s", late)

    def _note(self, task: "asyncio.Task[None]") -> None:
        """A task ended: with an error, everything does."""
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._failure = self._failure or error
            self._ended.set()

    async def _in_thread(self, action: Callable[[], T]) -> T:
        return await asyncio.to_thread(self._patience.run, action)
