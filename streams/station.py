"""All partitions of one worker: given by the group, rebuilt from the tables, fed, checkpointed, taken away.

Faust and the in-process bus drive the same station; neither knows what happens inside.
"""

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from time import monotonic

from streams.checkpoint import Acks, Checkpoint, Revoked
from streams.history import History, KlinesUnreadable
from streams.lane import Lane
from streams.partition import PartitionEvaluator
from streams.recovery import recover
from streams.rows import SuspectEntry, suspect_key
from streams.store import RowStore
from topics.failpoints import failpoint
from topics.records import Publisher, Record
from topics.registry import Topics
from topics.tiers import Tiers

_log = logging.getLogger("strikeline.evaluator")


@dataclass(frozen=True)
class Rules:
    """How far klines may run beyond an unanswered trigger (bars), how long they wait for its answer (seconds), how many
    missing bars of a symbol are filled (law 4), and what users may have.
    """

    hold_bars: int = 500
    hold_seconds: float = 30.0
    fill_up_to: int = 5
    tiers: Tiers = Tiers()  # noqa: RUF009 (frozen)


class Station:
    """The lanes of the partitions that this worker owns now. `failed` is told what nobody foresaw, and the
    record.
    """

    def __init__(
        self,
        topics: Topics,
        publisher: Publisher,
        store: RowStore,
        history: History,
        acks: Acks,
        rules: Rules,
        failed: Callable[[BaseException], None],
        pressure: Callable[[int, bool], None] = lambda partition, high: None,
    ) -> None:
        self.lanes: dict[int, Lane] = {}
        self.counters: Counter[str] = Counter()
        self.sources = tuple(spec.name for spec in (topics.klines, topics.alerts, topics.user_alerts))
        self._topics = topics
        self._publisher = publisher
        self._store = store
        self._history = history
        self._rules = rules
        self._failed = failed
        self._pressure = pressure
        self._checkpoint = Checkpoint(topics, publisher, store, acks)
        self._epoch = 0
        self._running = False
        self._blamed: Lane | None = None
        self._broken = False

    def epoch(self) -> int:
        """Changes whenever partitions come or go."""
        return self._epoch

    async def assign(self, partitions: Iterable[int]) -> None:
        """Rebuild these from the tables; what was there before is gone. A newer call or `revoke` makes it
        stop.
        """
        self.revoke()
        epoch, wanted = self._epoch, sorted(partitions)
        lanes: dict[int, Lane] = {}
        for partition in wanted:
            state = await recover(self._store, partition, self._history, self._rules.fill_up_to)
            if epoch != self._epoch:
                return
            failpoint("recovery.partition")
            evaluator = PartitionEvaluator(
                partition, self._topics, self._publisher.send, hold_bars=self._rules.hold_bars, state=state,
                older=self._history.older, tiers=self._rules.tiers,
            )  # fmt: skip
            lanes[partition] = Lane(evaluator, self._history, self.sources[0], self._break, self._pressure)
        repaired = await self._checkpoint.repair(wanted)
        if epoch != self._epoch:
            return
        self.lanes = lanes
        self.counters["repaired_rows"] += repaired
        self.counters["assignments"] += 1
        _log.info("assigned partitions %s, %d rows written again", wanted, repaired)

    def revoke(self) -> None:
        """Drop everything in memory: unwritten results are made again, by whoever gets the partitions."""
        self._epoch += 1
        lanes, self.lanes = self.lanes, {}
        for lane in lanes.values():
            self._retire(lane)

    def offer(self, record: Record) -> None:
        """Take a record of a source topic; one of a partition that is gone is dropped."""
        lane = self.lanes.get(record.partition)
        if lane is not None:
            self._blamed = lane
            lane.offer(record)
            self._blamed = None

    def expected(self, topic: str, partition: int) -> int | None:
        """The next offset to be offered of a source; None for a partition that is gone."""
        lane = self.lanes.get(partition)
        return None if lane is None else lane.expected(topic)

    async def checkpoint(self) -> bool:
        """Persist and ack what changed in all partitions; False when nothing did, or one is under way
        already.
        """
        if self._running or self._broken or self._blamed is not None:
            return False
        self._running = True
        try:
            return await self._run_checkpoint()
        except Revoked:
            self.counters["checkpoints_dropped"] += 1
            return False
        finally:
            self._running = False

    async def _run_checkpoint(self) -> bool:
        epoch = self._epoch
        self._end_waits()
        frozen = [f for lane in self.lanes.values() if (f := lane.evaluator.freeze()) is not None]
        if not frozen:
            return False
        await self._checkpoint.run(frozen, lambda: epoch == self._epoch)
        self.counters["checkpoints"] += 1
        return True

    def next_offsets(self) -> Mapping[tuple[str, int], int]:
        """Where each source of each partition is to be read on, by (topic, partition)."""
        return {
            (topic, partition): lane.evaluator.next_offset(topic)
            for partition, lane in self.lanes.items()
            for topic in self.sources
        }

    def totals(self) -> Counter[str]:
        """Counters of this life, over all partitions it had."""
        total = Counter(self.counters)
        total["history_refused"] = len(self._history.older.refused)
        total["history_broken_rows"] = self._history.older.broken_rows
        for lane in self.lanes.values():
            total.update(lane.evaluator.totals())
        return total

    @property
    def held(self) -> int:
        """Groups whose trigger awaits its answer, now."""
        return sum(lane.evaluator.held for lane in self.lanes.values())

    async def settle(self) -> None:
        """Return when no partition has anything under way."""
        for lane in list(self.lanes.values()):
            await lane.settle()

    @property
    def culprit(self) -> Record | None:
        """The record on which an unforeseen error happened; nothing is persisted any more and the process
        must end.
        """
        return None if self._blamed is None else self._blamed.evaluator.at

    async def remember_culprit(self) -> None:
        """Note the culprit in the tables: after the third death on one record it is dead-lettered (see
        DEATHS).
        """
        record = self.culprit
        if record is None:
            return
        key = suspect_key(record.topic)
        kept = self._store.rows("partitions", record.partition).get(key)
        before = kept.entry if kept is not None else None
        deaths = before.deaths if isinstance(before, SuspectEntry) and before.offset == record.offset else 0
        await self._checkpoint.note(record.partition, key, SuspectEntry(record.offset, deaths + 1))

    def _end_waits(self) -> None:
        for lane in self.lanes.values():
            if lane.waiting_since is not None and monotonic() - lane.waiting_since > self._rules.hold_seconds:
                seconds, partition = self._rules.hold_seconds, lane.evaluator.partition
                _log.warning("partition %d: no answer to a trigger for %.0f s, going on", partition, seconds)
                lane.lose_patience()

    def _break(self, lane: Lane, error: BaseException) -> None:
        self._broken = True
        if not isinstance(error, KlinesUnreadable):
            # A broker that did not answer is not the record's fault, which must not become its third death.
            self._blamed = lane
        self._failed(error)

    def _retire(self, lane: Lane) -> None:
        self.counters.update(lane.evaluator.totals())
        lane.close()
