"""The executor dies between any two steps of an order: never two orders for one intent, and the same books."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from schemas.triggers import Bar
from sinks.database.engine import open_engine
from sinks.database.migrate import upgrade
from tests.deadline import DEADLINE_S
from tests.sinks.bots import bar
from tests.sinks.loop import rows
from tests.sinks.venues.child import main
from tests.sinks.venues.double import Double, Fault, exchange_double
from tests.sinks.venues.trading import TIMING, Trading, live_bot
from topics.failpoints import VARIABLE, Died, armed

POINTS = (
    "gateway.recorded",
    "gateway.answered",
    "gateway.saved",
    "gateway.committed",
    "executor.committed",
    "relay.acknowledged",
)
DEATHS = 3
BARS = [
    bar(0, 105.0), bar(1, 100.0), bar(2, 98.9, low=98.8), bar(3, 96.0, opened=98.9), bar(4, 104.0, opened=96.0),
    bar(5, 105.0), bar(6, 105.0), bar(7, 99.0), bar(8, 70.0, opened=99.0), bar(9, 70.0),
]  # fmt: skip


class Mortal(Trading):
    """Dies at one point: at the first passage, then after two more, after three, after one …"""

    point = ""
    deaths = 0
    left = 1

    def run(self) -> None:
        """Like `Loop.run`, with a new executor after each death, which first waits until nothing can arrive late."""
        while True:
            try:
                points = {self.point: self.left} if self.point and self.deaths < DEATHS else {}
                with armed(points) as live:
                    handled = asyncio.run(self.worker.run_until_idle())
                    self.left = live.get(self.point, self.left)
            except Died:
                self.deaths += 1
                self.left = 1 + self.deaths % 3
                self.worker.crash()
                self.worker = self.start()
                self.clock.ms += TIMING.settle_ms
                continue
            if not handled + self.evaluator.run():
                return

    def step(self, bar: Bar, symbol: str = "BTCUSDT") -> None:
        """A bar, and time enough for everything to be looked at again."""
        super().step(bar, symbol)
        self.wait(6)


def played(engine: Engine, double: Double, point: str = "") -> Mortal:
    double.book.fee_asset = "USDT"
    loop = Mortal(engine, double)
    loop.point = point
    loop.put(live_bot())
    for each in BARS:
        loop.step(each)
    return loop


def books(loop: Trading) -> list[Any]:
    """Per deal its outcome and its fills in order, without times and ids of records."""
    found = []
    for deal in rows(loop.engine, "deals")["deals"]:
        fills = [row for row in rows(loop.engine, "fills")["fills"] if row[0] == deal[0]]
        fills.sort(key=lambda row: int(row[3]))
        found.append(
            (deal[4], deal[9], deal[10], deal[12], deal[13], [(row[1], *row[6:12]) for row in fills])
        )
    return sorted(found)


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    engine = open_engine(f"sqlite:///{tmp_path_factory.mktemp('live') / 'day.db'}")
    upgrade(engine)
    with exchange_double() as double:
        found = books(played(engine, double))
    engine.dispose()
    return found


def once(double: Double) -> bool:
    """Is there one order at most of each client id?"""
    return max(Counter(order["clientOrderId"] for order in double.book.orders).values()) == 1


@pytest.mark.parametrize("point", POINTS)
def test_dying_there_sends_nothing_twice(
    sqlite: Engine, double: Double, uninterrupted: list[Any], point: str
) -> None:
    loop = played(sqlite, double, point)
    assert loop.deaths == DEATHS
    assert once(double)
    assert len(double.book.orders) == len(loop.orders())
    assert books(loop) == uninterrupted
    assert {order.phase for order in loop.orders()} == {"done"}


@pytest.mark.parametrize("point, arrived", [("gateway.recorded", 0), ("", 1)])
def test_kill_9_between_intent_and_answer(tmp_path: Path, double: Double, point: str, arrived: int) -> None:
    """A real process: killed before the request leaves, or (no point) while it waits for the answer."""
    url = f"sqlite:///{tmp_path / 'killed.db'}"
    engine = open_engine(url)
    upgrade(engine)
    loop = Trading(engine, double, receive_window_ms=60_000)
    double.book.clock_ms = loop.exchange._client.milliseconds = lambda: time.time_ns() // 1_000_000
    loop.put(live_bot())
    loop.feed("BTCUSDT", bar(0, 105.0), bar(1, 100.0))
    loop.worker._gateways = _Nobody()
    loop.run()
    if not point:
        double.fail("POST /order", Fault(-1, after=True))
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.sinks.venues.child", url, double.url],
        env=os.environ | {VARIABLE: f"{point}:1" if point else ""},
    )
    deadline = time.monotonic() + DEADLINE_S
    while not point and not double.book.orders and time.monotonic() < deadline:
        time.sleep(0.01)
    if not point:
        child.send_signal(signal.SIGKILL)
    assert child.wait(DEADLINE_S) == -signal.SIGKILL
    assert len(double.book.orders) == arrived
    main(url, double.url)
    assert len(double.book.orders) == 1
    [order] = loop.orders()
    assert (order.phase, order.attempts) == ("done", 2 - arrived)
    engine.dispose()


class _Nobody(dict[int, Any]):
    """No gateway in this process: what is claimed is traded by the child."""

    def __setitem__(self, partition: int, gateway: object) -> None:
        """Forget it."""
