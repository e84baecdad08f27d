"""What goes wrong between us and a venue, and that there is never a second order for one intent."""

import logging
from collections.abc import Sequence

import pytest
from sqlalchemy import Engine

from schemas.orders import OrderReport
from sinks.errors import Fenced
from sinks.orders.gateway import Gateway
from sinks.orders.store import Underway
from sinks.orders.strays import tell_strays
from tests.sinks.bots import TOPICS, bar
from tests.sinks.loop import inbox, names, rows
from tests.sinks.venues.double import KEY, SECRET, Double, Fault
from tests.sinks.venues.trading import TIMING, Clock, Trading, live_bot
from topics.records import Outgoing

SILENCE, CUT = -1, 0
ACCEPTED_UNHEARD = {
    "silence": Fault(SILENCE, after=True),
    "cut": Fault(CUT, after=True),
    "503": Fault(503, msg="Service Unavailable", after=True),
    "504": Fault(504, -1007, "Timeout waiting for response from backend server.", after=True),
    "-1006": Fault(400, -1006, "An unexpected response was received from the message bus.", after=True),
    "an error nobody knows": Fault(400, -9999, "What is this?", after=True),
}
NEVER_ARRIVED = {
    "silence": Fault(SILENCE),
    "cut": Fault(CUT),
    "503": Fault(503, msg="Service Unavailable"),
    "-1001": Fault(500, -1001, "Internal error; unable to process your request."),
    "clock": Fault(400, -1021, "Timestamp for this request is outside of the recvWindow."),
}


@pytest.fixture
def trading(sqlite: Engine, double: Double) -> Trading:
    """A bot that waits for its entry; fees are paid in quote."""
    double.book.fee_asset = "USDT"
    loop = Trading(sqlite, double)
    loop.put(live_bot())
    loop.step(bar(0, 105.0))
    return loop


def entered(loop: Trading) -> int:
    """How many fills the deal's base order has."""
    return [row[1] for row in rows(loop.engine, "fills")["fills"]].count("base")


@pytest.mark.parametrize("fault", ACCEPTED_UNHEARD.values(), ids=ACCEPTED_UNHEARD)
def test_an_order_that_was_accepted_unheard_is_found(trading: Trading, fault: Fault) -> None:
    trading.double.fail("POST /order", fault)
    trading.step(bar(1, 100.0))
    trading.wait(2, lambda: entered(trading) == 1)
    assert entered(trading) == 1
    assert (trading.double.sent(), len(trading.double.book.orders)) == (1, 1)
    trading.wait(10)
    assert trading.double.sent() == 1


@pytest.mark.parametrize("fault", NEVER_ARRIVED.values(), ids=NEVER_ARRIVED)
def test_an_order_that_never_arrived_is_sent_again_once_it_cannot_arrive_any_more(
    trading: Trading, fault: Fault
) -> None:
    trading.double.fail("POST /order", fault)
    trading.step(bar(1, 100.0))
    trading.wait(3)
    assert (trading.double.sent(), trading.double.book.orders) == (1, [])
    trading.wait(3, lambda: entered(trading) == 1)
    assert entered(trading) == 1
    assert (trading.double.sent(), len(trading.double.book.orders)) == (2, 1)
    assert trading.orders()[0].attempts == 2


def test_a_request_that_dawdles_in_the_network_is_refused_by_the_venue_before_we_send_again(
    trading: Trading,
) -> None:
    trading.double.fail("POST /order", Fault(SILENCE, late=True))
    trading.step(bar(1, 100.0))
    trading.wait(6, lambda: entered(trading) == 1)
    assert trading.double.arrive() == [
        {"code": -1021, "msg": "Timestamp for this request is outside of the recvWindow."}
    ]
    assert len(trading.double.book.orders) == 1


def test_a_request_that_dawdles_less_than_that_is_found(trading: Trading) -> None:
    trading.double.fail("POST /order", Fault(SILENCE, late=True))
    trading.step(bar(1, 100.0))
    trading.wait(1.5)
    assert trading.double.arrive()[0]["status"] == "FILLED"
    trading.wait(10)
    assert (entered(trading), len(trading.double.book.orders)) == (1, 1)


def test_a_venue_that_forgets_to_show_an_open_order_refuses_its_doublet(trading: Trading) -> None:
    """Client id unknown though the order rests: the venue's own guard against doublets holds."""
    trading.step(bar(1, 100.0))
    unknown = Fault(400, -2013, "Order does not exist.")
    trading.double.fail("POST /order", Fault(CUT, after=True))
    trading.double.fail("GET /order", *[unknown] * 6)
    trading.step(bar(2, 99.5, low=98.8))
    trading.wait(12)
    assert [o["status"] for o in trading.double.book.orders] == ["FILLED", "NEW"]
    assert trading.double.sent() == 3
    assert [o.phase for o in trading.orders()] == ["done", "working"]


@pytest.mark.parametrize("status", [429, 418])
def test_a_venue_that_asks_for_silence_gets_it(trading: Trading, status: int) -> None:
    trading.double.fail("POST /order", Fault(status, -1003, "Too much request weight used.", retry_after=20))
    trading.step(bar(1, 100.0))
    before = len(trading.double.asked)
    trading.wait(19)
    assert len(trading.double.asked) == before
    trading.wait(3, lambda: entered(trading) == 1)
    assert (entered(trading), len(trading.double.book.orders)) == (1, 1)


def test_without_money_the_entry_is_rejected_and_the_next_signal_counts(trading: Trading) -> None:
    trading.double.book.balances["USDT"] = trading.double.book.balances["BTC"]
    trading.step(bar(1, 100.0))
    [deal] = rows(trading.engine, "deals")["deals"]
    assert (deal[4], deal[9]) == ("closed", "order_rejected")
    [rejected] = [event for event in trading.events if event.event == "order_rejected"]
    assert "InsufficientFunds" in rejected.reason
    trading.double.book.balances["USDT"] += 1000
    trading.step(bar(2, 105.0))
    trading.step(bar(3, 100.0))
    assert entered(trading) == 1


