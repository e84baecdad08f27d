"""The feed itself: connections hear, REST fills what they did not tell, the topic gets both in order."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import aiohttp

from schemas.interval import MINUTE_MS, interval_ms
from streams.feeds.binance.connection import USUAL_STREAMS, Connection, Patience
from streams.feeds.binance.filling import Filling, Settled
from streams.feeds.binance.frames import Frame, Frames, Unusable, Update
from streams.feeds.binance.metrics import FeedMetrics
from streams.feeds.binance.output import Output, Progress
from streams.feeds.binance.rest import Rest
from streams.feeds.binance.sequence import Sequence as Bars
from streams.feeds.binance.timekeeping import Timekeeper
from streams.feeds.binance.venue import Venue
from topics.records import DeliveryFailed

_FORMING_EVERY_MS: Final = 1_000
_CALM: Final = (15_000, 45_000)
"""Milliseconds of a minute in which no close is on its way."""


@dataclass(frozen=True)
class Manner:
    """How a feed goes about it. `forming`: updates of bars that are not closed are sent too, at most one a second."""

    forming: bool = False
    patience: Patience = field(default_factory=Patience)
    settled: Settled = field(default_factory=Settled)
    streams_per_connection: int = USUAL_STREAMS


class LiveFeed:
    """Sends to `output` what `bars` (one a symbol) say. `rest` has begun. Runs until it is cancelled."""

    def __init__(
        self,
        venue: Venue,
        interval: str,
        bars: Iterable[Bars],
        rest: Rest,
        session: aiohttp.ClientSession,
        output: Output,
        metrics: FeedMetrics,
        manner: Manner = Manner(),
    ) -> None:
        self._bars = {one.symbol: one for one in bars}
        self._step = interval_ms(interval)
        self._frames = Frames(self._bars, interval, venue.feed)
        self._rest, self._output, self._metrics = rest, output, metrics
        self._forming = manner.forming
        self._formed: dict[str, int] = {}
        self._filling = Filling(self._bars.values(), rest, output, metrics, interval, manner.settled)
        self._time = Timekeeper(rest)
        streams = [f"{symbol.lower()}@kline_{interval}" for symbol in self._bars]
        self._connections = [
            Connection(
                session, f"{venue.stream_url}/stream", part, self._hear, metrics.lost, self._is_calm, manner.patience
            )
            for part in _parts(streams, manner.streams_per_connection)
        ]  # fmt: skip
        metrics.watch(
            lambda: sum(one.open for one in self._connections),
            lambda: sum(one.held for one in self._bars.values()),
            self._filling.behind,
            self.lag_s,
        )

    async def run(self, progress: Progress = lambda done: None) -> None:
        """Go on until cancelled; what was sent is then acknowledged. Raises DeliveryFailed."""
        try:
            for bars in self._bars.values():
                self._output.send(bars.owed())
            async with asyncio.TaskGroup() as group:
                for connection in self._connections:
                    group.create_task(connection.run())
                group.create_task(self._filling.run(group))
                group.create_task(self._output.keep_acknowledging(progress))
                group.create_task(self._time.run())
        except ExceptionGroup as group_of_failures:
            failed, others = group_of_failures.split(DeliveryFailed)
            if failed is None or others is not None:
                raise
            raise failed.exceptions[0] from None
        finally:
            await self._output.acknowledge()
            progress(self._output.published)

    def lag_s(self) -> float:
        """For how long the oldest bar that was not sent has been over, in seconds; 0 where none is."""
        oldest = min(bars.next_ms for bars in self._bars.values()) + self._step
        return max(0.0, (self._rest.now_ms() - oldest) / 1_000)

    def _hear(self, text: str) -> Frame:
        """Raises Unusable."""
        try:
            frame = self._frames.read(text)
        except Unusable:
            self._metrics.heard("unusable")
            raise
        if isinstance(frame, Update):
            self._update(frame)
        else:
            self._metrics.heard(type(frame).__name__.lower())
        return frame

    def _update(self, update: Update) -> None:
        kline, event_ms = update
        self._time.heard(event_ms)
        self._metrics.heard("closed" if kline.closed else "forming")
        bars = self._bars[kline.symbol]
        wanted = self._forming and not kline.closed and self._is_due(kline.symbol, event_ms)
        before = bars.duplicates
        self._output.send(bars.update(kline, forming=wanted), event_ms)
        self._metrics.bars("duplicate", bars.duplicates - before)

    def _is_due(self, symbol: str, event_ms: int) -> bool:
        """Futures tell four updates a second; the next one holds the extremes of one that is passed over."""
        if event_ms - self._formed.get(symbol, 0) < _FORMING_EVERY_MS:
            return False
        self._formed[symbol] = event_ms
        return True

    def _is_calm(self) -> bool:
        return _CALM[0] <= self._rest.now_ms() % MINUTE_MS < _CALM[1]


def _parts(streams: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for first in range(0, len(streams), size):
        yield streams[first : first + size]
