"""Channels, moves, holds, sequences and schedules as stories: on which candle something fires, and why not before."""

from typing import Any

import pytest

from schemas.alerts import AlertCommand
from streams.engine.market.market import Market
from streams.engine.symbol import SymbolEngine
from tests.streams.engine.desk import Desk, alert, at, group, member


def fired_at(text: str, closes: list[float], **more: Any) -> list[int]:
    """Minutes on which an alert fires that may fire on every edge, or with `frequency`."""
    desk = Desk()
    desk.watch(alert(text, **{"frequency": "every"} | more))
    desk.close(*closes)
    assert desk.events("rejected") == []
    return desk.fired_at


@pytest.mark.parametrize(
    "text, closes, fired",
    [
        ("inside(close, 9, 11)", [8, 9, 10, 11, 12, 10], [2, 5]),
        ("outside(close, 9, 11)", [8, 9, 10, 11, 12, 10], [0, 1, 3, 4]),
        ("enters(close, 9, 11)", [10, 10, 9, 10, 10, 12, 10], [3, 6]),
        ("exits(close, 9, 11)", [10, 9, 8, 10, 11, 10, 12, 12], [1, 4, 6]),
        ("exits(close, 9, 11)", [12, 8, 12, 8], []),
        ("enters(close, 9, 11)", [12, 8, 12, 8], []),
        ("inside(close, low[1], high[1])", [8, 9, 9, 9], []),
        # Nothing is known before the first average, and one that is not known now or before is no way in.
        ("outside(close, 9, sma(3) + 1)", [8, 8, 8, 12], [2, 3]),
        ("enters(close, sma(3) - 2, sma(3) + 1)", [10, 10, 10, 10, 20, 16, 17], [5]),
        ("exits(close, sma(2) - 2, sma(2) + 2)", [10, 10, 20, 20, 30], [2, 4]),
        ("moves_up(close, 2, 2)", [10, 11, 12, 12, 13.5, 14], [2, 5]),
        ("moves_down(close, 2, 1)", [10, 8, 7, 5], [1, 3]),
        ("moves_up_percent(close, 10, 1)", [10, 11, 12, 13.2], [1, 3]),
        ("moves_down_percent(close, 10, 2)", [10, 9.5, 9, 8.55], [2, 3]),
        # Of an earlier value below zero the percents are of its size; of zero there are none.
        ("moves_up_percent(close - 10, 50, 1)", [8, 9, 9.5, 9.6, 10, 12], [1, 2, 4]),
        ("holds(close > 10, 3)", [11, 11, 11, 11, 9, 11, 11, 11], [2, 3, 7]),
        ("holds(close > 10, 1)", [9, 11, 11], [1, 2]),
        ("holds(close > sma(2), 2)", [1, 2, 3, 4], [2, 3]),
        ("not holds(close > 10, 2)", [11, 11, 9, 11, 11], [2, 3]),
        # A is 9, B is 12: in order, at later closes, within two bars.
        ("sequence(close < 10, close > 11, within=2)", [11, 9, 11, 12, 12], [3]),
        ("sequence(close < 10, close > 11, within=1)", [11, 9, 11, 12, 12], []),
        ("sequence(close > 11, close < 10, within=9)", [11, 9, 11, 12, 12], []),
        ("sequence(close < 10, close > 11, within=9)", [9, 12, 9, 12], [3]),
        ("sequence(close < 10, close < 10, within=9)", [11, 9, 11, 9, 11], [3]),
        ("sequence(close < 10, close > 11, close < 10, within=3)", [11, 9, 12, 11, 9], [4]),
    ],
)
def test_fires(text: str, closes: list[float], fired: list[int]) -> None:
    assert fired_at(text, closes) == fired


def test_a_clock_of_three_minutes_decides_at_its_closes() -> None:
    """Closes of three-minute bars: 5, 11, 11; what became true at minute 8 holds until the next close."""
    closes: list[float] = [5, 5, 5, 11, 11, 11, 1, 1, 11, 11, 11, 5]
    assert fired_at('holds(close("3m") > 10, 2)', closes) == [8, 9, 10]
    assert fired_at('enters(close("3m"), 10, 20)', closes) == [5, 6, 7]
    assert fired_at('moves_up(close("3m"), 6, 1)', closes) == [5, 6, 7]


