"""The executor's process trades on the exchange double, over a real broker, and is killed while it does."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

pytest.importorskip("ccxt", reason="the extra `live` is not installed")

from schemas.triggers import Bar
from sinks.database.engine import open_engine, reading
from sinks.database.migrate import upgrade
from sinks.orders.store import list_orders
from tests.e2e.executors import KafkaLog, executors, wait_for
from tests.sinks.bots import MINUTE, config_out, golden
from tests.sinks.evaluator import Evaluator
from tests.sinks.loop import rows
from tests.sinks.venues.double import KEY, SECRET, Double, exchange_double
from topics.broker.choose import Broker
from topics.registry import Topics

pytestmark = pytest.mark.e2e


@pytest.fixture
def log(kafka: Broker) -> Iterator[KafkaLog]:
    opened = KafkaLog(kafka.bootstrap, Topics(f"live-{uuid4().hex[:8]}", 3, keep_history=True))
    yield opened
    opened.close()


class Minutes:
    """Bars of minutes to come: a venue's fills carry the time of day, and levels count from their bar, however long the
    test takes.
    """

    def __init__(self) -> None:
        self.next_ms = 0

    def bar(self, close: float) -> Bar:
        """The next one, not before the minute after this one."""
        now_ms = time.time_ns() // 1_000_000
        opened_ms = max(self.next_ms, (now_ms // MINUTE + 1) * MINUTE)
        self.next_ms = opened_ms + MINUTE
        return Bar(
            interval="1m", open_time_ms=opened_ms, close_time_ms=self.next_ms, open=close, high=close, low=close,
            close=close, volume=1.0,
        )  # fmt: skip


def environment(double: Double) -> dict[str, str]:
    return {
        "STRIKELINE_VENUE": "binance",
        "STRIKELINE_VENUE_URLS": json.dumps(double.urls),
        "STRIKELINE_VENUE_USER_ID": "alice",
        "STRIKELINE_VENUE_API_KEY": KEY,
        "STRIKELINE_VENUE_API_SECRET": SECRET,
        "STRIKELINE_VENUE_RECEIVE_WINDOW": "2",
        "STRIKELINE_VENUE_ENTRY_AGE": "3600",
    }


def test_a_deal_through_broker_and_venue_with_kills(
    log: KafkaLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path / 'live.db'}"
    engine = open_engine(url)
    upgrade(engine)
    evaluator = Evaluator(log, log.topics)
    minutes = Minutes()
    first = minutes.bar(105.0)
    with exchange_double() as double, executors(log, url, tmp_path) as processes:
        for name, value in environment(double).items():
            monkeypatch.setenv(name, value)
        double.book.fee_asset = "USDT"
        processes.start("gateway.recorded:1")  # dies before the first order leaves
        log.append(config_out(golden(effective_from_ms=first.open_time_ms, max_safety_orders=2), log.topics))

        def count() -> int:
            """Orders that are over, after both sides did what they could."""
            if processes.reap():
                processes.start("gateway.answered:2")  # and once more, with an answer in hand
            evaluator.run()
            with reading(engine).begin() as connection:
                return sum(1 for order in list_orders(connection) if order.phase == "done")

        def deal_state() -> list[str]:
            count()
            return [row[4] for row in rows(engine, "deals")["deals"]]

        double.book.move("100.0")
        evaluator.feed("BTCUSDT", first, minutes.bar(100.0))
        wait_for("the base order", lambda: count() == 1, processes)
        double.book.move("98.9")
        evaluator.feed("BTCUSDT", minutes.bar(98.9))
        wait_for("the safety order", lambda: count() == 2, processes)
        double.book.move("103.0")
        evaluator.feed("BTCUSDT", minutes.bar(103.0))
        wait_for("the target", lambda: deal_state() == ["closed"], processes)
        assert [(o["side"], o["status"]) for o in double.book.orders] == [
            ("BUY", "FILLED"), ("BUY", "FILLED"), ("SELL", "FILLED"),
        ]  # fmt: skip
        assert double.book.balances["BTC"] == 0
        said = processes.logs()
        assert "the sandbox" in said
        assert SECRET not in said
        assert KEY not in said
    engine.dispose()
