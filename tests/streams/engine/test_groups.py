"""Groups: armed, fire once, held, armed anew or removed (laws 7, 8 and 9)."""

import msgspec
import pytest

from schemas.triggers import StaleCommand, Trigger
from tests.streams.engine.desk import SYMBOL, Desk, at, group, member


def test_a_group_fires_on_the_first_bar_it_sees() -> None:
    desk = Desk()
    desk.arm(group(member("entry", "close > 10"), since=1))
    assert desk.close(11) == []
    (trigger,) = desk.close(12)
    assert isinstance(trigger, Trigger)
    assert trigger.trigger_id == f"bot/{SYMBOL}/entry:1:{at(1)}:1"
    assert trigger.values == {"close": 12.0}
    assert trigger.fired[0].price == 12.0
    assert (trigger.bar.open_time_ms, trigger.bar.close_time_ms) == (at(1), at(2))


def test_a_held_group_fires_nothing_until_it_is_armed_anew() -> None:
    desk = Desk()
    desk.arm(group(member("entry", "close > 10")))
    desk.close(11, 9, 11, 9)
    assert desk.fired_at == [0]
    desk.arm(group(member("entry", "close > 10"), generation=2, since=1))
    assert desk.fired_at == [0, 2]


def test_arming_the_same_bars_again_fires_again() -> None:
    """Law 7: a change that no trigger caused arms the next generation from the same bar."""
    desk = Desk()
    desk.arm(group(member("entry", "close > 10")))
    desk.close(9, 11, 9)
    desk.arm(group(member("entry", "close > 10"), generation=2))
    assert [trigger.trigger_id.split(":")[1] for trigger in desk.triggers] == ["1", "2"]
    assert desk.fired_at == [1, 1]


@pytest.mark.parametrize(
    "closes, when, fired",
    [
        ([11, 11, 11], "fire", [0]),
        ([11, 11, 11], "wait", []),
        ([11, 9, 11], "wait", [2]),
        ([9, 9, 11], "wait", [2]),
        ([9, 9, 11], "fire", [2]),
        ([10, 10, 10], "fire", []),
    ],
)
def test_only_false_to_true_is_an_edge(closes: list[float], when: str, fired: list[int]) -> None:
    desk = Desk()
    desk.arm(group(member("entry", "close > 10", when=when)))
    desk.close(*closes)
    assert desk.fired_at == fired


@pytest.mark.parametrize(
    "closes, text, fired",
    [
        ([9, 10, 11], "crosses_above(close, 10)", [2]),
        ([11, 10, 11], "crosses_above(close, 10)", [2]),
        ([11, 11, 12], "crosses_above(close, 10)", []),
        ([11, 10, 9], "crosses_below(close, 10)", [2]),
        ([9, 11, 12], "crosses(close, 10)", [1]),
        ([11, 9, 8], "crosses(10, close)", [1]),
        ([10, 11, 9], "crosses_above(close[1], 10)", [2]),
        ([10, 10, 12], "close > sma(2)", [2]),
        ([10, 10, 12], "crosses_above(close, sma(2))", [2]),
        ([1, 2, 3, 4, 5, 6], 'close > 2 and close("3m") > 2', [2]),
        ([1, 9, 2, 9, 9, 9], 'close("3m")[1] < 5', [5]),
        ([1, 1, 1, 2, 2, 2, 9, 9], 'crosses_above(close("3m"), 1.5)', [5]),
        ([1, 1, 1, 2, 2, 2, 9, 9], 'crosses_above(close("3m"), 1.5) and close > 8', [6]),
        ([2, 4, 6, 8], "close / (close - 4) > 2.9", [2]),
        ([9, 9.5], "not crosses_above(close, 10)", [1]),
        ([9, 9], f"not at({at(5)})", [0]),
        ([2, 4, 2], "close / (close - 4) < 5", [0]),
    ],
)
def test_conditions_mean(closes: list[float], text: str, fired: list[int]) -> None:
    desk = Desk()
    desk.arm(group(member("entry", text)))
    desk.close(*closes)
    assert desk.fired_at == fired


