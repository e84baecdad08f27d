"""A process that stood still must not go on as if nothing had happened.

Suspended for longer than its session, a worker is no longer a member, and its partitions have another owner.
The broker fences its offset commit but not its records, so it ends before it sends anything.
"""

import logging
import os
import time
from collections.abc import Awaitable, Callable
from typing import Final, NoReturn

from topics.records import Outgoing, Publisher

NO_MEMBER: Final = 75
HEARTBEATS: Final = "heartbeats"
_log = logging.getLogger("strikeline.guard")


def end_process(code: int) -> NoReturn:
    """End at once, without clean-up: whatever is buffered must not be sent."""
    logging.shutdown()
    os._exit(code)


def now() -> float:
    """Seconds that go on while the machine sleeps."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)


class StandstillGuard:
    """Ends the process when more than half the session passed since the last sign of life.

    `alive` is called from the consumer's thread for every heartbeat; `check` before a heartbeat, before sending, and
    before partitions are given away.
    """

    def __init__(
        self,
        session_timeout: float,
        clock: Callable[[], float] = now,
        end: Callable[[int], NoReturn] = end_process,
    ) -> None:
        self._limit = session_timeout / 2
        self._clock = clock
        self._end = end
        self._last: dict[str, float] = {}

    def alive(self, who: str) -> None:
        """A sign of life of a loop; the process ends if its last one is too long ago."""
        self.check()
        self._last[who] = self._clock()

    def forget(self, who: str) -> None:
        """That loop has ended."""
        self._last.pop(who, None)

    def check(self) -> None:
        """End the process if any loop has stood still for too long."""
        at = self._clock()
        for who, last in self._last.items():
            if at - last > self._limit:
                _log.critical(
                    "%s stood still for %.1f s: another worker may own the partitions", who, at - last
                )
                self._end(NO_MEMBER)


def watched(
    heartbeat: Callable[[], Awaitable[bool]], guard: StandstillGuard
) -> Callable[[], Awaitable[bool]]:
    """That coroutine function, with a sign of life for every heartbeat the broker answered with yes.

    The guard is asked first: what wakes up after a suspension ends here, before it can learn that it was given up
    and join again as if nothing had been.
    """

    async def heartbeat_and_tell() -> bool:
        guard.check()
        alive = await heartbeat()
        if alive:
            guard.alive(HEARTBEATS)
        return alive

    return heartbeat_and_tell


class GuardedPublisher:
    """A publisher that asks the guard before every record."""

    def __init__(self, publisher: Publisher, guard: StandstillGuard) -> None:
        self._publisher = publisher
        self._guard = guard

    def send(self, outgoing: Outgoing) -> None:
        """Hand one record over."""
        self._guard.check()
        self._publisher.send(outgoing)

    async def flush(self) -> None:
        """Return when the broker has acknowledged everything sent so far."""
        await self._publisher.flush()
