"""Random days on a venue that fails at random, with an executor that dies at random: books and venue agree in the end.

Five days of fourteen bars; the seed is the day's.
"""

import asyncio
import random
from collections import Counter
from decimal import Decimal

import pytest
from sqlalchemy import Engine

from schemas.bots import StopLoss
from tests.sinks.bots import TOPICS, bar
from tests.sinks.loop import rows
from tests.sinks.reconciling import differences
from tests.sinks.venues.double import Double, Fault
from tests.sinks.venues.trading import TIMING, Trading, live_bot
from topics.failpoints import Died, armed

FAULTS = [
    Fault(-1), Fault(-1, after=True), Fault(0), Fault(0, after=True), Fault(503), Fault(503, after=True),
    Fault(429, -1003, "slow down", retry_after=2), Fault(504, -1007, "Timeout", after=True), Fault(400, -9999, "?"),
]  # fmt: skip
REQUESTS = ("POST /order", "GET /order", "DELETE /order", "GET /myTrades")
POINTS = ("gateway.recorded", "gateway.answered", "gateway.saved", "executor.committed", "relay.acknowledged")


class BadDay(Trading):
    """Dies now and then, and comes back."""

    dice: random.Random
    deaths = 0

    def run(self) -> None:
        """Like `Loop.run`, with deaths."""
        while True:
            try:
                points = {self.dice.choice(POINTS): 1} if self.dice.random() < 0.03 else {}
                with armed(points):
                    handled = asyncio.run(self.worker.run_until_idle())
            except Died:
                self.deaths += 1
                self.worker.crash()
                self.worker = self.start()
                continue
            if not handled + self.evaluator.run():
                return

    def go_wrong(self) -> None:
        """What the next requests meet."""
        self.double.faults.clear()
        for request in REQUESTS:
            if self.dice.random() < 0.4:
                self.double.fail(request, *self.dice.choices(FAULTS, k=self.dice.randint(1, 2)))
        offers = self.dice.random()
        price = self.double.book.price
        self.double.book.offers = [(price, Decimal("0.05"))] if offers < 0.3 else []


@pytest.mark.parametrize("seed", range(5))
def test_books_and_venue_agree_after_a_bad_day(sqlite: Engine, double: Double, seed: int) -> None:
    loop = BadDay(sqlite, double)
    loop.dice = random.Random(seed)
    double.book.fee_asset = "USDT"
    loop.put(live_bot(stop_loss=StopLoss(percent="8")), live_bot(bot_id="other", entry="close < 100.5"))
    price = 105.0
    for number in range(14):
        low, high = (85.0, 90.0) if loop.dice.random() < 0.1 else (96.0, 105.0)
        opened, price = price, round(loop.dice.uniform(low, high), 2)
        loop.clock.ms = max(loop.clock.ms, bar(number, price).close_time_ms)
        double.book.move(str(price))
        loop.go_wrong()
        loop.feed("BTCUSDT", bar(number, price, opened=opened))
        loop.run()
        loop.wait(3)
    double.faults.clear()
    double.book.offers = []
    loop.wait(3 * TIMING.settle_ms / 1_000)
    orders = loop.orders()
    assert max(Counter(order["clientOrderId"] for order in double.book.orders).values()) == 1
    assert {order["clientOrderId"] for order in double.book.orders} <= {
        order.intent.client_id for order in orders
    }
    assert len(double.book.orders) >= 3
    # What is too little to be sold is dust in the books and stays at the venue.
    base = [
        Decimal(row[4]) for row in rows(sqlite, "ledger")["ledger"] if row[3] == "base" and row[1] != "dust"
    ]
    assert double.book.balances["BTC"] == sum(base)
    fills = rows(sqlite, "fills")["fills"]
    assert sorted((Decimal(f[7]), Decimal(f[8])) for f in fills) == sorted(
        (Decimal(t["price"]), Decimal(t["qty"])) for t in double.book.trades
    )
    assert {order.phase for order in orders if not order.intent.open} <= {"done"}
    assert {order.phase for order in orders if order.intent.open} <= {"working"}
    assert differences(sqlite, loop.bus, TOPICS) == []
