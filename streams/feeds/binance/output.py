"""What the sequences say, as records on the topic."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from typing import Final

from schemas.market import Kline, Tick
from streams.feeds.binance.metrics import FeedMetrics
from streams.feeds.binance.sequence import Out, Restated
from streams.feeds.publish import Feed, Published
from topics.records import Publisher

_ACKNOWLEDGED_EVERY_S: Final = 1.0
_ROOM: Final = 20_000
"""Records handed over without an acknowledgement: well below any client's queue."""
_log = logging.getLogger("strikeline.feed")

Progress = Callable[[Published], None]


class Output:
    """Sends in order; `published` may be read at any time."""

    def __init__(
        self, publisher: Publisher, topic: str, feed: str, interval: str, metrics: FeedMetrics
    ) -> None:
        self.published = Published()
        self._publisher = publisher
        self._words = Feed(publisher, topic, feed, interval)
        self._metrics = metrics
        self._unacknowledged = 0
        self._began = time.monotonic()

    def send(self, out: Iterable[Out], heard_ms: int = 0) -> None:
        """Hand over; a bar that is still forming has no event time but the instant `heard_ms` at which it was told."""
        for message in out:
            if isinstance(message, Restated):
                self._restated(message)
            elif isinstance(message, Kline):
                closes = message.close_time_ms if message.closed else heard_ms
                self._hand_over(message, closes, "kline" if message.closed else "forming")
            else:
                self._hand_over(message, message.time_ms, "tick")

    def _hand_over(self, message: Kline | Tick, time_ms: int, kind: str) -> None:
        self._publisher.send(self._words.outgoing(message, time_ms))
        self._unacknowledged += 1
        self._metrics.sent(kind)
        done = self.published
        if kind == "tick":
            done.ticks += 1
        elif kind == "kline":
            done.klines += 1
            done.first_ms = time_ms if done.first_ms is None else min(done.first_ms, time_ms)
            done.last_ms = time_ms if done.last_ms is None else max(done.last_ms, time_ms)

    def _restated(self, told: Restated) -> None:
        self._metrics.bars("restated")
        _log.warning("restated, the first stays: %s, now %s", told.before, told.now)

    async def make_room(self) -> None:
        """Wait for acknowledgements where many are outstanding. Raises DeliveryFailed."""
        if self._unacknowledged >= _ROOM:
            await self.acknowledge()

    async def acknowledge(self) -> None:
        """Return when the broker has everything that was sent so far. Raises DeliveryFailed."""
        waiting, self._unacknowledged = self._unacknowledged, 0
        if waiting:
            await self._publisher.flush()
        self.published.seconds = time.monotonic() - self._began

    async def keep_acknowledging(self, progress: Progress) -> None:
        """About once a second, for ever. Raises DeliveryFailed."""
        while True:
            await asyncio.sleep(_ACKNOWLEDGED_EVERY_S)
            await self.acknowledge()
            progress(self.published)
