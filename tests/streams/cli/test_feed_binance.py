"""`strikeline feed binance`: what it refuses, and where it finds that the topic ends."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas.interval import MINUTE_MS
from schemas.market import Kline, Tick
from streams.cli.cluster import MemoryCluster
from streams.cli.resuming import standings
from streams.feeds.binance.beginning import Standing
from streams.feeds.binance.config import BinanceSettings
from streams.feeds.publish import Feed
from tests.streams.cli.commandline import CommandLine
from tests.streams.feeds.binance.double import START, Double, Elsewhere
from topics.bus import MemoryBus, MemoryPublisher
from topics.records import Outgoing
from topics.registry import Topics

TOPICS = Topics(partitions=4)


@pytest.fixture
def exchange() -> Iterator[Double]:
    with Elsewhere(Double(("AUSDT", "BUSDT"), minute=10)) as elsewhere:
        yield elsewhere.double


@pytest.fixture
def bus() -> MemoryBus:
    return MemoryBus(*TOPICS.all())


@pytest.fixture
def strikeline(bus: MemoryBus, tmp_path: Path) -> CommandLine:
    return CommandLine(MemoryCluster(bus), tmp_path)


def bar(symbol: str, minute: int, *, closed: bool = True) -> Kline:
    return Kline(
        symbol=symbol, interval="1m", open_time_ms=START + minute * MINUTE_MS, open=1.0, high=1.0, low=1.0,
        close=1.0, volume=1.0, closed=closed, feed="binance",
    )  # fmt: skip


def tick(symbol: str, minute: int) -> Tick:
    return Tick(symbol=symbol, feed="binance", time_ms=START + minute * MINUTE_MS)


def put(bus: MemoryBus, *messages: Kline | Tick, feed: str = "binance") -> None:
    publisher = MemoryPublisher(bus)
    words = Feed(publisher, TOPICS.klines.name, feed)
    for message in messages:
        publisher.send(words.outgoing(message, START))
    asyncio.run(publisher.flush())


@pytest.mark.parametrize(
    "words, reason",
    [
        (("btcusdt",), "SYMBOL: 'btcusdt' is no symbol such as BTCUSDT"),
        ((",",), "SYMBOL: at least one is needed"),
        (("AUSDT", "--interval", "7m"), "--interval: '7m' is none of 1m, 3m"),
        (("AUSDT", "--interval", "1m,5m"), "--interval: '1m,5m' is none of"),
        (("AUSDT", "--from", "soon"), "--from: 'soon' is no time"),
        (
            ("AUSDT", "--stream-url", "http://x"),
            "STRIKELINE_BINANCE_STREAM_URL: URL scheme should be 'ws' or 'wss'",
        ),
    ],
)
def test_what_makes_no_sense_is_refused_before_anybody_is_asked(
    strikeline: CommandLine, words: tuple[str, ...], reason: str
) -> None:
    answer = strikeline("feed", "binance", *words)
    assert (answer.code, answer.out) == (2, "")
    assert reason in answer.err


def test_symbols_that_the_exchange_does_not_have_are_named(strikeline: CommandLine, exchange: Double) -> None:
    where = ("--rest-url", exchange.rest_url, "--stream-url", exchange.stream_url)
    answer = strikeline("feed", "binance", "AUSDT,AUSD", "ZZZ", *where)
    assert answer.code == 2
    assert "the exchange has no symbol AUSD (did you mean AUSDT?), ZZZ" in answer.err


def test_a_simulated_market_is_not_continued_with_a_real_one(
    strikeline: CommandLine, exchange: Double, bus: MemoryBus
) -> None:
    strikeline(
        "feed", "simulate", "--symbols", "AUSDT", "--minutes", "3", "--speed", "max", "--from", "2023-11-14"
    )
    where = ("--rest-url", exchange.rest_url, "--stream-url", exchange.stream_url)
    answer = strikeline("feed", "binance", "AUSDT", *where)
    assert answer.code == 2
    assert "AUSDT: the topic has it from the feed 'simulated', and one feed owns a symbol" in answer.err


def test_an_exchange_that_does_not_answer_is_exit_code_3(strikeline: CommandLine) -> None:
    where = ("--rest-url", "http://127.0.0.1:1", "--stream-url", "ws://127.0.0.1:1")
    answer = strikeline("feed", "binance", "AUSDT", *where)
    assert answer.code == 3
    assert "http://127.0.0.1:1" in answer.err.splitlines()[-1]


def test_the_topics_end_is_found_for_each_symbol_by_its_newest_bar_or_tick(bus: MemoryBus) -> None:
    put(bus, bar("AUSDT", 0), tick("AUSDT", 1), bar("BUSDT", 0), tick("BUSDT", 1), bar("AUSDT", 1))
    put(bus, tick("BUSDT", 2), bar("BUSDT", 2, closed=False))
    bus.append(Outgoing(TOPICS.klines.name, b"AUSDT", b"junk", START))
    found = standings(MemoryCluster(bus), TOPICS.klines, ["AUSDT", "BUSDT", "CUSDT"])
    minute = MINUTE_MS
    assert found == {
        "AUSDT": Standing(START + 2 * minute, START + minute, "binance", "1m"),
        "BUSDT": Standing(START + minute, START + 2 * minute, "binance", "1m"),
    }


def test_a_symbol_far_back_is_found_behind_others(bus: MemoryBus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.cli.resuming._FIRST_STEP", 2)
    put(bus, bar("AUSDT", 0), tick("AUSDT", 1))
    same = [f"X{n}USDT" for n in range(200)]
    put(bus, *(bar(name, 5) for name in same))
    found = standings(MemoryCluster(bus), TOPICS.klines, ["AUSDT", *same])
    assert len(found) == 201
    assert found["AUSDT"].until_ms == START + MINUTE_MS


def test_variables_that_are_set_to_nothing_are_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("VENUE", "REST_URL", "STREAM_URL"):
        monkeypatch.setenv(f"STRIKELINE_BINANCE_{name}", "")
    venue = BinanceSettings().venue
    assert (venue.name, venue.rest_url) == ("spot", "https://api.binance.com")
    monkeypatch.setenv("STRIKELINE_BINANCE_VENUE", "usdm")
    monkeypatch.setenv("STRIKELINE_BINANCE_REST_URL", "https://elsewhere.example/")
    venue = BinanceSettings().venue
    assert (venue.feed, venue.api, venue.rest_url) == (
        "binance-usdm",
        "/fapi/v1",
        "https://elsewhere.example",
    )
    assert venue.stream_url == "wss://fstream.binance.com/market"


def test_symbols_may_come_from_the_environment(
    strikeline: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STRIKELINE_BINANCE_SYMBOLS", "AUSDT busdt")
    assert "SYMBOL: 'busdt' is no symbol" in strikeline("feed", "binance").err
    monkeypatch.setenv("STRIKELINE_BINANCE_SYMBOLS", "")
    answer = strikeline("feed", "binance")
    assert (answer.code, "SYMBOL" in answer.err) == (2, True)
