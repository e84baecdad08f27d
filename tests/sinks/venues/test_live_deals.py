"""Deals on a live venue: the executor, the gateway and ccxt against an exchange that answers over HTTP."""

import asyncio
from decimal import Decimal

import pytest
from sqlalchemy import Engine

from schemas.bots import TakeProfit, TargetStep
from tests.sinks.bots import TOPICS, bar
from tests.sinks.loop import names, rows
from tests.sinks.reconciling import differences
from tests.sinks.venues.double import Double, Fault
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


@pytest.fixture
def trading(sqlite: Engine, double: Double) -> Trading:
    """A bot that waits for its entry; fees are paid in quote."""
    double.book.fee_asset = "USDT"
    loop = Trading(sqlite, double)
    loop.put(live_bot())
    loop.step(bar(0, 105.0))
    return loop


def statuses(loop: Trading) -> list[tuple[str, str, str]]:
    """(side, type, status) of everything the venue has."""
    return [(o["side"], o["type"], o["status"]) for o in loop.double.book.orders]


def levels(loop: Trading) -> list[str]:
    """Levels of all fills, in the order of the deal."""
    return [row[1] for row in sorted(rows(loop.engine, "fills")["fills"], key=lambda row: int(row[3]))]


def armed(loop: Trading) -> dict[str, str]:
    """What the deal's group waits for: prices by alert."""
    for command in reversed(loop.commands):
        if not command.group_id.endswith("/entry"):
            return {
                member.alert_id.removeprefix("bot_dip_"): str(member.condition["level"]["price"])
                for member in command.members
            }
    return {}


def test_the_ladder_hangs_at_what_the_venue_gave(trading: Trading) -> None:
    trading.double.book.offers = [(Decimal("100.00"), Decimal("0.05")), (Decimal("103.00"), Decimal("0.10"))]
    trading.step(bar(1, 100.0))
    assert levels(trading) == ["base", "base"]
    # (0.05 × 100 + 0.1 × 103) / 0.15 = 102; its safety orders 1 and 2.5 % below
    assert armed(trading)["dca_1"] == "100.98"
    assert armed(trading)["dca_2"] == "99.45"


def test_a_base_order_filled_in_part_and_ended_is_a_smaller_deal(trading: Trading) -> None:
    trading.double.book.offers = [(Decimal("100.00"), Decimal("0.06"))]
    trading.step(bar(1, 100.0))
    assert statuses(trading) == [("BUY", "MARKET", "EXPIRED")]
    [deal] = rows(trading.engine, "deals")["deals"]
    assert (deal[4], deal[10]) == ("open", "0.06")
    assert armed(trading)["dca_1"] == "99"


def test_a_safety_order_rests_where_the_market_went_back_and_is_covered_when_it_is_filled(
    trading: Trading,
) -> None:
    trading.step(bar(1, 100.0))
    trading.step(bar(2, 99.6, opened=99.8, low=98.9))
    assert statuses(trading)[1:] == [("BUY", "LIMIT", "NEW")]
    target = armed(trading)["tp_1"]
    assert "dca_1" not in armed(trading)
    trading.step(bar(3, 99.5, opened=99.6))
    assert levels(trading) == ["base"]
    trading.double.book.move("98.95")
    trading.wait(2)
    assert levels(trading) == ["base", "dca_1"]
    assert Decimal(armed(trading)["tp_1"]) < Decimal(target)


def test_a_safety_order_filled_in_parts_moves_the_target_each_time(trading: Trading) -> None:
    trading.step(bar(1, 100.0))
    trading.double.book.offers = [(Decimal("98.90"), Decimal("0.10000"))]
    trading.step(bar(2, 98.9))
    first = armed(trading)["tp_1"]
    assert statuses(trading)[1:] == [("BUY", "LIMIT", "PARTIALLY_FILLED")]
    trading.double.book.offers = []
    trading.double.book.move("98.80")
    trading.wait(2)
    assert levels(trading) == ["base", "dca_1", "dca_1"]
    assert Decimal(armed(trading)["tp_1"]) < Decimal(first)
    assert [row[-1] for row in rows(trading.engine, "fills")["fills"] if row[1] == "dca_1"] == [2, 3]
    assert differences(trading.engine, trading.bus, TOPICS) == []


def test_a_target_is_never_sold_below_its_price_and_is_tried_again(trading: Trading) -> None:
    trading.step(bar(1, 100.0))
    trading.step(bar(2, 101.0, opened=100.5, high=102.2))
    assert statuses(trading)[1:] == [("SELL", "LIMIT", "EXPIRED")]
    assert {"tp_1", "sl", "dca_1"} <= set(armed(trading))
    trading.step(bar(3, 102.5, opened=101.0))
    assert statuses(trading)[2:] == [("SELL", "LIMIT", "FILLED")]
    [deal] = rows(trading.engine, "deals")["deals"]
    assert (deal[4], deal[9]) == ("closed", "take_profit")


