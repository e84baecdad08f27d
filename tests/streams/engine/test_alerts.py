"""Users' alerts: frequency, re-arming, debounce, expiry."""

from typing import Any

import pytest

from tests.streams.engine.desk import Desk, alert, at

LOW, HIGH = 9.0, 11.0


@pytest.mark.parametrize(
    "how, truths, fired",
    [
        ({"frequency": "once"}, "-++-+", [1]),
        ({"frequency": "every"}, "-++-++", [1, 2, 4, 5]),
        ({"frequency": "once_per_bar_close"}, "++-+-+", [0, 3, 5]),
        ({"frequency": "once_per_bar_close", "when_true_at_arming": "wait"}, "++-+", [3]),
        ({"frequency": "every", "when_true_at_arming": "wait"}, "++-++", [3, 4]),
        ({"frequency": "once_per_bar_close", "rearm": "after_bars", "rearm_bars": 3}, "+++++++", [0, 3, 6]),
        ({"frequency": "once_per_bar_close", "rearm": "after_bars", "rearm_bars": 3}, "+-+-++", [0, 4]),
        ({"frequency": "once", "debounce_bars": 3}, "++-+++", [5]),
        ({"frequency": "once_per_bar_close", "debounce_bars": 2}, "++++-++", [1, 6]),
        ({"frequency": "every", "debounce_bars": 2}, "+++-++", [1, 2, 5]),
        ({"frequency": "every", "timeframe": "3m"}, "+++++++", [0, 2, 5]),
        ({"frequency": "once", "timeframe": "3m", "debounce_bars": 3}, "-+++++++", [5]),
        ({"frequency": "every", "expires_at_ms": at(3)}, "++++", [0, 1]),
        ({"frequency": "every", "expires_at_ms": at(3.5)}, "+++++", [0, 1, 2]),
    ],
)
@pytest.mark.parametrize("late", [0, 1, 4, 99])
def test_an_alert_fires(how: dict[str, Any], truths: str, fired: list[int], late: int) -> None:
    """Whether it comes before its bars, among them or after all of them."""
    desk = Desk()
    command = alert('open("1m") > 10', **how)
    for minute, truth in enumerate(truths):
        if minute == late:
            desk.watch(command)
        desk.close(HIGH if truth == "+" else LOW)
    if late >= len(truths):
        desk.watch(command)
    assert desk.fired_at == fired
    assert len(desk.events("expired")) == ("expires_at_ms" in how)


def test_it_says_what_was_seen() -> None:
    desk = Desk()
    desk.watch(alert("close > sma(2)", message="up", frequency="every"), generation=7)
    (first,) = desk.close(1, 3)
    (second,) = desk.close(4)
    assert first.fired_id == f"alert:7:{at(1)}:1"
    assert second.fired_id == f"alert:7:{at(2)}:2"
    assert first.values == {"close": 3.0, "sma(2)": 2.0}
    assert (first.message, first.frequency, second.fire_number) == ("up", "every", 2)


def test_it_sees_bars_from_its_effect_rounded_up() -> None:
    desk = Desk()
    desk.watch(alert("close > 1", frequency="every"), since=0.5)
    desk.close(2, 2)
    assert desk.fired_at == [1]


def test_unknown_breaks_a_run_but_arms_nothing() -> None:
    desk = Desk()
    desk.watch(alert("sma(2) > 10", frequency="once_per_bar_close"))
    desk.close(11, 11, 11)
    desk.minute += 20
    desk.close(11, 11, 9, 9, 11, 12)
    assert desk.fired_at == [1, 28]
    (event,) = desk.events("suppressed")
    assert (event.subject, event.event_id) == ("alert", f"alert:1:suppressed:{at(23)}")


def test_a_newer_command_replaces_an_older_one_is_passed_over() -> None:
    desk = Desk()
    desk.watch(alert("close > 1", frequency="every"), generation=5)
    assert desk.watch(alert("close > 2", frequency="every"), generation=4) == []
    desk.close(1.5)
    desk.watch(alert("", state="deleted"), generation=6)
    desk.close(5)
    assert desk.fired_at == [0]
    assert [event.event for event in desk.said if hasattr(event, "event")] == ["armed", "warming", "removed"]


@pytest.mark.parametrize(
    "how, field, reason",
    [
        ({"condition": "close >"}, "condition", "column 8"),
        ({"condition": {"op": "gt", "left": {"price": "x"}, "right": 1}}, "condition.left.price", "expected"),
        ({"condition": "close > 1", "timeframe": "1h"}, None, ""),
        ({"condition": "rsi(14, smooth=3) > 1"}, "condition", "column 9"),
    ],
)
def test_a_refused_alert_says_where_it_is_wrong(how: dict[str, Any], field: str | None, reason: str) -> None:
    desk = Desk()
    event = desk.watch(alert("", **how))[0]
    assert event.event == ("rejected" if field else "armed")
    assert event.field == field
    assert reason in event.reason


def test_a_stand_in_bar_is_no_bar_for_prices() -> None:
    desk = Desk(fill_up_to=0)
    desk.watch(alert("close > 10", frequency="every"))
    desk.close(11)
    desk.tick()
    desk.close(11)
    assert desk.fired_at == [0, 2]


def test_a_stand_in_bar_wakes_what_waits_for_an_instant() -> None:
    desk = Desk()
    desk.watch(alert(f"at({at(3)})", frequency="every"))
    desk.close(5)
    desk.tick()
    assert desk.fired_at == []
    desk.tick()
    desk.tick()
    desk.close(5)
    assert desk.fired_at == [2, 3, 4]
    assert [one.bar.stale_price for one in desk.said if hasattr(one, "fired_id")] == [True, True, False]


def test_nobody_replaces_or_deletes_the_alert_of_another_user() -> None:
    desk = Desk()
    desk.watch(alert("close > 10"))
    desk.watch(alert("close > 99", user_id="mallory"), generation=2)
    desk.watch(alert("", user_id="mallory", state="deleted"), generation=3)
    assert [(e.user_id, e.field) for e in desk.events("rejected")] == [("mallory", "alert_id")] * 2
    desk.close(11)
    assert desk.fired_at == [0]
    desk.watch(alert("close > 9", user_id="mallory"), generation=4, since=1)
    desk.close(11)
    assert desk.fired_at == [0, 1]
