"""Ends an executor that gets nowhere while there is something to do; a supervisor starts it again.

Consumers fall silent without an error, a database keeps a transaction waiting for ever, and a partition whose
claim was lost to another executor is read by nobody until the group is balanced again. Each partition counts by
itself: one that stands still is not hidden by others that move.
"""

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Mapping
from time import monotonic
from typing import Final, NoReturn

from topics.progress import Progress

NO_PROGRESS: Final = 70
_SILENT: Final = "broker: does not answer"
_log = logging.getLogger("strikeline.watchdog")


def end_process(code: int) -> NoReturn:
    """End at once, without clean-up, which could hang on what already does. The database rolls back."""
    logging.shutdown()
    os._exit(code)


class Watchdog:
    """`look` names who is behind (`topic[partition]`) with a mark that changes with any progress.

    It may fail with TimeoutError or OSError: a broker that does not answer is no progress for anybody.
    """

    def __init__(
        self,
        look: Callable[[], Awaitable[Mapping[str, object]]],
        limit_s: float,
        clock: Callable[[], float] = monotonic,
        end: Callable[[int], NoReturn] = end_process,
    ) -> None:
        self._look = look
        self._limit_s = limit_s
        self._clock = clock
        self._end = end
        self._progress = Progress(limit_s)
        self._behind: Mapping[str, object] = {}

    async def check(self) -> None:
        """Look once; end the process when somebody has not moved for too long."""
        try:
            self._behind = await self._look()
        except (TimeoutError, OSError):
            self._behind = {**self._behind, _SILENT: None}
        stuck = self._progress.see(self._clock(), self._behind)
        if stuck:
            told = "; ".join(f"{who} (at {self._behind[who]})" for who in sorted(stuck)[:20])
            _log.critical("no progress for %.0f s: %s", max(stuck.values()), told)
            self._end(NO_PROGRESS)

    async def run(self) -> None:
        """Check for ever, a dozen times per limit."""
        while True:
            await asyncio.sleep(self._limit_s / 12)
            await self.check()
