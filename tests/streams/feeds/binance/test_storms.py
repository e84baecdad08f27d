"""Storms: what goes wrong alone in test_live goes wrong at random and together, and the process dies of it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from random import Random
from typing import Any

import pytest

from schemas.interval import MINUTE_MS
from schemas.market import Kline, Tick
from streams.cli.cluster import MemoryCluster
from streams.cli.resuming import standings
from streams.feeds.binance.connection import Patience
from streams.feeds.binance.live import Manner
from streams.feeds.binance.metrics import FeedMetrics
from streams.feeds.binance.opening import Wish, open_feed
from streams.feeds.binance.venue import VENUES
from tests.streams.feeds.binance.double import START, Double, Fault, exchange_double, frame
from tests.streams.feeds.binance.telling import whole, words
from topics.bus import MemoryBus, MemoryPublisher
from topics.codec import decode
from topics.records import Outgoing
from topics.registry import Topics

TOPICS = Topics(partitions=2)
SYMBOLS = ("AUSDT", "BUSDT", "CUSDT")
FIRST = 10
ACTS = 40
FAULTS = (Fault(500), Fault(200, "<html>"), Fault(200, "[]"[:1]), Fault(403, "waf"))


class Mortal:
    """A publisher that is dead after its process was killed: a cancelled task may still try to send."""

    def __init__(self, bus: MemoryBus) -> None:
        self._publisher = MemoryPublisher(bus)
        self._alive = True

    def send(self, outgoing: Outgoing) -> None:
        if self._alive:
            self._publisher.send(outgoing)

    async def flush(self) -> None:
        await self._publisher.flush()

    def crash(self, delivered: int) -> None:
        self._publisher.crash(delivered)
        self._alive = False


class Storm:
    """An exchange, a topic, a feed between them that is killed and started again, and chance."""

    def __init__(self, seed: int, double: Double) -> None:
        self.random = Random(seed)
        self.double = double
        self.bus = MemoryBus(*TOPICS.all())
        self.publisher = Mortal(self.bus)
        double.missing = {
            (symbol, minute)
            for symbol in SYMBOLS
            for minute in range(FIRST + 1, FIRST + ACTS)
            if self.random.random() < 0.1
        }
        self.acts: list[Callable[[], Coroutine[Any, Any, None]]] = [
            *[self.minute] * 6, *[self.unheard_minute] * 2, *[self.time_goes_by] * 4, self.drop, self.garbage,
            self.silence, self.trouble, self.again,
        ]  # fmt: skip

    async def minute(self) -> None:
        await self.double.pass_minute(late_ms=self.random.randint(1, 3_000))

    async def unheard_minute(self) -> None:
        await self.double.pass_minute(tell=False)

    async def time_goes_by(self) -> None:
        """Never beyond the minute: that would need its bars to close."""
        left = START + (self.double.minute + 1) * MINUTE_MS - 1 - self.double.now_ms
        await self.double.go_on(min(left, self.random.randint(1, 20_000)))

    async def drop(self) -> None:
        await self.double.drop(mid_frame=self.random.random() < 0.5)

    async def garbage(self) -> None:
        await self.double.send(self.random.choice(("", "{", '{"data":{"e":"kline","E":1}}', "[" * 1_000)))

    async def silence(self) -> None:
        self.double.silent = not self.double.silent

    async def trouble(self) -> None:
        self.double.faults = self.random.choices(FAULTS, k=self.random.randint(1, 3))

    async def again(self) -> None:
        """A bar of before, as it was or with other numbers. One that is on its way by REST must not be restated."""
        symbol, minute = self.random.choice(SYMBOLS), self.random.randrange(FIRST, self.double.minute + 1)
        sent = f"{symbol[0]}{minute} " in f"{self.words(symbol)} "
        if sent:
            text = frame(symbol, minute, self.double.now_ms, closed=True, shift=self.random.randint(0, 1))
            await self.double.send(text, symbol)

    def words(self, symbol: str) -> str:
        found = [decode(record, TOPICS.klines) for record in self.bus.records(TOPICS.klines.name)]
        return words(found, symbol)

    def wrong(self) -> dict[str, str]:
        """Symbols whose topic does not begin as it must, with what it has."""
        return {s: self.words(s) for s in SYMBOLS if not self.expected(s).startswith(self.words(s))}

    def expected(self, symbol: str) -> str:
        gone = {minute for name, minute in self.double.missing if name == symbol}
        return whole(symbol[0], FIRST, self.double.minute, gone)

    @asynccontextmanager
    async def feed(self) -> AsyncIterator[None]:
        """One life of the process; at its end it is killed, and some of what it had sent last is lost."""
        venue = VENUES["spot"].at(self.double.rest_url, self.double.stream_url)
        manner = Manner(patience=Patience(stall_s=1.0))
        wish = Wish(venue, SYMBOLS, "1m", START + FIRST * MINUTE_MS, 0, False, manner)
        cluster, topic = MemoryCluster(self.bus), TOPICS.klines
        self.publisher = Mortal(self.bus)
        opening = open_feed(
            wish, lambda some: standings(cluster, topic, some), self.publisher, topic.name, FeedMetrics()
        )
        async with opening as (feed, _):
            task = asyncio.ensure_future(feed.run())
            yield
            assert not task.done(), task.exception()
            self.publisher.crash(self.random.randint(0, 3))
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def blow(self) -> None:
        """A few acts, in one life."""
        async with self.feed():
            for _ in range(ACTS // 4):
                await self.random.choice(self.acts)()
                await asyncio.sleep(self.random.choice((0.0, 0.01, 0.05)))
            assert self.wrong() == {}

    async def calm(self) -> None:
        """The exchange is well again: what is missing comes."""
        self.double.silent, self.double.faults = False, []
        async with self.feed(), asyncio.timeout(40):
            await self.double.pass_minute()
            while any(self.words(symbol) != self.expected(symbol) for symbol in SYMBOLS):
                await self.double.go_on(200)
                await self.publisher.flush()
                await asyncio.sleep(0.01)
                assert self.wrong() == {}


@pytest.mark.parametrize("seed", range(5))
async def test_after_a_storm_each_bar_is_there_once_in_order_with_its_numbers(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "streams.feeds.binance.pauses._FIRST_S", 0.02
    )  # how long it waits is not what is tested
    monkeypatch.setattr("streams.feeds.binance.pauses._LONGEST_S", 0.2)
    monkeypatch.setattr("streams.feeds.binance.filling._LOOK_EVERY_S", 0.02)
    async with exchange_double(Double(SYMBOLS, minute=FIRST)) as double:
        storm = Storm(seed, double)
        for _ in range(4):
            await storm.blow()
        await storm.calm()
    for record in storm.bus.records(TOPICS.klines.name):
        message = decode(record, TOPICS.klines)
        assert isinstance(message, Kline | Tick)
        if isinstance(message, Kline):
            true = frame(message.symbol, (message.open_time_ms - START) // MINUTE_MS, 0, closed=True)
            assert f'"o": "{message.open:.8f}"' in true
