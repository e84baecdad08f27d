"""Ends a worker that gets nowhere while there is something to do; a supervisor starts it again.

Faust's recovery can hang and its consumers can fall silent without an error, and then the client's own idea
of the end of a topic stands still too: the ends are asked of the broker. Records handled, changelogs read and
partitions assigned all count as progress.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from time import monotonic
from typing import Final, NamedTuple, NoReturn

from streams.guard import end_process

NO_PROGRESS: Final = 70
_log = logging.getLogger("strikeline.watchdog")
Address = tuple[str, int]


class Sight(NamedTuple):
    """What can be seen of the work: `mark` changes with any progress, `behind` names what is not done, and
    how far.
    """

    mark: object
    behind: Mapping[Address, str]


class Watchdog:
    """`look` may fail with TimeoutError or OSError: a broker that does not answer is no progress."""

    def __init__(
        self,
        look: Callable[[], Awaitable[Sight]],
        limit_s: float,
        clock: Callable[[], float] = monotonic,
        end: Callable[[int], NoReturn] = end_process,
    ) -> None:
        self._look = look
        self._limit = limit_s
        self._clock = clock
        self._end = end
        self._mark: object = None
        self._since = clock()
        self._behind: Mapping[Address, str] = {}

    async def check(self) -> None:
        """Look once; end the process when nothing has moved for too long."""
        try:
            sight = await self._look()
        except (TimeoutError, OSError) as error:
            sight = Sight(self._mark, self._behind or {("broker", 0): f"does not answer: {error!r}"})
        self._behind = sight.behind
        if sight.mark != self._mark or not sight.behind:
            self._mark, self._since = sight.mark, self._clock()
            return
        stuck = self._clock() - self._since
        if stuck >= self._limit:
            _log.critical("no progress for %.0f s: %s", stuck, _told(sight.behind))
            self._end(NO_PROGRESS)

    async def run(self) -> None:
        """Check for ever, a dozen times per limit."""
        while True:
            await asyncio.sleep(self._limit / 12)
            await self.check()


def _told(behind: Mapping[Address, str]) -> str:
    return "; ".join(
        f"{topic}[{partition}]{what}" for (topic, partition), what in sorted(behind.items())[:20]
    )
