"""The executor in one process with everything else, on the memory bus: for tests, replays and demos.

The same `Executor` and `Relay` as on Kafka, driven step by step and without threads, so that a run is
deterministic.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from contextlib import suppress

from sqlalchemy import Engine

from sinks.capital.store import Balances
from sinks.errors import Fenced
from sinks.executor.core import Executor
from sinks.executor.decision import Rules
from sinks.executor.owned import Claim, Source
from sinks.executor.relay import Relay
from sinks.orders.accounts import Accounts
from sinks.orders.gateway import Gateway, Timing, wall_clock
from topics.bus import MemoryBus, MemoryConsumer, MemoryPublisher, NotOwner, TopicPartition
from topics.records import Record
from topics.registry import Topics


class ExecutorWorker:
    """One executor on `bus`. `batch` records at most are one transaction; `seed` shuffles partitions. With `accounts`
    it trades, at the pace of `timing` on `clock`.

    The database must be migrated. Several workers of one bus share the partitions, as processes would.
    """

    def __init__(
        self,
        bus: MemoryBus,
        engine: Engine,
        topics: Topics,
        rules: Rules,
        *,
        batch: int = 500,
        seed: int | None = None,
        owner: str = "in-process",
        accept_lost: bool = False,
        balances: Balances | None = None,
        accounts: Accounts | None = None,
        timing: Timing | None = None,
        clock: Callable[[], int] = wall_clock,
    ) -> None:
        self.executor = Executor(engine, topics, rules, owner)
        self.executor.begin(balances)
        self.publisher = MemoryPublisher(bus)
        self._bus = bus
        self._batch = batch
        self._accept_lost = accept_lost
        self._claims: dict[int, Claim] = {}
        self._relays: dict[int, Relay] = {}
        self._gateways: dict[int, Gateway] = {}
        self._trading = None if accounts is None else (accounts, timing, clock)
        self._closed = False
        self._unclaimed: set[int] = set()
        self.consumer = MemoryConsumer(
            bus, topics.group("executor"), self.executor.sources, seed=seed, reset="error", listener=self
        )

    @property
    def partitions(self) -> frozenset[int]:
        """Partitions that it claimed and was not fenced from."""
        return frozenset(self._claims)

    def revoked(self, partitions: frozenset[TopicPartition]) -> None:
        """Give partitions up; what was not applied is read by the next owner."""
        for _, partition in partitions:
            self._give_up(partition)
            self._unclaimed.discard(partition)

    def assigned(self, partitions: frozenset[TopicPartition]) -> None:
        """Partitions of both topics came; they are claimed before anything is read from them."""
        self._unclaimed.update(partition for _, partition in partitions)

    async def run_once(self) -> int:
        """Apply what one poll gives and publish what it told. Returns records and outbox rows handled."""
        self._claim_new()
        handled = 0
        for partition, records in _by_partition(self.consumer.poll(self._batch)).items():
            handled += self._apply(partition, records)
        for partition in sorted(self._relays):
            handled += await self._relay(partition)
        return handled + sum(self._trade(partition) for partition in sorted(self._gateways))

    async def run_until_idle(self) -> int:
        """Go on until there is nothing to apply and nothing to publish. Returns how much there was."""
        total = 0
        while handled := await self.run_once():
            total += handled
        return total

    def close(self) -> None:
        """Leave the group in order."""
        self.consumer.close()

    def crash(self) -> None:
        """Die: what was sent and not flushed is gone, what was not committed is rolled back."""
        self.publisher.crash()
        self.consumer.crash()
        self._claims.clear()
        self._relays.clear()
        self._gateways.clear()

    def _claim_new(self) -> None:
        for partition in sorted(self._unclaimed):
            claim = self.executor.claim(partition, self._sources(partition), accept_lost=self._accept_lost)
            for topic, offset in claim.next_offsets.items():
                self.consumer.seek((topic, partition), offset)
            self._claims[partition] = claim
            self._relays[partition] = Relay(self.executor.engine, claim)
            if self._trading is not None:
                self._gateways[partition] = Gateway(
                    self.executor.engine, claim, self.executor.topics, *self._trading
                )
            self._unclaimed.discard(partition)

    def _apply(self, partition: int, records: list[Record]) -> int:
        claim = self._claims.get(partition)
        if claim is None:
            return 0
        try:
            applied = self.executor.apply(claim, records)
        except Fenced:
            self._give_up(partition)
            return 0
        with suppress(NotOwner):  # the database's offsets are the truth; these only show how far we are
            self.consumer.commit({(topic, partition): n for topic, n in applied.next_offsets.items()})
        return len(records)

    async def _relay(self, partition: int) -> int:
        try:
            return await self._relays[partition].run_once(self.publisher)
        except Fenced:
            self._give_up(partition)
            return 0

    def _trade(self, partition: int) -> int:
        try:
            return self._gateways[partition].run_once()
        except Fenced:
            self._give_up(partition)
            return 0

    def _give_up(self, partition: int) -> None:
        self._claims.pop(partition, None)
        self._relays.pop(partition, None)
        self._gateways.pop(partition, None)

    def _sources(self, partition: int) -> Iterable[Source]:
        for topic in self.executor.sources:
            begin, end = self._bus.begin(topic, partition), self._bus.end(topic, partition)
            yield Source(topic, self._bus.topic_id(topic), begin, end)


def _by_partition(records: list[Record]) -> dict[int, list[Record]]:
    by_partition: defaultdict[int, list[Record]] = defaultdict(list)
    for record in records:
        by_partition[record.partition].append(record)
    return dict(by_partition)
