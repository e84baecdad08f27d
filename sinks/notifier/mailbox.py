"""A user's rate limit: which alerts go at once, and which wait for the digest. Pure: times come from outside."""

from collections import deque
from typing import Final

from sinks.notifier.directory import Limits
from sinks.notifier.pending import Pending

_MINUTE_S: Final = 60.0
FULL: Final = 1_000
"""So many alerts fill a digest: it goes after FULL_S, if the limit has room, lest they are under way for long."""
FULL_S: Final = 10.0


class Mailbox:
    """`waiting`: what the next digest will hold, in order."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._sent: deque[float] = deque()
        self._since_s = 0.0
        self.waiting: list[Pending] = []

    def add(self, alert: Pending, now_s: float) -> bool:
        """Take in one alert. True: it goes at once. While some wait the next one waits too, so that none overtakes."""
        if not alert.old and not self.waiting and self._room(now_s):
            self._sent.append(now_s)
            return True
        if not self.waiting:
            self._since_s = now_s
        self.waiting.append(alert)
        return False

    def due(self, now_s: float) -> bool:
        """Whether the digest goes now."""
        if not self.waiting:
            return False
        waited_s = now_s - self._since_s
        if waited_s >= self._limits.digest_seconds:
            return True
        return waited_s >= FULL_S and len(self.waiting) >= FULL and self._room(now_s)

    def digest(self, now_s: float) -> list[Pending]:
        """All that waits, as one message; it counts as one."""
        waiting, self.waiting = self.waiting, []
        self._sent.append(now_s)
        return waiting

    def _room(self, now_s: float) -> bool:
        while self._sent and self._sent[0] <= now_s - _MINUTE_S:
            self._sent.popleft()
        return len(self._sent) < self._limits.messages_per_minute