def test_a_gap_breaks_what_looks_back() -> None:
    desk = Desk(fill_up_to=2)
    for name, text in enumerate(
        ["holds(close > 10, 3)", "sequence(close > 10, close < 5, within=9)", "moves_up(close, 0.5, 1)"]
    ):
        desk.watch(alert(text, alert_id=f"{name}", frequency="every"))
    desk.close(1, 11, 11)
    assert desk.fired_at == [1]
    desk.minute += 5
    desk.close(12, 12)
    assert desk.fired_at == [1]
    desk.close(12, 4)
    assert [one.alert_id for one in desk.said if hasattr(one, "fired_id")] == ["2", "0"]
    # What certainly cannot be, is false: the sequence, while its last step is.
    assert [event.subject for event in desk.events("suppressed")] == ["0", "2"]


@pytest.mark.parametrize("dies_after", range(1, 9))
def test_a_restart_in_the_middle_changes_nothing(dies_after: int) -> None:
    from streams.engine.bars import BarArrays
    from tests.streams.engine.candles import kline

    texts = [
        "holds(close > 10, 3)",
        "sequence(close < 10, close > 11, within=3)",
        "exits(close, sma(2) - 1, sma(2) + 1)",
        "moves_up(close, 2, 3)",
        'schedule("*/3 * * * *")',
    ]
    closes = [11.0, 11, 9, 11, 12, 12, 12, 9, 12]
    bars = [kline(at(minute), (price, price, price, price, 1.0)) for minute, price in enumerate(closes)]

    def heard(dies_after: int | None) -> list[str]:
        market = Market("BTCUSDT")
        engine = SymbolEngine("BTCUSDT", market)
        said: list[Any] = []
        for name, text in enumerate(texts):
            said += engine.on_alert(
                alert(text, alert_id=f"a{name}", frequency="once_per_bar_close"), 1, at(0)
            )
        for pos, bar in enumerate(bars):
            if pos == dies_after:
                rows = [row.body for row in engine.dirty_groups()]
                market = Market.restore(market.snapshot(), BarArrays.of(bars[:pos]))
                engine = SymbolEngine.restore("BTCUSDT", market, rows, pos - 1, engine.stand_ins)
            said += engine.on_kline(bar, pos)
        return [one.fired_id for one in said if hasattr(one, "fired_id")]

    assert heard(dies_after) == heard(None)
    assert len({name.split(":")[0] for name in heard(None)}) == len(texts)


SCHEDULE = 'schedule("*/3 * * * *")'  # the first candle opens at a full hour


def test_a_schedule_is_true_for_one_close() -> None:
    assert fired_at(SCHEDULE, [1] * 8, frequency="once_per_bar_close") == [2, 5]
    assert fired_at(SCHEDULE, [1] * 8) == [2, 5]
    assert fired_at(f"{SCHEDULE} and close > 5", [1, 1, 1, 9, 9, 9, 9]) == [5]


def test_a_schedule_fires_on_a_stand_in_and_not_again_on_the_bar_that_comes_late() -> None:
    desk = Desk()
    desk.watch(alert(SCHEDULE, frequency="every"))
    desk.close(1, 1)
    desk.tick()
    assert desk.fired_at == [2]
    desk.close(1)  # fills the minute before, flat
    assert desk.fired_at == [2]
    desk.tick()
    desk.tick()
    desk.tick()
    desk.tick()
    assert desk.fired_at == [2, 5]


def test_a_schedule_that_was_true_on_a_bar_is_over_on_the_stand_in_after_it() -> None:
    desk = Desk()
    desk.watch(alert(SCHEDULE, frequency="every"))
    desk.close(1, 1, 1)
    desk.tick()
    desk.close(1, 1)
    assert desk.fired_at == [2, 5]


def test_a_schedule_fires_on_the_first_bar_after_a_gap_that_swallowed_its_instant() -> None:
    desk = Desk(fill_up_to=0)
    desk.watch(alert(SCHEDULE, frequency="every"))
    desk.close(1)
    desk.minute = 12
    desk.close(1)
    assert desk.fired_at == [12]
    desk.close(1)
    assert desk.fired_at == [12]