def test_a_level_already_passed_at_the_first_bar_counts() -> None:
    desk = Desk()
    desk.arm(group(member("stop", 'level("95", "below")', "stop_loss")))
    (trigger,) = desk.candle(90, 91, 89, 90)
    assert trigger.fired[0].price == 95.0
    assert trigger.values == {}


def test_a_touch_is_inclusive() -> None:
    desk = Desk()
    desk.arm(
        group(member("stop", 'level("95.1", "below")', "stop_loss"), member("tp", 'level("99", "above")'))
    )
    assert desk.candle(96, 98.9, 95.2, 97) == []
    (trigger,) = desk.candle(97, 98, 95.1, 96)
    assert [one.alert_id for one in trigger.fired] == ["stop"]


def members_on_a_path() -> list[object]:
    return [
        member("tp", 'level("104", "above")', "take_profit", tp_index=1),
        member("dca_10", 'level("97", "below")', "execute_dca", dca_index=10),
        member("dca_2", 'level("98", "below")', "execute_dca", dca_index=2),
        member("a_close", "close > 1", "close"),
        member("z_at", "at(0)", "timeout"),
        member("dca_9", 'level("97", "below")', "execute_dca", dca_index=9),
        member("stop", 'level("97", "below")', "stop_loss"),
        member("gap", 'level("101", "below")', "execute_dca", dca_index=1),
    ]


@pytest.mark.parametrize(
    "side, intrabar, low_first",
    [
        ("long", "pessimistic", True),
        ("short", "pessimistic", False),
        ("long", "ohlc", True),
        ("short", "ohlc", True),
    ],
)
def test_members_are_told_in_the_order_of_the_path(side: str, intrabar: str, low_first: bool) -> None:
    desk = Desk()
    desk.arm(group(*members_on_a_path(), side=side, intrabar=intrabar))  # type: ignore[arg-type]
    (trigger,) = desk.candle(100, 105, 96, 102)
    falling, rising = ["dca_2", "stop", "dca_9", "dca_10"], ["tp"]
    levels = falling + rising if low_first else rising + falling
    assert [one.alert_id for one in trigger.fired] == ["gap", *levels, "z_at", "a_close"]
    assert trigger.action.dca_index == 1


def test_equal_distances_in_decimals_are_a_tie_though_floats_differ() -> None:
    desk = Desk()
    falling, rising = member("low", 'level("99.9", "below")'), member("high", 'level("100.3", "above")')
    desk.arm(group(rising, falling, side="short", intrabar="ohlc"))
    assert 100.3 - 100.1 != 100.1 - 99.9
    (trigger,) = desk.candle(100.1, 100.3, 99.9, 100)
    assert [one.alert_id for one in trigger.fired] == ["high", "low"]


def test_an_equal_generation_is_counted_an_older_one_answered() -> None:
    desk = Desk()
    desk.arm(group(member("entry", "close > 10"), generation=5))
    assert desk.arm(group(member("entry", "close > 1"), generation=5)) == []
    (answer,) = desk.arm(group(member("entry", "close > 1"), generation=4))
    assert isinstance(answer, StaleCommand)
    assert (answer.generation, answer.stale_generation) == (5, 4)
    assert desk.engine.counters["duplicate_command"] == desk.engine.counters["stale_command"] == 1
    desk.close(5)
    assert desk.fired_at == []


def test_a_removed_group_is_remembered_for_thirty_days() -> None:
    desk = Desk()
    desk.arm(group(member("entry", "close > 10"), generation=1))
    desk.close(1)
    desk.arm(group(generation=2, op="remove"))
    assert [event.event for event in desk.events("removed")] == ["removed"]
    assert isinstance(desk.arm(group(member("entry", "close > 1"), generation=1))[0], StaleCommand)
    assert len(list(desk.engine.dirty_groups())) == 1
    desk.minute = 30 * 1440 - 1
    desk.close(1)
    assert list(desk.engine.dirty_groups()) == []
    desk.close(1)
    (row,) = desk.engine.dirty_groups()
    assert (row.generation, row.body) == (2, b"")