def test_a_target_sold_in_part_leaves_the_rest_in_the_deal(trading: Trading) -> None:
    trading.step(bar(1, 100.0))
    trading.double.book.offers = [(Decimal("102.50"), Decimal("0.09"))]
    trading.step(bar(2, 102.5))
    [deal] = rows(trading.engine, "deals")["deals"]
    assert (deal[4], deal[10]) == ("open", "0.06")
    trading.double.book.offers = []
    trading.step(bar(3, 103.0))
    assert levels(trading) == ["base", "tp_1", "tp_1"]
    assert rows(trading.engine, "deals")["deals"][0][4] == "closed"


def test_a_stop_withdraws_what_rests_and_sells_at_the_market(trading: Trading) -> None:
    trading.step(bar(1, 100.0))
    trading.step(bar(2, 99.6, low=98.9))
    trading.step(bar(3, 79.0, opened=99.5))
    assert statuses(trading) == [
        ("BUY", "MARKET", "FILLED"), ("BUY", "LIMIT", "FILLED"),
        ("SELL", "MARKET", "FILLED"), ("SELL", "MARKET", "FILLED"),
    ]  # fmt: skip
    assert rows(trading.engine, "deals")["deals"][0][9] == "stop_loss"
    assert trading.double.book.balances["BTC"] == 0


def test_where_a_bar_meets_ladder_and_stop_nothing_more_is_bought(trading: Trading) -> None:
    trading.step(bar(1, 100.0))
    trading.step(bar(2, 85.0, opened=99.9, low=79.0))
    assert statuses(trading) == [("BUY", "MARKET", "FILLED"), ("SELL", "MARKET", "FILLED")]
    skipped = [
        event.detail["level"] for event in trading.events if "nothing is bought any more" in event.reason
    ]
    assert skipped == ["dca_1", "dca_2"]


def test_a_resting_order_is_withdrawn(trading: Trading) -> None:
    trading.step(bar(1, 100.0))
    trading.step(bar(2, 99.6, low=98.9))
    trading.step(bar(3, 102.5, opened=99.6))
    assert statuses(trading) == [
        ("BUY", "MARKET", "FILLED"), ("BUY", "LIMIT", "CANCELED"), ("SELL", "LIMIT", "FILLED"),
    ]  # fmt: skip
    assert rows(trading.engine, "deals")["deals"][0][4] == "closed"
    assert names(trading).count("order_cancelled") == 1


def test_an_exit_that_the_venue_refuses_comes_again(trading: Trading) -> None:
    trading.step(bar(1, 100.0))
    trading.double.fail(
        "POST /order", Fault(400, -2010, "Account has insufficient balance for requested action.")
    )
    trading.step(bar(2, 79.0, opened=99.0))
    assert rows(trading.engine, "deals")["deals"][0][4] == "open"
    assert "sl" in armed(trading)
    trading.step(bar(3, 78.0, opened=79.0))
    assert rows(trading.engine, "deals")["deals"][0][4] == "closed"


def test_shorts_are_refused_on_spot(trading: Trading) -> None:
    trading.put(live_bot(bot_id="bear", side="short"))
    trading.step(bar(1, 100.0))
    refused = [event for event in trading.events if event.event == "entry_refused"]
    assert [(event.bot_id, event.detail["field"]) for event in refused] == [("bear", "side")]


def test_a_fire_that_a_report_overtook_comes_again(trading: Trading) -> None:
    """While the safety order's fill is on its way, the next bar meets the stop: under the older generation."""
    trading.step(bar(1, 100.0))
    trading.step(bar(2, 99.6, low=98.9))
    trading.clock.ms = bar(4, 1.0).close_time_ms
    trading.double.book.move("98.9")
    trading.feed("BTCUSDT", bar(3, 79.0, opened=99.5), bar(4, 98.9))
    trading.evaluator.run()  # the trigger is written, and not read yet
    for gateway in trading.worker._gateways.values():
        gateway.run_once()
    record = trading.bus.records(TOPICS.triggers.name)[-1]
    claim = trading.worker._claims[record.partition]
    asyncio.run(trading.worker._relay(record.partition))
    reports = [r for r in trading.bus.records(TOPICS.orders.name) if r.partition == record.partition]
    trading.worker.executor.apply(claim, reports)
    trading.run()
    assert rows(trading.engine, "deals")["deals"][0][9] == "stop_loss"
    assert any("its bar is armed again" in str(row[-1]) for row in reasons(trading))


def reasons(loop: Trading) -> list[tuple[object, ...]]:
    """What the inbox says of each record."""
    return [tuple(row) for row in rows(loop.engine, "inbox")["inbox"]]


def test_fees_in_base_leave_less_to_sell(trading: Trading) -> None:
    trading.double.book.fee_asset = None
    trading.step(bar(1, 100.0))
    trading.step(bar(2, 98.9))
    trading.step(bar(3, 102.5, opened=98.9))
    assert [o["origQty"] for o in trading.double.book.orders] == ["0.15", "0.30304", "0.45258"]
    [deal] = rows(trading.engine, "deals")["deals"]
    assert (deal[4], deal[9]) == ("closed", "take_profit")
    # 0.45304 − 0.1 % is 0.45258696: what a lot cannot hold is dust, in the books and at the venue
    assert trading.double.book.balances["BTC"] == Decimal("0.00000696")
    base = [Decimal(row[4]) for row in rows(trading.engine, "ledger")["ledger"] if row[3] == "base"]
    assert sum(base) == 0