def test_an_entry_that_is_too_late_is_not_sent(trading: Trading) -> None:
    trading.clock.ms = bar(1, 1.0).close_time_ms + TIMING.entry_ms + 1
    trading.step(bar(1, 100.0))
    assert trading.double.sent() == 0
    assert [e.reason for e in trading.events if e.event == "order_rejected"] == [
        "too late: what caused it is 120 s old"
    ]


def test_an_entry_is_given_up_when_its_time_is_over(trading: Trading) -> None:
    trading.double.fail("POST /order", *[Fault(CUT)] * 100)
    trading.step(bar(1, 100.0))
    trading.wait(60)
    assert trading.double.sent() == TIMING.attempts
    [deal] = rows(trading.engine, "deals")["deals"]
    assert deal[9] == "order_rejected"


def test_a_user_without_keys_is_told(trading: Trading) -> None:
    trading.put(live_bot(bot_id="bobs", user_id="bob"))
    trading.step(bar(1, 100.0))
    assert [(e.bot_id, e.reason) for e in trading.events if e.event == "order_rejected"] == [
        ("bobs", "no API keys for user bob")
    ]


def test_wrong_keys_are_a_refusal(sqlite: Engine, double: Double) -> None:
    loop = Trading(sqlite, double)
    loop.exchange._client.secret = "not-the-secret"
    loop.put(live_bot())
    loop.step(bar(0, 105.0))
    loop.step(bar(1, 100.0))
    loop.wait(10)
    assert double.book.orders == []
    assert double.sent() == 1


def test_who_lost_the_partition_sends_nothing(trading: Trading) -> None:
    claims = dict(trading.worker._claims)
    old = Gateway(trading.engine, claims[0], TOPICS, trading.accounts, TIMING, trading.clock)
    trading.worker.crash()
    trading.worker = trading.start()
    trading.step(bar(1, 100.0))
    with pytest.raises(Fenced):
        old.run_once()
    assert trading.double.sent() == 1


class Slow(Gateway):
    """Between recording and sending a minute passes."""

    stood_still: Clock

    def _save(self, item: Underway, reports: Sequence[OrderReport] = ()) -> None:
        super()._save(item, reports)
        if item.phase == "sending":
            self.stood_still.ms += 60_000


def test_a_process_that_stood_still_before_it_could_send_does_not(trading: Trading) -> None:
    partition = trading.bus.records(TOPICS.configs.name)[0].partition
    claim = trading.worker._claims[partition]
    slow = Slow(trading.engine, claim, TOPICS, trading.accounts, TIMING, trading.clock)
    slow.stood_still = trading.clock
    trading.worker._gateways[partition] = slow
    trading.step(bar(1, 100.0))
    assert trading.double.sent() == 0
    assert [o.phase for o in trading.orders()] == ["sending"]


def test_a_request_that_was_suspended_is_signed_as_of_its_record_and_refused_as_too_old(
    trading: Trading,
) -> None:
    """As if the process had stood still after its last look at the clock: the venue is the one that knows."""
    partition = trading.bus.records(TOPICS.configs.name)[0].partition
    claim = trading.worker._claims[partition]
    blind = TIMING._replace(hold_ms=10**9)
    slow = Slow(trading.engine, claim, TOPICS, trading.accounts, blind, trading.clock)
    slow.stood_still = trading.clock
    trading.worker._gateways[partition] = slow
    trading.step(bar(1, 100.0))
    assert trading.double.sent() == 1
    assert trading.double.book.orders == []
    assert "-1021" in trading.orders()[0].note


def test_reports_that_come_again_change_nothing(trading: Trading) -> None:
    trading.step(bar(1, 100.0))
    before = rows(trading.engine, "deals", "fills", "ledger", "orders")
    for record in trading.bus.records(TOPICS.orders.name):
        trading.put_raw(Outgoing(record.topic, record.key, record.value, record.timestamp_ms))
    trading.run()
    assert rows(trading.engine, "deals", "fills", "ledger", "orders") == before
    assert [outcome for kind, _, outcome in inbox(trading.engine) if kind == "report"] == ["applied"] * 2 + [
        "ignored"
    ] * 2


def test_keys_and_signatures_are_in_no_log_and_no_event(
    trading: Trading, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        trading.double.fail("GET /order", Fault(SILENCE))
        trading.step(bar(1, 100.0))
        trading.wait(2)
    said = caplog.text + repr(trading.events) + repr(trading.orders()) + repr(vars(trading.exchange))
    assert "order" in said
    assert KEY not in said
    assert SECRET not in said
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("strikeline")]
    assert not any("signature=" in message for message in ours)
    assert names(trading).count("filled") == 1


def test_orders_that_nobody_remembers_are_named_at_the_start(
    trading: Trading, caplog: pytest.LogCaptureFixture
) -> None:
    trading.step(bar(1, 100.0))
    trading.step(bar(2, 99.6, low=98.9))
    assert tell_strays(trading.engine, trading.accounts) == []
    known = trading.double.book.orders[-1]
    for client_id in ("ab" * 16, "web_123"):
        trading.double.book.orders.append(known | {"clientOrderId": client_id, "orderId": 99})
    assert tell_strays(trading.engine, trading.accounts) == ["ab" * 16]
    assert "rest at the venue and are not in this database" in caplog.text
    trading.double.fail("GET /openOrders", Fault(503))
    assert tell_strays(trading.engine, trading.accounts) == []
    assert "is not known" in caplog.text
