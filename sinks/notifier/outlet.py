"""The way to one channel: messages in order, tries with pauses between them, and an end to trying.

A channel that fails makes its own messages wait, and nobody else's. What piles up behind a failure goes as one digest;
what is more than `most` alerts is given up at once, so that memory has a bound too.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

from sinks.notifier import texts
from sinks.notifier.channel import Channel
from sinks.notifier.errors import ChannelFailed
from sinks.notifier.metrics import Metrics
from sinks.notifier.pending import Pending


class Retry(NamedTuple):
    """`attempts` in all; `backoff_s` before the second, four times as long before each further one, at most
    `longest_s`.
    """

    attempts: int = 5
    backoff_s: float = 1.0
    longest_s: float = 60.0
    most: int = 5_000

    def pause_s(self, failed: int) -> float:
        """How long to wait after so many failed attempts."""
        return min(self.backoff_s * 4.0 ** (failed - 1), self.longest_s)


class Outlet:
    """`failed` is told of every alert that is given up, with the reason, before the alert is settled; `broken` of an
    error that nobody foresaw.
    """

    def __init__(
        self,
        channel: Channel,
        retry: Retry,
        failed: Callable[[Pending, str, str], None],
        broken: Callable[[BaseException], None],
        metrics: Metrics,
    ) -> None:
        self._channel = channel
        self._retry = retry
        self._failed = failed
        self._broken = broken
        self._metrics = metrics
        self._waiting: deque[list[Pending]] = deque()
        self._alerts = 0
        self._failing = False
        self._ending = False
        self._work: asyncio.Task[None] | None = None

    def put(self, alerts: Sequence[Pending]) -> None:
        """Send these as one message, after those that were put before."""
        room = max(self._retry.most - self._alerts, 0)
        if len(alerts) > room:
            self._give_up(alerts[room:], f"{self._alerts} alerts wait for it already")
        if kept := list(alerts[:room]):
            self._alerts += len(kept)
            self._waiting.append(kept)
            if self._work is None:
                self._work = asyncio.ensure_future(self._run())
                self._work.add_done_callback(self._ended)

    @property
    def task(self) -> "asyncio.Task[None] | None":
        """What sends, while there is something to send."""
        return self._work

    def end(self) -> None:
        """Send no more but what is under way, which `task` is then done with; the rest is left to the next owner."""
        self._ending = True
        self._waiting.clear()

    def close(self) -> None:
        """Send no more, and forget what is under way."""
        self.end()
        if self._work is not None:
            self._work.cancel()

    async def _run(self) -> None:
        while self._waiting:
            if self._failing:
                self._waiting = deque([[alert for alerts in self._waiting for alert in alerts]])
            alerts = self._waiting.popleft()
            await self._deliver(alerts)
            self._alerts -= len(alerts)
        self._work = None

    def _ended(self, task: "asyncio.Task[None]") -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._broken(error)

    async def _deliver(self, alerts: list[Pending]) -> None:
        text = _text(alerts)
        for attempt in range(1, self._retry.attempts + 1):
            try:
                await self._channel.send(*text)
            except ChannelFailed as failed:
                self._failing = True
                if self._ending:
                    return
                last = attempt == self._retry.attempts
                if last or not failed.again:
                    tries = f" ({attempt} attempts)" if attempt > 1 else ""
                    self._give_up(alerts, f"{failed.reason}{tries}")
                    return
                self._metrics.retried(self._channel.scheme)
                await asyncio.sleep(self._retry.pause_s(attempt))
            else:
                self._failing = False
                self._metrics.sent(self._channel.scheme, len(alerts))
                for alert in alerts:
                    alert.settle(self._channel.name, taken=True)
                return

    def _give_up(self, alerts: Sequence[Pending], reason: str) -> None:
        self._metrics.gave_up(self._channel.scheme, len(alerts))
        for alert in alerts:
            self._failed(alert, self._channel.name, reason)
            alert.settle(self._channel.name, taken=False)


def _text(alerts: Sequence[Pending]) -> texts.Text:
    fresh = [alert.fired for alert in alerts if not alert.old]
    old = [alert.fired for alert in alerts if alert.old]
    return texts.of_one(fresh[0]) if len(fresh) == 1 and not old else texts.of_many(fresh, old)
