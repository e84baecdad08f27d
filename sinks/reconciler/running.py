"""The reconciler beside a running executor: looks at the partitions that the executor owns, again and again.

In the same process, because it is then always there, needs nothing to be deployed, and knows which partitions are
ours. It cannot tell that this process is gone, or hangs: that is what the supervisor and `strikeline status` are for,
which makes the same comparison from outside.
"""

import asyncio
import logging
from contextlib import suppress
from typing import Final, Protocol

from confluent_kafka import KafkaException
from sqlalchemy.exc import DBAPIError

from sinks.executor import outbox
from sinks.executor.owned import Claim
from sinks.patience import passing
from sinks.reconciler.metrics import ReconcilerMetrics
from sinks.reconciler.reconciler import Look, Reconciler
from topics.records import Publisher
from topics.registry import Topics

_REFUSED: Final = (KafkaException, TimeoutError, OSError)
_BROKEN: Final = (ArithmeticError, LookupError, ValueError, TypeError)
_log = logging.getLogger("strikeline.reconciler")


class Owner(Protocol):
    """Who owns partitions, and publishes for them."""

    publishing: asyncio.Lock

    def claims(self) -> tuple[Claim, ...]:
        """The claims in force."""


class Reconciling:
    """Takes a look at every owned partition each `every_s` seconds, and tells what is new."""

    def __init__(
        self,
        reconciler: Reconciler,
        owner: Owner,
        publisher: Publisher,
        topics: Topics,
        metrics: ReconcilerMetrics,
        every_s: float,
    ) -> None:
        self._reconciler = reconciler
        self._owner = owner
        self._publisher = publisher
        self._topics = topics
        self._metrics = metrics
        self._every_s = every_s
        self._known: set[int] = set()
        self._ending = asyncio.Event()

    def end(self) -> None:
        """Take no further look."""
        self._ending.set()

    async def run(self) -> None:
        """Until told to end. Raises DeliveryFailed, and SQLAlchemy's DBAPIError where it is a defect."""
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ending.wait(), self._every_s)
            if self._ending.is_set():
                return
            await self.go_round()

    async def go_round(self) -> None:
        """Every owned partition once."""
        claims = self._owner.claims()
        for gone in self._known - {claim.partition for claim in claims}:
            self._reconciler.forget(gone)
            self._metrics.forgotten(gone)
        self._known = {claim.partition for claim in claims}
        looked = 0
        for claim in claims:
            if self._ending.is_set():
                return
            looked += await self._look(claim)
        if looked == len(claims):
            self._metrics.went_round()

    async def _look(self, claim: Claim) -> bool:
        """Never worth the executor's life: what cannot be read now is read in a minute, and counted."""
        try:
            look = await asyncio.to_thread(self._reconciler.look, claim.partition, claim.epoch)
        except DBAPIError as error:
            if passing(error) is None:
                raise
            return self._refused(claim, error)
        except _REFUSED as error:
            return self._refused(claim, error)
        except _BROKEN:
            _log.exception("partition %d cannot be compared: look at its rows", claim.partition)
            self._metrics.failed()
            return False
        if look is not None:
            self._metrics.looked(look)
            await self._tell(look)
        return True

    def _refused(self, claim: Claim, error: Exception) -> bool:
        _log.warning("partition %d was not looked at: %s", claim.partition, str(error).splitlines()[:1])
        self._metrics.failed()
        return False

    async def _tell(self, look: Look) -> None:
        for finding in look.new:
            _log.warning("difference %s", finding.event_id + ": " + finding.reason)
        events = look.events()
        if not events:
            return
        async with self._owner.publishing:
            for told in events:
                self._publisher.send(outbox.message(told, self._topics))
            await self._publisher.flush()
