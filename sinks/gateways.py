"""The gateways of all owned partitions, worked through one after the other: an account is one client's at a time."""

import asyncio
from collections.abc import Callable
from typing import Final

from sqlalchemy import Engine

from sinks.errors import Fenced
from sinks.executor.owned import Claim
from sinks.orders.accounts import Accounts
from sinks.orders.gateway import Gateway, Timing
from sinks.orders.strays import tell_strays
from sinks.patience import Patience
from topics.registry import Topics

_PAUSE_S: Final = 0.5


class Gateways:
    """One gateway per claimed partition. `claimed` and `released` follow the assignment; `told`: something was meant to
    be sent. `reported`: there are reports to publish. Without accounts nothing is ever done.
    """

    def __init__(
        self,
        engine: Engine,
        topics: Topics,
        accounts: Accounts | None,
        *,
        timing: Timing,
        patience: Patience,
        reported: Callable[[], None],
    ) -> None:
        self.working = asyncio.Lock()
        self._engine = engine
        self._topics = topics
        self._accounts = accounts
        self._timing = timing
        self._patience = patience
        self._reported = reported
        self._gateways: dict[int, Gateway] = {}
        self._told = asyncio.Event()
        self._ending = False

    def claimed(self, claim: Claim) -> None:
        """See to this partition's orders from now on, beginning with what its last owner left underway."""
        if self._accounts is not None:
            self._gateways[claim.partition] = Gateway(
                self._engine, claim, self._topics, self._accounts, self._timing, patience=self._patience
            )
            self.told()

    def released(self, partition: int) -> None:
        """Send nothing more of this partition."""
        self._gateways.pop(partition, None)

    def told(self) -> None:
        """There may be a new intent."""
        self._told.set()

    def end(self) -> None:
        """End after the order in hand: what is recorded is seen to by whoever claims the partition next."""
        self._ending = True
        self._told.set()

    async def run(self) -> None:
        """Work until told to end. Raises what the database raised."""
        if self._accounts is None:
            return
        await asyncio.to_thread(tell_strays, self._engine, self._accounts)
        while not self._ending:
            self._told.clear()
            done = 0
            for gateway in tuple(self._gateways.values()):
                done += await self._work(gateway)
            if done:
                self._reported()
                continue
            try:
                async with asyncio.timeout(_PAUSE_S):
                    await self._told.wait()
            except TimeoutError:
                continue

    async def _work(self, gateway: Gateway) -> int:
        partition = gateway.claim.partition
        async with self.working:
            if self._ending or self._gateways.get(partition) is not gateway:
                return 0
            try:
                return await asyncio.to_thread(gateway.run_once)
            except Fenced:
                self.released(partition)
                return 0
