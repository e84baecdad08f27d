"""A feed's boundaries onto the kline topic, at a chosen pace.

Keys are symbols. A record's timestamp is event time: the close of its bar, or the instant of its tick, so
that both grow together along a partition.
"""

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Protocol

from schemas.market import Kline, Tick
from streams.feeds.ticks import Boundary, Ticker
from topics.codec import cloud_headers, encode
from topics.records import Outgoing, Publisher

_FLUSH_EVERY: Final = 20_000
"""Records handed over before the broker's acknowledgement is awaited: well below any client's queue."""


class Pace(Protocol):
    """When a boundary may be sent, at the earliest: an instant of the running clock, 0.0 for at once."""

    def due(self, time_ms: int) -> float: ...


class FullSpeed:
    """As fast as the broker takes them."""

    def due(self, time_ms: int) -> float:
        return 0.0


class Times:
    """`factor` times as fast as the market was: 60 sends an hour of event time in a minute."""

    def __init__(self, factor: float) -> None:
        if not factor > 0.0:
            raise ValueError(f"speed: {factor} is not above 0")
        self._factor = factor
        self._began: tuple[float, int] | None = None

    def due(self, time_ms: int) -> float:
        if self._began is None:
            self._began = (time.monotonic(), time_ms)
        wall, event = self._began
        return wall + (time_ms - event) / 1_000 / self._factor


class WallClock:
    """History at once, then each boundary when this machine's clock says that it is over."""

    def due(self, time_ms: int) -> float:
        return time.monotonic() + time_ms / 1_000 - time.time()


@dataclass
class Published:
    """What went out so far: counts, the last boundary in event time, and seconds on the running clock."""

    klines: int = 0
    ticks: int = 0
    first_ms: int | None = None
    last_ms: int | None = None
    seconds: float = 0.0

    @property
    def klines_per_second(self) -> float:
        return self.klines / self.seconds if self.seconds else 0.0


class Feed:
    """Sends one feed's boundaries; `published` may be read at any time, also after a cancellation."""

    def __init__(self, publisher: Publisher, topic: str, name: str, interval: str = "1m") -> None:
        self.published = Published()
        self._publisher = publisher
        self._topic = topic
        self._source = f"strikeline/feed/{name}"
        self._ticker = Ticker(name, interval)

    async def run(
        self,
        boundaries: Iterable[Boundary],
        pace: Pace | None = None,
        progress: Callable[[Published], None] | None = None,
    ) -> Published:
        """Publish them all; returns when the broker has acknowledged everything. Raises DeliveryFailed."""
        began, unacknowledged = time.monotonic(), 0
        pace = pace or FullSpeed()
        try:
            for boundary in boundaries:
                wait = pace.due(boundary.time_ms) - time.monotonic()
                if wait > 0 or unacknowledged >= _FLUSH_EVERY:
                    await self._publisher.flush()
                    unacknowledged = 0
                    self._tell(progress, began)
                    await asyncio.sleep(max(0.0, pace.due(boundary.time_ms) - time.monotonic()))
                unacknowledged += self._send(boundary)
        finally:
            await self._publisher.flush()
            self._tell(progress, began)
        return self.published

    def _tell(self, progress: Callable[[Published], None] | None, began: float) -> None:
        self.published.seconds = time.monotonic() - began
        if progress is not None:
            progress(self.published)

    def _send(self, boundary: Boundary) -> int:
        done, count = self.published, 0
        for message in self._ticker.events(boundary):
            self._publisher.send(self.outgoing(message, boundary.time_ms))
            count += 1
        done.klines += len(boundary.klines)
        done.ticks += count - len(boundary.klines)
        done.first_ms = boundary.time_ms if done.first_ms is None else done.first_ms
        done.last_ms = boundary.time_ms
        return count

    def outgoing(self, message: Kline | Tick, time_ms: int) -> Outgoing:
        """The record of one kline or tick, with CloudEvents headers whose id names what it is."""
        kind = "kline" if type(message) is Kline else "tick"
        symbol = message.symbol
        event_id = f"{message.feed}/{kind}/{symbol}/{message.interval}/{time_ms}"
        headers = cloud_headers(message, self._source, event_id, time_ms)
        return Outgoing(self._topic, symbol.encode(), encode(message), time_ms, headers)
