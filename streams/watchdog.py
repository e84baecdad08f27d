"""Ends a worker that gets nowhere while there is something to do; a supervisor starts it again.

Faust's recovery can hang and its consumers can fall silent without an error, and then the client's own idea
of the end of a topic stands still too: the ends are asked of the broker. Each partition counts by itself: one that
stands still is not hidden by others that move. Records handled and klines read back count as its progress.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from time import monotonic
from typing import Final, NamedTuple, NoReturn

from streams.guard import end_process
from topics.progress import Progress

NO_PROGRESS: Final = 70
_SILENT: Final = "broker"
_log = logging.getLogger("strikeline.watchdog")


class Behind(NamedTuple):
    """What is not done: `mark` changes with any progress on it, `told` says how far it is."""

    mark: object
    told: str


class Watchdog:
    """`look` names everything that is behind.

    It may fail with TimeoutError or OSError: a broker that does not answer is no progress for anybody.
    """

    def __init__(
        self,
        look: Callable[[], Awaitable[Mapping[str, Behind]]],
        limit_s: float,
        clock: Callable[[], float] = monotonic,
        end: Callable[[int], NoReturn] = end_process,
    ) -> None:
        self._look = look
        self._limit = limit_s
        self._clock = clock
        self._end = end
        self._progress = Progress(limit_s)
        self._behind: Mapping[str, Behind] = {}

    async def check(self) -> None:
        """Look once; end the process when something has not moved for too long."""
        try:
            self._behind = await self._look()
        except (TimeoutError, OSError) as error:
            self._behind = {**self._behind, _SILENT: Behind(None, f" does not answer: {error!r}")}
        stuck = self._progress.see(self._clock(), {who: one.mark for who, one in self._behind.items()})
        if stuck:
            told = "; ".join(f"{who}{self._behind[who].told}" for who in sorted(stuck)[:20])
            _log.critical("no progress for %.0f s: %s", max(stuck.values()), told)
            self._end(NO_PROGRESS)

    async def run(self) -> None:
        """Check for ever, a dozen times per limit."""
        while True:
            await asyncio.sleep(self._limit / 12)
            await self.check()