def test_fees_in_a_third_currency_are_reckoned_at_the_bots_rate(trading: Trading) -> None:
    trading.double.book.fee_asset = "BNB"
    trading.step(bar(1, 100.0))
    [fill] = rows(trading.engine, "fills")["fills"]
    assert fill[10] == "0.015"


def test_target_steps_are_sold_one_by_one(sqlite: Engine, double: Double) -> None:
    steps = (TargetStep(percent="2", amount="60"), TargetStep(percent="4", amount="40"))
    loop = Trading(sqlite, double)
    double.book.fee_asset = "USDT"
    loop.put(live_bot(take_profit=TakeProfit(steps=steps)))
    loop.step(bar(0, 105.0))
    loop.step(bar(1, 100.0))
    loop.step(bar(2, 102.5, opened=100.0))
    assert [o["origQty"] for o in double.book.orders] == ["0.15", "0.09"]
    assert set(armed(loop)) >= {"tp_2", "sl"}
    loop.step(bar(3, 105.0, opened=102.5))
    assert levels(loop) == ["base", "tp_1", "tp_2"]
    assert rows(sqlite, "deals")["deals"][0][4] == "closed"


def test_safety_orders_passed_together_are_one_order(sqlite: Engine, double: Double) -> None:
    loop = Trading(sqlite, double)
    double.book.fee_asset = "USDT"
    loop.put(live_bot(gap_through="merge"))
    loop.step(bar(0, 105.0))
    loop.step(bar(1, 100.0))
    loop.step(bar(2, 97.0, opened=99.9))
    assert [(o["type"], o["price"], o["status"]) for o in double.book.orders[1:]] == [
        ("LIMIT", "97.5", "FILLED")
    ]
    assert levels(loop) == ["base", "dca_2"]


def test_a_target_of_its_own_bot_is_not_overtaken_by_deals_beside_it(sqlite: Engine, double: Double) -> None:
    """Deals side by side share one group: a report of one arms it anew for all."""
    loop = Trading(sqlite, double)
    double.book.fee_asset = "USDT"
    loop.put(live_bot(max_active_deals=2, max_active_deals_per_pair=2))
    loop.step(bar(0, 105.0))
    loop.step(bar(1, 100.0))
    loop.step(bar(2, 101.5))
    loop.step(bar(3, 100.4, opened=101.5))
    assert [deal[4] for deal in rows(sqlite, "deals")["deals"]] == ["open", "open"]
    loop.step(bar(4, 104.0, opened=100.4))
    assert [deal[9] for deal in rows(sqlite, "deals")["deals"]] == ["take_profit", "take_profit"]
    assert double.book.balances["BTC"] == 0


def test_a_report_that_closes_one_deal_leaves_the_bar_to_those_beside_it(
    sqlite: Engine, double: Double
) -> None:
    """The fill comes while the next bar forms, and that bar meets the other deal's stop."""
    loop = Trading(sqlite, double)
    double.book.fee_asset = "USDT"
    loop.put(live_bot(max_active_deals=2, max_active_deals_per_pair=2))
    for number, (opened, close) in enumerate(
        [(105.0, 105.0), (100.0, 100.0), (101.5, 101.5), (101.5, 100.9)]
    ):
        loop.step(bar(number, close, opened=opened))
    loop.clock.ms = bar(4, 1.0).close_time_ms + 300
    loop.step(bar(4, 102.3, opened=100.9))
    assert sorted(deal[4] for deal in rows(sqlite, "deals")["deals"]) == ["closed", "open"]
    loop.step(bar(5, 79.0, opened=102.3))
    assert sorted(deal[9] for deal in rows(sqlite, "deals")["deals"]) == ["stop_loss", "take_profit"]


def test_a_periodic_bot_buys_again_and_again(sqlite: Engine, double: Double) -> None:
    loop = Trading(sqlite, double)
    double.book.fee_asset = "USDT"
    loop.put(live_bot(accumulate=True, take_profit=None, stop_loss=None, max_safety_orders=0))
    for number, close in enumerate([105.0, 100.0, 105.0, 99.0, 105.0, 98.0]):
        loop.step(bar(number, close))
    assert levels(loop) == ["base", "base_2", "base_3"]
    assert len(rows(sqlite, "deals")["deals"]) == 1


def test_a_deal_whose_orders_are_on_their_way_is_as_the_reconciler_expects(trading: Trading) -> None:
    for number, close in enumerate([100.0, 98.9, 104.0], start=1):
        trading.double.fail("POST /order", Fault(0))
        trading.step(bar(number, close))
        assert differences(trading.engine, trading.bus, TOPICS) == []
        trading.wait(6)
        assert differences(trading.engine, trading.bus, TOPICS) == []
    assert rows(trading.engine, "deals")["deals"][0][4] == "closed"
