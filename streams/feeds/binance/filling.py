"""Asking REST for the bars that the websocket did not tell: after a start, a reconnect, a lost frame, a quiet minute.

A symbol that waits for a bar holds all later ones of its own, and nobody else's.
"""

import asyncio
import logging
from collections.abc import Collection
from typing import Final, NamedTuple

from schemas.interval import bucket_start_ms, interval_ms
from streams.feeds.binance.beginning import utc
from streams.feeds.binance.metrics import FeedMetrics
from streams.feeds.binance.output import Output
from streams.feeds.binance.pages import Page
from streams.feeds.binance.rest import Away, Refused, Rest
from streams.feeds.binance.sequence import Sequence

_LOOK_EVERY_S: Final = 0.25
_AT_ONCE: Final = 4
_REFUSED_MS: Final = 60_000
_log = logging.getLogger("strikeline.feed")


class Settled(NamedTuple):
    """How long something must be over, in milliseconds of the exchange's clock.

    `bar_ms`: until a bar that was not told is asked for. Closed frames were recorded 5 to 2,005 ms after their close,
    and REST may not have a last trade at once. `absence_ms`: until "there is none" is believed, for an answer may come
    from a server that lags behind.
    """

    bar_ms: int = 5_000
    absence_ms: int = 30_000


class Filling:
    """Looks which of `bars` want something that is `settled`, and sends what `rest` has of it."""

    def __init__(
        self,
        bars: Collection[Sequence],
        rest: Rest,
        output: Output,
        metrics: FeedMetrics,
        interval: str,
        settled: Settled,
    ) -> None:
        self._bars = bars
        self._rest = rest
        self._output = output
        self._metrics = metrics
        self._interval, self._step = interval, interval_ms(interval)
        self._settled = settled
        self._asking: set[str] = set()
        self._not_before: dict[str, int] = {}
        self._slots = asyncio.Semaphore(_AT_ONCE)

    async def run(self, group: asyncio.TaskGroup) -> None:
        """For ever; a task of `group` for each symbol that wants something."""
        while True:
            settled, now_ms = self._over_for(self._settled.bar_ms), self._rest.now_ms()
            for bars in self._bars:
                due = bars.wanted(settled) is not None and self._not_before.get(bars.symbol, 0) <= now_ms
                if due and bars.symbol not in self._asking:
                    self._asking.add(bars.symbol)
                    group.create_task(self._fill(bars))
            await asyncio.sleep(_LOOK_EVERY_S)

    def behind(self) -> int:
        """How many symbols want something that should be here."""
        settled = self._over_for(self._settled.bar_ms)
        return sum(bars.wanted(settled) is not None for bars in self._bars)

    async def _fill(self, bars: Sequence) -> None:
        try:
            while await self._one_page(bars):
                await self._output.make_room()
        except Refused as why:
            self._not_before[bars.symbol] = self._rest.now_ms() + _REFUSED_MS
            _log.error("%s stands still at %s: %s", bars.symbol, utc(bars.next_ms), why)
        except Away:
            pass  # said already, and nobody is answered for a while: the next look asks again
        finally:
            self._asking.discard(bars.symbol)

    async def _one_page(self, bars: Sequence) -> bool:
        """Whether there was something to ask for. A slot is held for one page, so that a year of one symbol does not
        keep others from their last minute.
        """
        async with self._slots:
            span = bars.wanted(self._over_for(self._settled.bar_ms))
            if span is None:
                return False
            from_ms, to_ms = span
            # As of now: what comes back is as old as the request.
            believable_ms = self._over_for(self._settled.absence_ms)
            count = (to_ms - from_ms) // self._step
            page = await self._rest.klines(bars.symbol, self._interval, from_ms, to_ms, count)
            if page.is_empty:
                page = page._replace(until_ms=min(to_ms, believable_ms))
            self._take(bars, from_ms, page)
        if page.until_ms <= from_ms:
            self._not_before[bars.symbol] = from_ms + self._step + self._settled.absence_ms
        return page.until_ms > from_ms

    def _take(self, bars: Sequence, from_ms: int, page: Page) -> None:
        for reason in page.broken:
            self._metrics.bars("broken")
            _log.error("a bar that cannot be used is left out: %s", reason)
        before = bars.duplicates
        self._output.send(bars.page(from_ms, page))
        again = bars.duplicates - before
        self._metrics.bars("duplicate", again)
        self._metrics.bars("backfilled", len(page.klines) - again)

    def _over_for(self, milliseconds: int) -> int:
        """The newest boundary of the interval that was over so long ago."""
        return bucket_start_ms(self._rest.now_ms() - milliseconds, self._interval)
