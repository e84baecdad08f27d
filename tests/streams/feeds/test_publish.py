"""A feed's records on the topic: order, keys, times, headers, pace, and an orderly end."""

import asyncio
import time
from collections.abc import Iterator

import pytest

from schemas.interval import MINUTE_MS
from schemas.market import Kline, Tick
from streams.feeds.publish import Feed, FullSpeed, Published, Times, WallClock
from streams.feeds.simulator import Market, simulate
from streams.feeds.ticks import Boundary
from tests.deadline import DEADLINE_S
from topics.bus import MemoryBus, MemoryPublisher
from topics.codec import decode
from topics.records import Outgoing
from topics.registry import Topics

TOPICS = Topics(partitions=3)
MARKET = Market(seed=3, symbols=("AUSDT", "BUSDT", "CUSDT"), minutes=50, gaps=0.1)


async def test_every_record_has_its_symbol_as_key_and_event_time_as_timestamp() -> None:
    bus = MemoryBus(*TOPICS.all())
    done = await Feed(MemoryPublisher(bus), TOPICS.klines.name, "simulated").run(simulate(MARKET))
    records = bus.records(TOPICS.klines.name)
    assert len(records) == done.klines + done.ticks
    for record in records:
        message = decode(record, TOPICS.klines)
        assert isinstance(message, Kline | Tick)
        assert record.key == message.symbol.encode()
        closes = message.close_time_ms if isinstance(message, Kline) else message.time_ms
        assert record.timestamp_ms == closes
        headers = dict(record.headers)
        assert headers["ce_source"] == b"strikeline/feed/simulated"
        assert message.symbol.encode() in headers["ce_id"]
    ids = [dict(record.headers)["ce_id"] for record in records]
    assert len(set(ids)) == len(ids)


async def test_along_a_partition_time_never_goes_back_and_a_tick_keeps_its_promise() -> None:
    bus = MemoryBus(*TOPICS.all())
    await Feed(MemoryPublisher(bus), TOPICS.klines.name, "simulated").run(simulate(MARKET))
    for partition in range(3):
        promised: dict[str, int] = {}
        before = 0
        for record in bus.read(TOPICS.klines.name, partition, 0):
            assert record.timestamp_ms >= before
            before = record.timestamp_ms
            message = decode(record, TOPICS.klines)
            if isinstance(message, Tick):
                promised[message.symbol] = message.time_ms
            elif isinstance(message, Kline):
                assert message.close_time_ms > promised.get(message.symbol, 0)


class Counting:
    """A publisher that remembers how much it held when it was flushed."""

    def __init__(self) -> None:
        self.buffered = 0
        self.flushed: list[int] = []

    def send(self, outgoing: Outgoing) -> None:
        self.buffered += 1

    async def flush(self) -> None:
        self.flushed.append(self.buffered)
        self.buffered = 0


async def test_acknowledgements_are_awaited_before_a_clients_queue_could_fill() -> None:
    publisher, told = Counting(), []
    market = Market(symbols=("AUSDT", "BUSDT"), minutes=12_000)
    feed = Feed(publisher, TOPICS.klines.name, "simulated")
    await feed.run(simulate(market), progress=lambda done: told.append(done.klines))
    assert max(publisher.flushed) <= 20_004
    assert sum(publisher.flushed) == 48_000
    assert told[-1] == 24_000
    assert told == sorted(told)


def test_paces_say_when_a_boundary_is_due() -> None:
    now = time.monotonic()
    assert FullSpeed().due(10**12) == 0.0
    hour = Times(60)
    first = hour.due(0)
    assert first >= now
    assert hour.due(60 * MINUTE_MS) == pytest.approx(first + 60.0)
    wall = WallClock()
    assert wall.due(round(time.time() * 1_000) - 90_000) - time.monotonic() == pytest.approx(-90.0, abs=30)


@pytest.mark.parametrize("factor", [0.0, -1.0, float("nan")])
def test_a_pace_that_stands_still_is_refused(factor: float) -> None:
    with pytest.raises(ValueError, match="speed"):
        Times(factor)


def endless() -> Iterator[Boundary]:
    return simulate(Market(symbols=("AUSDT",)))


async def test_a_feed_that_is_cancelled_has_everything_acknowledged_that_it_sent() -> None:
    publisher = Counting()
    feed = Feed(publisher, TOPICS.klines.name, "simulated")
    started = asyncio.Event()

    def first(_: Published) -> None:
        started.set()

    task = asyncio.ensure_future(feed.run(endless(), Times(1.0), first))
    await asyncio.wait_for(started.wait(), DEADLINE_S)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert publisher.buffered == 0
    assert (feed.published.klines, feed.published.ticks) == (1, 1)