def test_unknown_from_missing_bars_fires_nothing_and_says_so_once() -> None:
    desk = Desk()
    desk.arm(group(member("entry", "sma(3) > 10"), member("other", "sma(2) > 10")))
    desk.close(9, 9, 9)
    desk.minute += 20
    desk.close(50, 50)
    assert desk.fired_at == [24]
    (event,) = desk.events("suppressed")
    assert event.subject == "bot"
    assert desk.engine.counters["suppressed"] == 1
    assert len(desk.events("tainted")) == 1


def test_no_cross_reaches_over_a_gap() -> None:
    desk = Desk()
    desk.arm(group(member("entry", "crosses_above(close, 10)")))
    desk.close(9)
    desk.minute += 20
    desk.close(11, 9, 11)
    assert desk.fired_at == [23]


def test_filled_bars_are_seen() -> None:
    desk = Desk()
    desk.arm(group(member("timeout", f"at({at(2.5)})", "timeout")))
    desk.close(5)
    desk.minute = 5
    (filled, trigger) = desk.close(6)
    assert (filled.event, filled.detail) == ("gap_filled", {"bars": 4})
    assert (trigger.bar.open_time_ms, trigger.bar.close) == (at(2), 5.0)


def test_a_tick_stands_in_for_at_alone() -> None:
    desk = Desk()
    both = member("both", f"at({at(1)}) or close > 1", "close")
    desk.arm(group(member("timeout", f"at({at(2)})", "timeout"), member("price", "close > 5"), both, since=1))
    desk.close(9)
    (trigger,) = desk.tick()
    assert trigger.bar.stale_price
    assert (trigger.bar.open_time_ms, trigger.bar.close, trigger.bar.volume) == (at(1), 9.0, 0.0)
    assert [one.alert_id for one in trigger.fired] == ["timeout", "both"]
    assert trigger.values == {}


def test_a_tick_after_its_bar_changes_nothing() -> None:
    desk = Desk()
    desk.arm(group(member("timeout", f"at({at(1)})", "timeout"), since=1))
    desk.close(9)
    desk.minute = 0
    assert desk.tick() == []
    assert desk.engine.counters["stand_ins"] == 0


@pytest.mark.parametrize(
    "command, field",
    [
        (group(member("a", "close > 1"), interval="5m"), "interval"),
        (group(member("a", "close > 1"), member("a", "close > 2")), "members"),
        (
            group(msgspec.structs.replace(member("a", "close > 1"), condition={"x": 1})),
            "members[0].condition",
        ),
        (
            group(
                member("b", "close > 1"),
                msgspec.structs.replace(
                    member("a", "close > 1"),
                    condition={"all": [{"op": "gt", "left": {"indicator": "rsi", "window": 0}, "right": 1}]},
                ),
            ),
            "members[1].condition.all[0].left.window",
        ),
        (
            group(*(member(f"{n}{'x' * 120}", "close > 1 or close > 2 or close > 3") for n in range(250))),
            "members",
        ),
    ],
)
def test_a_group_that_cannot_be_is_refused_with_the_field(command: object, field: str) -> None:
    desk = Desk()
    (event,) = desk.arm(command)  # type: ignore[arg-type]
    assert (event.event, event.field) == ("rejected", field)
    desk.close(2, 9)
    assert desk.fired_at == []
    assert desk.arm(command) == []  # type: ignore[arg-type]


def test_a_bot_of_another_owner_is_not_fired() -> None:
    stranger = msgspec.structs.replace(member("a", "close > 1"))
    action = msgspec.structs.replace(stranger.action, bot_id="other")
    (event,) = Desk().arm(group(msgspec.structs.replace(stranger, action=action)))
    assert event.field == "members[0].action.bot_id"


def test_what_is_not_ready_is_warming_and_says_what() -> None:
    desk = Desk()
    desk.close(1, 2)
    armed, warming = desk.arm(group(member("entry", 'rsi(14) < 30 and close > ema(20, "1h")')))
    assert armed.event == "armed"
    assert armed.detail == {"armed_from_ms": at(0), "generation": 1}
    assert (warming.event, warming.reason) == ("warming", 'not ready: rsi(14), ema(20, "1h")')