@pytest.mark.parametrize("arrives_late", [False, True])
def test_an_instant_told_on_a_stand_in_is_not_told_to_who_is_armed_after_it(arrives_late: bool) -> None:
    desk = Desk(fill_up_to=0)
    desk.arm(group(member("entry", SCHEDULE)))
    desk.close(1)
    desk.tick()
    desk.tick()
    assert desk.fired_at == [2]
    if not arrives_late:
        desk.arm(group(member("entry", SCHEDULE), generation=2, since=3))
    desk.close(1)
    if arrives_late:
        desk.arm(group(member("entry", SCHEDULE), generation=2, since=3))
    assert desk.fired_at == [2]
    desk.close(1, 1)
    assert desk.fired_at == [2, 5]


@pytest.mark.parametrize("arrives_late", [False, True])
@pytest.mark.parametrize("since, fired", [(8, [10, 11, 14]), (9, [11, 14]), (10, [11, 14]), (12, [14])])
def test_instants_before_a_unit_was_armed_do_not_count(
    arrives_late: bool, since: int, fired: list[int]
) -> None:
    """Candles 0 and 10 to 14; an instant every three minutes, at the end of candle 11: that at 9 fell into the gap."""
    desk = Desk(fill_up_to=0)
    command = alert(SCHEDULE, frequency="every")
    desk.close(1)
    if not arrives_late:
        desk.watch(command, since=since)
    desk.minute = 10
    desk.close(1)
    if arrives_late:
        desk.watch(command, since=since)
    desk.close(1, 1, 1, 1)
    assert desk.fired_at == fired


def test_a_group_armed_from_an_instant_does_not_fire_for_it_again() -> None:
    desk = Desk()
    desk.arm(group(member("a", SCHEDULE)))
    desk.close(1, 1, 1)
    desk.arm(group(member("a", SCHEDULE), generation=2, since=3))
    desk.close(1, 1, 1)
    assert desk.fired_at == [2, 5]


@pytest.mark.parametrize(
    "more, field",
    [
        ({"frequency": "once", "rearm": "after_bars"}, "rearm"),
        ({"frequency": "every", "rearm": "after_bars", "rearm_bars": 3}, "rearm"),
        ({"frequency": "once_per_bar_close", "rearm_bars": 3}, "rearm_bars"),
        ({"condition": "at(1700000000000)", "debounce_bars": 2}, "debounce_bars"),
        ({"condition": SCHEDULE, "debounce_bars": 2}, "debounce_bars"),
        ({"condition": f"{SCHEDULE} and close > 1", "debounce_bars": 2}, "debounce_bars"),
        ({"condition": f'{SCHEDULE} or level("5", "below")', "debounce_bars": 2}, "debounce_bars"),
        ({"condition": "close > close"}, "condition"),
        (
            {"condition": {"op": "gt", "left": {"price": "close", "symbol": "X"}, "right": 1}},
            "condition.left.symbol",
        ),
        ({"condition": {"holds": {"at": 5}, "bars": 2}}, "condition.holds"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(more: dict[str, Any], field: str) -> None:
    desk = Desk()
    command: AlertCommand = alert(text="close > 1", **more) if "condition" not in more else alert("", **more)
    desk.watch(command)
    (refused,) = desk.events("rejected")
    assert refused.field == field
    assert refused.reason


@pytest.mark.parametrize(
    "more",
    [
        {"condition": "at(1700000000000) and close > 1", "debounce_bars": 2},
        {"condition": f"{SCHEDULE} or close > 1", "debounce_bars": 2},
        {"condition": "crosses_above(close, 1)", "debounce_bars": 2},
        {"frequency": "once_per_bar_close", "rearm": "after_bars", "rearm_bars": 3},
    ],
)
def test_settings_that_make_sense_are_taken(more: dict[str, Any]) -> None:
    desk = Desk()
    desk.watch(alert("close > 1", **more) if "condition" not in more else alert("", **more))
    assert desk.events("rejected") == []
