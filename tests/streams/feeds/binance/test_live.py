"""The whole feed against an exchange on this machine: whatever happens, each bar once, in order, its tick behind it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import aiohttp
import pytest

from schemas.interval import MINUTE_MS
from schemas.market import Kline, Tick
from streams.feeds.binance.connection import Connection, Patience
from streams.feeds.binance.filling import Settled
from streams.feeds.binance.frames import Answer
from streams.feeds.binance.live import LiveFeed, Manner
from streams.feeds.binance.metrics import FeedMetrics
from streams.feeds.binance.opening import Wish, open_feed
from streams.feeds.binance.venue import VENUES
from tests.streams.feeds.binance.double import START, Double, Fault, exchange_double, frame, until
from tests.streams.feeds.binance.telling import whole, words
from topics.bus import MemoryBus, MemoryPublisher
from topics.codec import decode
from topics.records import DeliveryFailed, Outgoing
from topics.registry import Topics

TOPICS = Topics(partitions=3)
SYMBOLS = ("AUSDT", "BUSDT")
CALM = Manner(patience=Patience(stall_s=50.0), settled=Settled(5_000, 30_000))


class Stage:
    """A feed that runs on the in-process bus."""

    def __init__(self, double: Double) -> None:
        self.double = double
        self.bus = MemoryBus(*TOPICS.all())
        self.metrics = FeedMetrics()

    def messages(self) -> list[Kline | Tick]:
        found = [decode(record, TOPICS.klines) for record in self.bus.records(TOPICS.klines.name)]
        return [one for one in found if isinstance(one, Kline | Tick)]

    def words(self, symbol: str = "AUSDT") -> str:
        return words(self.messages(), symbol)

    def metric(self, name: str, **labels: str) -> float:
        return self.metrics.registry.get_sample_value(f"strikeline_feed_{name}", labels) or 0.0

    async def has(self, first: int, end: int, missing: tuple[int, ...] = ()) -> None:
        """Wait until the topic holds minutes [first, end) of both symbols, and nothing else."""
        expected = {name: whole(name[0], first, end, missing) for name in SYMBOLS}
        with suppress(TimeoutError):
            await until(lambda: all(len(self.words(name)) >= len(told) for name, told in expected.items()))
        for name, told in expected.items():
            assert self.words(name) == told

    @asynccontextmanager
    async def running(
        self, manner: Manner = CALM, history: int = 0, market: str = "spot"
    ) -> AsyncIterator[LiveFeed]:
        venue = VENUES[market].at(self.double.rest_url, self.double.stream_url)
        wish = Wish(venue, SYMBOLS, "1m", None, history, False, manner)
        publisher = MemoryPublisher(self.bus, eager=True)
        async with open_feed(wish, lambda _: {}, publisher, TOPICS.klines.name, self.metrics) as (feed, _):
            task = asyncio.ensure_future(feed.run())
            try:
                await until(lambda: task.done() or self.double.subscribed() == len(SYMBOLS))
                yield feed
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        assert task.cancelled()


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with exchange_double(Double(SYMBOLS, minute=10)) as double:
        yield Stage(double)


async def test_closed_bars_go_out_as_they_close_with_their_numbers(stage: Stage) -> None:
    async with stage.running():
        for _ in range(3):
            await stage.double.pass_minute()
            await stage.double.go_on()
        await stage.has(10, 13)
    first = next(one for one in stage.messages() if one.symbol == "AUSDT")
    assert first == Kline(
        symbol="AUSDT", interval="1m", open_time_ms=START + 10 * MINUTE_MS, open=145.1, high=146.5, low=144.25,
        close=145.7, volume=0.0, feed="binance",
    )  # fmt: skip
    assert stage.metric("bars_total", what="backfilled") == 0


async def test_a_first_start_fetches_history_in_pages_and_holds_live_bars_until_it_is_there(
    stage: Stage,
) -> None:
    stage.double.minute, stage.double.now_ms = 2_500, START + 2_500 * MINUTE_MS + 20_000
    # The exchange is busy at first: bars close meanwhile, and must wait for the two thousand before them.
    stage.double.faults = [Fault(429, headers={"Retry-After": "1"}) for _ in SYMBOLS]
    async with stage.running(history=2_400):
        await stage.double.pass_minute()
        await until(lambda: stage.metric("held_bars") == 2)
        assert stage.words() == ""
        await stage.has(100, 2_501)
    assert stage.metric("requests_total", outcome="busy") == 2
    assert stage.metric("bars_total", what="backfilled") == 2 * 2_400
    assert len(stage.double.asked) == 2 * (1 + 3)


@pytest.mark.parametrize("mid_frame", [False, True])
async def test_what_closes_while_the_connection_is_lost_comes_from_rest_and_in_order(
    stage: Stage, mid_frame: bool
) -> None:
    async with stage.running():
        await stage.double.pass_minute()
        await stage.has(10, 11)
        await stage.double.drop(mid_frame=mid_frame)
        for _ in range(3):
            await stage.double.pass_minute()
        await until(lambda: stage.double.subscribed() == 2)
        await stage.double.pass_minute()
        await stage.has(10, 15)
    assert stage.double.connected == 2
    assert stage.metric("bars_total", what="backfilled") == 6


async def test_a_bar_that_was_told_before_an_unheard_one_waits_for_it(stage: Stage) -> None:
    async with stage.running():
        await stage.double.pass_minute(tell=False)
        await stage.double.pass_minute(late_ms=5)
        await stage.has(10, 12)


async def test_a_minute_without_trades_has_its_tick_once_the_exchange_has_said_that_there_is_no_bar(
    stage: Stage,
) -> None:
    stage.double.missing = {(symbol, 11) for symbol in SYMBOLS}
    async with stage.running():
        await stage.double.pass_minute()
        await stage.double.pass_minute()
        await stage.double.go_on(10_000)
        await until(lambda: len(stage.double.asked) >= 2)
        # Asked, and there was none; but it is too early to believe that.
        assert stage.words() == whole("A", 10, 11)
        await stage.double.go_on(25_000)
        await stage.has(10, 12, missing=(11,))
        await stage.double.pass_minute()
        await stage.has(10, 13, missing=(11,))


async def test_a_stalled_connection_is_given_up_though_it_lives(stage: Stage) -> None:
    async with stage.running(Manner(patience=Patience(stall_s=0.3))):
        stage.double.silent = True
        await stage.double.send("never heard")
        await until(lambda: stage.double.connected == 2)
        stage.double.silent = False
        await stage.double.pass_minute()
        async with asyncio.timeout(30):
            while stage.words() != whole("A", 10, 11):
                await stage.double.go_on(100)
                await asyncio.sleep(0.02)
    assert stage.metric("connections_lost_total", why="stalled") >= 1


async def test_garbage_is_counted_and_hurts_nobody(stage: Stage) -> None:
    async with stage.running():
        for text in (
            "",
            "{",
            "[]",
            "null",
            '{"stream":"x","data":{"e":"trade","E":1,"s":"AUSDT"}}',
            "é",
        ):
            await stage.double.send(text)
        await stage.double.pass_minute()
        await stage.has(10, 11)
        stage.double.faults = [Fault(200, "<html>"), Fault(502, "bad gateway")]
        await stage.double.pass_minute(tell=False)
        await stage.double.go_on()
        await stage.has(10, 12)
    assert stage.metric("frames_total", kind="unusable") == 6
    assert stage.metric("requests_total", outcome="garbage") == 1
    assert stage.metric("requests_total", outcome="error") == 1


async def test_a_bar_that_comes_again_is_not_sent_again_and_a_restated_one_is_told(stage: Stage) -> None:
    async with stage.running():
        await stage.double.pass_minute()
        await stage.double.send(frame("AUSDT", 10, stage.double.now_ms, closed=True), "AUSDT")
        await stage.double.send(frame("AUSDT", 10, stage.double.now_ms, closed=True, shift=1), "AUSDT")
        await stage.double.pass_minute()
        await stage.has(10, 12)
    assert stage.metric("bars_total", what="duplicate") == 2
    assert stage.metric("bars_total", what="restated") == 1


async def test_a_refused_handshake_and_a_refused_subscription_are_followed_by_another_attempt(
    stage: Stage,
) -> None:
    stage.double.refuse_sockets = 1
    stage.double.refuse_streams = True
    async with stage.running():
        await stage.double.pass_minute()
        await stage.has(10, 11)
    assert stage.double.connected == 3
    assert stage.metric("connections_lost_total", why="refused") == 2


async def test_a_server_that_announces_its_end_is_left_at_once(stage: Stage) -> None:
    async with stage.running():
        await stage.double.send('{"e":"serverShutdown","E":1}')
        await until(lambda: stage.double.connected == 2 and stage.double.subscribed() == 2)
        await stage.double.pass_minute()
        await stage.has(10, 11)
    assert stage.metric("connections_lost_total", why="shutdown") == 1


async def test_an_old_connection_is_renewed_between_two_closes(stage: Stage) -> None:
    async with stage.running(Manner(patience=Patience(renew_s=0.05))):
        await stage.double.pass_minute()
        await until(lambda: stage.double.connected == 1)
        stage.double.now_ms += 20_000  # calm: no close is on its way
        async with asyncio.timeout(10):
            while stage.double.connected == 1:
                await stage.double.go_on(1)
                await asyncio.sleep(0.005)
        await until(lambda: stage.double.connected == 2 and stage.double.subscribed() == 2)
        await stage.double.pass_minute()
        await stage.has(10, 12)
    assert stage.metric("connections_lost_total", why="renewed") == 1
    assert stage.metric("bars_total", what="backfilled") == 0


async def test_symbols_are_spread_over_connections(stage: Stage) -> None:
    async with stage.running(Manner(streams_per_connection=1)):
        assert [len(socket.streams) for socket in stage.double.sockets] == [1, 1]
        assert stage.metric("connections") == 2
        await stage.double.pass_minute()
        await stage.has(10, 11)


async def test_updates_of_the_forming_bar_are_sent_where_somebody_wants_them(stage: Stage) -> None:
    async with stage.running(Manner(forming=True)):
        await stage.double.go_on(1_000)  # before the first bar there is nothing that it could follow
        await stage.double.pass_minute()
        for milliseconds in (2_000, 300, 2_000):  # the second is too soon after the first
            await stage.double.go_on(milliseconds)
        await stage.double.pass_minute()
        expected = "A10 a11 A11? A11? A11 a12"
        await until(lambda: stage.words() == expected)
    forming = [
        record
        for record in stage.bus.records(TOPICS.klines.name)
        if b'"closed":false' in (record.value or b"")
    ]
    assert len({dict(record.headers)["ce_id"] for record in forming}) == len(forming) == 4
    assert all(record.timestamp_ms < START + 12 * MINUTE_MS for record in forming)


async def test_a_frame_from_the_far_future_ends_no_minute(stage: Stage) -> None:
    async with stage.running() as feed:
        await stage.double.send(frame("AUSDT", 10, START + 10**9, closed=False), "AUSDT")
        await stage.double.pass_minute()
        await stage.has(10, 11)
        await stage.double.go_on()
        assert feed.lag_s() == 0.0
    assert stage.double.asked == []


async def test_a_leap_of_the_exchanges_clock_is_asked_about_and_then_believed(stage: Stage) -> None:
    async with stage.running():
        for _ in range(30):
            await stage.double.pass_minute(tell=False)
        await stage.double.go_on()
        await stage.has(10, 40)


async def test_a_symbol_that_is_taken_off_the_list_stands_still_and_the_others_go_on(stage: Stage) -> None:
    async with stage.running():
        await stage.double.pass_minute()
        await stage.has(10, 11)
        stage.double.symbols = ("BUSDT",)
        await stage.double.pass_minute()
        await stage.double.go_on()
        await until(lambda: stage.metric("requests_total", outcome="refused") == 1)
        await stage.double.pass_minute()
        await until(lambda: stage.words("BUSDT") == whole("B", 10, 13))
    assert stage.words("AUSDT") == whole("A", 10, 11)
    assert stage.metric("lag_seconds") > 60.0


async def test_a_ban_is_kept_by_everybody_who_asks(stage: Stage) -> None:
    async with stage.running():
        stage.double.faults = [Fault(418, headers={"Retry-After": "1"})]
        await stage.double.pass_minute(tell=False)
        await stage.double.go_on()
        await until(
            lambda: stage.metric("requests_total", outcome="busy") == 1 and len(stage.double.asked) == 2
        )
        banned = asyncio.get_running_loop().time()
        await stage.double.pass_minute(tell=False)
        await stage.double.go_on()
        await until(lambda: len(stage.double.asked) > 2)
        assert asyncio.get_running_loop().time() - banned > 0.8
        await stage.has(10, 12)


async def test_futures_are_fed_under_a_name_of_their_own_from_pages_of_their_own_size(stage: Stage) -> None:
    stage.double.minute, stage.double.now_ms = 600, START + 600 * MINUTE_MS + 20_000
    async with stage.running(history=550, market="usdm"):
        await stage.double.pass_minute()
        await stage.has(50, 601)
    assert {one.feed for one in stage.messages()} == {"binance-usdm"}
    assert {int(asked["limit"]) for asked in stage.double.asked} == {499, 51}


class Full:
    """A broker that takes nothing."""

    def send(self, outgoing: Outgoing) -> None:
        raise DeliveryFailed("no room")

    async def flush(self) -> None:
        raise DeliveryFailed("no room")


async def test_a_broker_that_takes_nothing_ends_the_feed_with_that_error_alone(stage: Stage) -> None:
    venue = VENUES["spot"].at(stage.double.rest_url, stage.double.stream_url)
    wish = Wish(venue, SYMBOLS, "1m", None, 5, False, CALM)
    async with open_feed(wish, lambda _: {}, Full(), TOPICS.klines.name, stage.metrics) as (feed, _):
        with pytest.raises(DeliveryFailed, match="no room"):
            await asyncio.wait_for(feed.run(), 10)


async def test_a_long_list_of_streams_is_subscribed_to_in_parts(stage: Stage) -> None:
    names = [f"s{number}usdt@kline_1m" for number in range(450)]
    heard: list[str] = []

    def hear(text: str) -> Answer:
        heard.append(text)
        return Answer("")

    async with aiohttp.ClientSession() as session:
        url = f"{stage.double.stream_url}/stream"
        connection = Connection(session, url, names, hear, heard.append, lambda: False, Patience())
        task = asyncio.ensure_future(connection.run())
        await until(lambda: len(heard) == 3)
        assert stage.double.sockets[0].streams == names
        assert connection.open
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert not connection.open
