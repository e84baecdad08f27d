"""The feed of a live market as users start it, on a real broker, killed twice while the exchange goes on."""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from schemas.interval import MINUTE_MS
from schemas.market import Kline, Tick
from tests.e2e.stack import Stack, stack
from tests.streams.feeds.binance.double import START, Double, Elsewhere, frame, row
from tests.streams.feeds.binance.telling import whole, words
from topics.broker.choose import Broker
from topics.codec import decode

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

SYMBOLS = ("AUSDT", "BUSDT", "CUSDT")
FIRST, HISTORY = 100, 60
MISSING = {(symbol, minute) for symbol in SYMBOLS for minute in (105, 117, 118)}


@pytest.fixture
def exchange(monkeypatch: pytest.MonkeyPatch) -> Iterator[Elsewhere]:
    double = Double(SYMBOLS, minute=FIRST, page=25)
    double.missing = MISSING
    with Elsewhere(double) as elsewhere:
        monkeypatch.setenv("STRIKELINE_BINANCE_REST_URL", double.rest_url)
        monkeypatch.setenv("STRIKELINE_BINANCE_STREAM_URL", double.stream_url)
        yield elsewhere


class Run:
    """The feed's process and the exchange that it listens to."""

    def __init__(self, running: Stack, exchange: Elsewhere) -> None:
        self.stack = running
        self.exchange = exchange
        self.double = exchange.double

    def start(self) -> int:
        command = ("feed", "binance", *SYMBOLS, "--history", str(HISTORY), "--json")
        return self.stack.start("feed", *command)

    def messages(self) -> list[Kline | Tick]:
        klines = self.stack.topics.klines
        found = [decode(record, klines) for record in self.stack.records(klines)]
        return [one for one in found if isinstance(one, Kline | Tick)]

    def told(self) -> dict[str, str]:
        """What the topic has of each symbol."""
        messages = self.messages()
        return {symbol: words(messages, symbol) for symbol in SYMBOLS}

    def wait(self, done: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + 60
        while not done():
            assert time.monotonic() < deadline, f"{what}: {self.told()}\n{self.stack.log('feed')[-3_000:]}"
            time.sleep(0.05)

    def listening(self) -> None:
        self.wait(lambda: self.double.subscribed() == len(SYMBOLS), "not connected")

    def minutes(self, count: int) -> None:
        """Minutes pass; somebody listens or nobody does."""
        for _ in range(count):
            self.exchange.call(self.double.pass_minute())
            self.exchange.call(self.double.go_on())

    def has(self, end: int) -> None:
        """Wait until the topic has everything before minute `end`, and exactly that."""
        expected = expected_before(end)
        self.wait(
            lambda: all(self.told()[s].endswith(f"{s[0].lower()}{end}") for s in SYMBOLS), f"not at {end}"
        )
        assert self.told() == expected

    def kill(self, pid: int) -> None:
        os.kill(pid, signal.SIGKILL)
        assert self.stack.wait_ended("feed") == -signal.SIGKILL


def expected_before(end: int) -> dict[str, str]:
    gone = {minute for _, minute in MISSING}
    return {symbol: whole(symbol[0], FIRST - HISTORY, end, gone) for symbol in SYMBOLS}


def test_each_bar_is_on_the_topic_once_and_in_order_though_the_feed_is_killed_twice(
    kafka: Broker, exchange: Elsewhere, tmp_path: Path
) -> None:
    with stack(kafka, tmp_path, partitions=2) as running:
        run = Run(running, exchange)
        pid = run.start()
        run.listening()
        run.minutes(4)
        run.has(104)
        run.kill(pid)
        run.minutes(4)  # nobody listens; one of them without trades
        pid = run.start()
        run.listening()
        run.minutes(2)
        run.has(110)
        # The connection goes, a bar comes twice and once more with other numbers, and in the middle the process dies.
        exchange.call(run.double.drop(mid_frame=True))
        run.minutes(3)
        run.listening()
        for shift in (0, 1):
            text = frame("AUSDT", 109, run.double.now_ms, closed=True, shift=shift)
            exchange.call(run.double.send(text, "AUSDT"))
        run.minutes(1)
        run.kill(pid)
        run.minutes(2)
        pid = run.start()
        run.listening()
        run.minutes(4)
        run.has(120)
        os.kill(pid, signal.SIGTERM)
        assert running.wait_ended("feed") == 0
        ended = running.log("feed")
        last = json.loads(ended[ended.rindex("\n{\n") :])
        assert last["interrupted"] is True
        assert last["feed"] == "binance"
        numbers = [one for one in run.messages() if isinstance(one, Kline)]
        assert all(one.open == float(exchange_price(one)) for one in numbers)


def exchange_price(kline: Kline) -> str:
    """What the exchange says, without the restatement that came too late."""
    return str(row(kline.symbol, (kline.open_time_ms - START) // MINUTE_MS)[1])
