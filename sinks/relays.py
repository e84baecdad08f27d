"""The relays of all owned partitions, published together: one flush of the producer serves them all."""

import asyncio
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from sqlalchemy import Engine

from sinks.errors import Fenced
from sinks.executor.owned import Claim
from sinks.executor.relay import Relay, Waiting
from sinks.metrics import Metrics
from sinks.patience import Patience
from topics.failpoints import failpoint
from topics.records import Publisher

T = TypeVar("T")


def _now() -> float:
    """Seconds that go on while the process is stopped or the machine sleeps."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class Relays:
    """One relay per claimed partition. `claimed` and `released` follow the assignment; `told` wakes the loop."""

    def __init__(
        self,
        engine: Engine,
        publisher: Publisher,
        metrics: Metrics,
        *,
        batch: int,
        patience: Patience,
        stale_s: float = 5.0,
        clock: Callable[[], float] = _now,
    ) -> None:
        self.publishing = asyncio.Lock()
        self._stale_s = stale_s
        self._clock = clock
        self._engine = engine
        self._publisher = publisher
        self._metrics = metrics
        self._batch = batch
        self._patience = patience
        self._relays: dict[int, Relay] = {}
        self._told = asyncio.Event()
        self._ending = False

    def __iter__(self) -> Iterator[int]:
        """The claimed partitions."""
        return iter(sorted(self._relays))

    def claim_of(self, partition: int) -> Claim | None:
        """The claim in force, None for a partition that is not ours."""
        relay = self._relays.get(partition)
        return None if relay is None else relay.claim

    def claims(self) -> tuple[Claim, ...]:
        """The claims in force, by partition."""
        return tuple(relay.claim for _, relay in sorted(self._relays.items()))

    def claimed(self, claim: Claim) -> None:
        """Publish what this partition tells from now on, beginning with what its last owner left."""
        self._relays[claim.partition] = Relay(self._engine, claim, self._batch)
        self._metrics.owns(len(self._relays))
        self.told()

    def released(self, partition: int) -> None:
        """Publish nothing more of this partition."""
        self._relays.pop(partition, None)
        self._metrics.owns(len(self._relays))

    def told(self) -> None:
        """There is something in an outbox."""
        self._told.set()

    def end(self) -> None:
        """Publish what there is, then end."""
        self._ending = True
        self._told.set()

    async def run(self) -> None:
        """Publish whenever there is something. Raises DeliveryFailed; the rows then stay for the next
        process.
        """
        while True:
            await self._told.wait()
            self._told.clear()
            while await self._publish():
                pass
            if self._ending:
                return

    async def _publish(self) -> int:
        """One batch of every partition; how many rows."""
        async with self.publishing:
            return await self._publish_batch()

    async def _publish_batch(self) -> int:
        busy: list[tuple[Relay, list[Waiting]]] = []
        for relay in tuple(self._relays.values()):
            if rows := await self._read(relay):
                relay.send(self._publisher, rows)
                busy.append((relay, rows))
        if not busy:
            return 0
        await self._publisher.flush()
        failpoint("relay.acknowledged")
        for relay, rows in busy:
            await self._forget(relay, rows)
        count = sum(len(rows) for _, rows in busy)
        self._metrics.published(count)
        return count

    async def _read(self, relay: Relay) -> list[Waiting]:
        """Rows to be sent at once. What was read before a standstill may be another's by now: an old snapshot sent
        behind its newer one would stay, so it is read again under the epoch.
        """
        while True:
            began = self._clock()
            rows = await self._waiting(relay)
            if not rows or self._clock() - began < self._stale_s:
                return rows

    async def _waiting(self, relay: Relay) -> list[Waiting]:
        try:
            return await self._in_thread(relay.waiting)
        except Fenced:
            self._fenced(relay)
            return []

    async def _forget(self, relay: Relay, rows: list[Waiting]) -> None:
        try:
            await self._in_thread(lambda: relay.forget(rows))
        except Fenced:
            self._fenced(relay)

    def _fenced(self, relay: Relay) -> None:
        if self._relays.get(relay.claim.partition) is relay:
            self._metrics.fenced()
            self.released(relay.claim.partition)

    async def _in_thread(self, action: Callable[[], T]) -> T:
        return await asyncio.to_thread(self._patience.run, action)
