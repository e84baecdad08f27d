"""Deals on a live venue: the executor, the gateway and ccxt against an exchange that answers over HTTP."""

from decimal import Decimal

from sqlalchemy import Engine

from tests.sinks.bots import bar
from tests.sinks.loop import names, rows
from tests.sinks.venues.double import Double
from tests.sinks.venues.trading import Trading, live_bot


def test_a_deal_is_opened_bought_into_and_closed(engine: Engine, double: Double) -> None:
    loop = Trading(engine, double)
    double.book.fee_asset = "USDT"
    loop.put(live_bot())
    loop.step(bar(0, 105.0))
    loop.step(bar(1, 100.0))
    loop.step(bar(2, 98.9, low=98.8))
    loop.step(bar(3, 101.5))
    assert [(o["side"], o["type"], o["origQty"], o["status"]) for o in double.book.orders] == [
        ("BUY", "MARKET", "0.15", "FILLED"),
        ("BUY", "LIMIT", "0.30304", "FILLED"),
        ("SELL", "LIMIT", "0.45304", "FILLED"),
    ]
    [deal] = rows(engine, "deals")["deals"]
    assert (deal[4], deal[9]) == ("closed", "take_profit")
    money = sum(
        (Decimal(t["quoteQty"]) * (-1 if t["isBuyer"] else 1) for t in double.book.trades), Decimal(0)
    )
    assert [o.phase for o in loop.orders()] == ["done"] * 3
    fills = rows(engine, "fills")["fills"]
    assert [f[1] for f in fills] == ["base", "dca_1", "tp_1"]
    booked = sum((Decimal(f[9]) * (1 if f[6] == "sell" else -1) for f in fills), Decimal(0))
    assert booked == money
    assert names(loop).count("filled") == 3
