"""Trails as stories: what a bar does to one, when it fires and at which price, and what a quiet bar costs."""

from typing import Any

import msgspec
import pytest

from schemas.alerts import Member, TrailState
from schemas.conditions import Trail
from streams.engine.conditions.comparisons import Moment
from streams.engine.network.board import Board
from streams.engine.network.trails import Trails, Walk
from streams.engine.trail import Candle, start_of
from tests.streams.engine.desk import START, SYMBOL, Desk, alert, at, group, member
from tests.streams.engine.test_rows import Table

TEN_BELOW = 'trail("10", side="below")'
TEN_ABOVE = 'trail("10", side="above")'
GATED = 'trail("10", side="below", activate_at="120")'
GATED_ABOVE = 'trail("10", side="above", activate_at="80")'

Ohlc = tuple[float, float, float, float]


def trailing(name: str, text: str, state: TrailState | None = None, **more: Any) -> Member:
    return msgspec.structs.replace(member(name, text, "take_profit", **more), trail=state)


def carried(extreme: float) -> TrailState:
    return TrailState(active=True, extreme=extreme)


@pytest.mark.parametrize(
    "tale, text, bars, minute, price",
    [
        ("it follows a rise and fires on the way back", TEN_BELOW,
         [(100, 110, 99.5, 110), (110, 120, 109, 112), (112, 113, 107, 109)], 2, 108.0),
        ("a touch is enough", TEN_BELOW, [(100, 100, 100, 100), (100, 100, 95, 95), (95, 95, 90, 92)], 2, 90.0),
        ("just short of it is not", TEN_BELOW, [(100, 100, 100, 100), (95, 95, 90.00000001, 92)], None, None),
        ("the first open is where it starts, not the close before", TEN_BELOW, [(100, 100, 91, 91)], None, None),
        ("pessimistic: the high comes first, then the low", TEN_BELOW, [(100, 110, 99, 105)], 0, 99.0),
        ("a level born above the open fills there", TEN_BELOW, [(100, 120, 100, 119)], 0, 108.0),
        ("a bar that opens beyond it says its level; the fill is at the open", TEN_BELOW,
         [(100, 100, 100, 100), (80, 85, 79, 84)], 1, 90.0),
        ("a rising trail comes down with the price", TEN_ABOVE,
         [(100, 100, 91, 92), (92, 93, 85, 90), (90, 94, 90, 94)], 2, 93.5),
        ("mirrored: the low comes first, then the high", TEN_ABOVE, [(100, 100, 90, 91)], 0, 99.0),
        ("inactive, it lets the price fall", GATED, [(100, 110, 50, 60), (60, 60, 1, 2)], None, None),
        ("activated by touch, it counts from there", GATED,
         [(100, 119, 100, 119), (119, 120, 119, 119), (119, 119, 108, 110)], 2, 108.0),
        ("activated and met in one bar", GATED, [(100, 130, 100, 110)], 0, 117.0),
        ("already beyond at the first bar, it is active", GATED,
         [(150, 150, 140, 141), (141, 141, 135, 136)], 1, 135.0),
        ("activated by falling to it", GATED_ABOVE, [(85, 85, 80, 80), (80, 88, 80, 87)], 1, 88.0),
        ("the path goes back to where the bar opened, so one long fall is enough", GATED_ABOVE,
         [(100, 100, 80, 80)], 0, 88.0),
    ],
)  # fmt: skip
@pytest.mark.parametrize("late", [0, 1, 99])
def test_a_trail(
    tale: str, text: str, bars: list[Ohlc], minute: int | None, price: float | None, late: int
) -> None:
    """Whether its command comes before the bars, among them or after all of them."""
    desk, command = Desk(), group(trailing("tp", text))
    for number, bar in enumerate(bars):
        if number == late:
            desk.arm(command)
        desk.candle(*bar)
    if late >= len(bars):
        desk.arm(command)
    assert desk.fired_at == ([] if minute is None else [minute]), tale
    if minute is not None:
        assert [one.price for one in desk.triggers[0].fired] == [price], tale


@pytest.mark.parametrize(
    "tale, bar, fired",
    [
        ("the near low comes before it saw the high", (100, 110, 99, 105), []),
        ("but it may be met on the way to the close", (100, 112, 99, 100.5), ["tp"]),
        ("the near high comes first", (100, 105, 90.5, 99), ["tp"]),
        ("a tie: a long meets the low first", (100, 108, 92, 99), []),
    ],
)
def test_on_the_path_of_all_others_a_trail_has_seen_only_what_was_walked(
    tale: str, bar: Ohlc, fired: list[str]
) -> None:
    desk = Desk()
    desk.arm(group(trailing("tp", TEN_BELOW), intrabar="ohlc"))
    desk.candle(*bar)
    assert [one.alert_id for trigger in desk.triggers for one in trigger.fired] == fired, tale


def test_a_trigger_says_how_every_trail_stood_before_its_bar() -> None:
    desk = Desk()
    desk.arm(
        group(
            trailing("moved", TEN_BELOW),
            trailing("waiting", GATED),
            trailing("carried", TEN_ABOVE, carried(80)),
            member("stop", 'level("85", "below")', "stop_loss"),
        )
    )
    assert desk.candle(86, 87, 83, 87) != []
    desk.arm(
        group(
            trailing("moved", TEN_BELOW, carried(110)),
            trailing("waiting", GATED),
            member("stop", 'level("85", "below")', "stop_loss"),
            generation=2,
            since=1,
        )
    )
    desk.candle(110, 112, 110, 112)
    desk.candle(112, 112, 109, 109)
    desk.candle(109, 109, 84, 90)
    first, second = desk.triggers
    assert first.trails == {
        "moved": TrailState(active=True),
        "waiting": TrailState(),
        "carried": carried(80),
    }
    assert second.trails == {"moved": carried(112), "waiting": TrailState()}
    assert [(one.alert_id, one.price) for one in second.fired] == [("moved", 100.8), ("stop", 85.0)]


def test_a_tick_stands_in_for_no_trail() -> None:
    desk = Desk()
    desk.arm(group(trailing("tp", TEN_BELOW), member("end", f"at({at(3)})", "close")))
    desk.candle(100, 110, 100, 110)
    desk.tick()
    (trigger,) = desk.tick()
    assert ([one.alert_id for one in trigger.fired], trigger.bar.stale_price) == (["end"], True)
    assert trigger.trails == {"tp": carried(110)}


def test_what_it_carries_survives_re_arming_and_a_held_group_moves_nothing() -> None:
    desk = Desk()
    desk.arm(group(trailing("tp", TEN_BELOW), member("dca", 'level("100", "below")', "execute_dca")))
    desk.candle(110, 112, 109, 111)
    (trigger,) = desk.candle(111, 111, 100, 101)[-1:]
    desk.candle(101, 500, 101, 101)  # nobody answered yet
    assert trigger.trails == {"tp": carried(112)}
    held_from = 2
    desk.arm(group(trailing("tp", TEN_BELOW, carried(112)), generation=2, since=held_from))
    assert desk.triggers[-1].bar.open_time_ms == at(held_from)
    assert (desk.triggers[-1].trails, desk.triggers[-1].fired[0].price) == ({"tp": carried(112)}, 450.0)


def test_bars_that_are_gone_are_not_in_its_extreme() -> None:
    """The extreme stays what was seen, and the first bar after the gap is met like any other."""
    desk = Desk()
    desk.arm(group(trailing("tp", TEN_BELOW)))
    desk.candle(100, 101, 100, 100)
    desk.minute += 30
    desk.candle(105, 106, 104, 104)
    desk.candle(104, 104, 95.5, 96)
    desk.candle(96, 96, 95.4, 96)
    assert desk.fired_at == [33]
    assert desk.triggers[0].trails == {"tp": carried(106)}


def test_bars_that_were_filled_are_walked() -> None:
    desk = Desk()
    desk.arm(group(trailing("tp", TEN_BELOW), since=1))
    desk.candle(100, 100, 100, 100)
    desk.minute = 3
    desk.candle(91, 91, 90, 91)
    assert desk.fired_at == [3]  # the first bar it saw was filled flat at 100
    assert desk.triggers[0].trails == {"tp": carried(100)}


@pytest.mark.parametrize("side", ["long", "short"])
def test_it_stands_on_the_path_where_it_is_met(side: str) -> None:
    """A pessimistic trail came from the high: above the open it is met before everything that the way down meets."""
    desk = Desk()
    members = [
        member("gap", 'level("100", "below")', "execute_dca", dca_index=1),
        member("dca", 'level("99.5", "below")', "execute_dca", dca_index=2),
        trailing("born", 'trail("9", side="below")'),
        trailing("early", 'trail("0.1", side="below")'),
        member("tp", 'level("109", "above")', "take_profit", tp_index=1),
        trailing("opened", TEN_BELOW, carried(120)),
    ]
    desk.arm(group(*members, side=side))
    (trigger,) = desk.candle(100, 110, 99, 105)[-1:]
    falling = ["early", "born", "dca"]
    rest = [*falling, "tp"] if side == "long" else ["tp", *falling]
    assert [one.alert_id for one in trigger.fired] == ["gap", "opened", *rest]
    assert trigger.fired[-1 if side == "short" else -2].price == 99.5


def test_on_the_way_to_the_close_comes_after_both_extremes() -> None:
    desk = Desk()
    members = [
        trailing("last", TEN_BELOW),
        member("low", 'level("99", "below")', "execute_dca", dca_index=1),
        member("high", 'level("112", "above")', "take_profit", tp_index=1),
        member("close", "close > 1", "close"),
    ]
    desk.arm(group(*members, intrabar="ohlc"))
    (trigger,) = desk.candle(100, 112, 99, 100)[-1:]
    assert [one.alert_id for one in trigger.fired] == ["low", "high", "last", "close"]


@pytest.mark.parametrize(
    "how, fired",
    [
        ({"frequency": "once"}, [1]),
        ({"frequency": "every"}, [1, 2, 4]),
        ({"frequency": "once_per_bar_close"}, [1, 4]),
        ({"frequency": "every", "debounce_bars": 2}, [2]),
        ({"frequency": "once", "expires_at_ms": at(1)}, []),
    ],
)
def test_a_user_is_told_on_the_bars_that_meet_it(how: dict[str, Any], fired: list[int]) -> None:
    """Its extreme goes on: it is true while the price stays at or below the level."""
    desk = Desk()
    desk.watch(alert(TEN_BELOW, **how))
    desk.close(100, 90, 89, 95, 90, 91)
    assert desk.fired_at == fired


def test_waiting_for_false_first_it_lets_the_first_meeting_pass() -> None:
    desk = Desk()
    desk.arm(group(trailing("tp", TEN_BELOW, carried(120), when="wait")))
    desk.close(100, 109, 108)
    assert desk.fired_at == [2]


@pytest.mark.parametrize(
    "one, field",
    [
        (trailing("a", TEN_BELOW, TrailState()), "members[0].trail.active"),
        (trailing("a", GATED, TrailState(active=True)), "members[0].trail.extreme"),
        (trailing("a", "close > 1", carried(1)), "members[0].trail"),
        (
            msgspec.structs.replace(
                member("a", "close > 1"), condition={"trail": {"percent": "0", "side": "above"}}
            ),
            "members[0].condition.trail.percent",
        ),
        (
            msgspec.structs.replace(
                member("a", "close > 1"), condition={"not": {"trail": {"percent": "1", "side": "above"}}}
            ),
            "members[0].condition.not.trail",
        ),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_field(one: Member, field: str) -> None:
    desk = Desk()
    (event,) = desk.arm(group(one))
    assert (event.event, event.field) == ("rejected", field)


def test_its_row_is_written_when_it_moves_and_a_restart_knows_it_again() -> None:
    desk, table = Desk(), Table()
    desk.arm(group(trailing("tp", TEN_BELOW), trailing("waiting", GATED)))
    desk.candle(100, 100, 100, 100)
    assert table.write(desk) == [f"bot/{SYMBOL}/entry"]
    desk.candle(100, 100, 95, 96)
    assert table.write(desk) == []
    desk.candle(96, 105, 96, 104)
    assert table.write(desk) == [f"bot/{SYMBOL}/entry"]
    table.restart(desk)
    desk.candle(104, 104, 95, 96)
    assert table.write(desk) == []
    (trigger,) = desk.candle(96, 96, 94.5, 95)
    assert trigger.trails == {"tp": carried(105), "waiting": TrailState()}


def test_an_alerts_row_keeps_its_trail() -> None:
    desk, table = Desk(), Table()
    desk.watch(alert(TEN_BELOW, frequency="once_per_bar_close"))
    desk.close(100, 110)
    for price in (99, 99, 99.1, 99):
        table.write(desk)
        table.restart(desk)
        desk.close(price)
    assert desk.fired_at == [2, 5]


# -- what a bar costs --------------------------------------------------------------------------------------------------


class Bars:
    """Candles by moment, and how often somebody asked for one."""

    def __init__(self) -> None:
        self.asked = 0
        self.bars: list[Ohlc] = []

    def __call__(self, moment: Moment) -> Candle:
        self.asked += 1
        return _Candle(*self.bars[moment.number])

    def bar(self, *ohlc: float) -> Moment:
        o, h, low, c = ohlc
        number, opened = len(self.bars), START + 60_000 * len(self.bars)
        self.bars.append((o, h, low, c))
        return Moment(number, opened, opened + 60_000, opened + 60_000, low, h)


class _Candle(msgspec.Struct):
    open: float
    high: float
    low: float
    close: float


def test_a_bar_between_level_and_extreme_costs_a_thousand_trails_nothing() -> None:
    bars = Bars()
    trails = Trails(Board(), lambda node: None, bars)
    nodes = []
    for number in range(1_000):
        trail = Trail(str(5 + number % 3), "120" if number % 2 else None, "below")
        nodes.append(trails.acquire(trail, Walk("long", "pessimistic"), start_of(trail)))
        nodes[-1].join(None)
    trails.step(bars.bar(100, 100, 100, 100))
    assert (bars.asked, len(trails.moved())) == (1, 1_000)
    for _ in range(500):
        trails.step(bars.bar(98, 100, 96, 99))
    assert (bars.asked, trails.moved()) == (1, [])
    trails.step(bars.bar(98, 100.5, 98, 99))
    assert (bars.asked, len(trails.moved())) == (2, 500)  # those that are active have a new extreme
    for node in nodes[:-2]:
        trails.release(node)
    trails.step(bars.bar(98, 98, 50, 99))
    assert trails.moved() == nodes[-2:-1]
    trails.step(bars.bar(98, 98, 98, 99))
    assert trails.moved() == nodes[-2:-1]  # met no more


def test_a_long_rise_leaves_nothing_behind() -> None:
    bars = Bars()
    trails = Trails(Board(), lambda node: None, bars)
    trail = Trail("50", None, "below")
    node = trails.acquire(trail, Walk(None, "ohlc"), start_of(trail))
    node.join(None)
    patient = Trail("10", "900", "above")
    other = trails.acquire(patient, Walk(None, "ohlc"), start_of(patient))
    other.join(None)
    for price in range(1_000, 3_000):
        trails.step(bars.bar(price, price, price, price))
    assert trails.waiting < 200
    trails.step(bars.bar(3_000, 3_000, 1_500.5, 1_600))
    assert node.truth is False
    trails.step(bars.bar(1_600, 1_600, 1_500, 1_600))
    assert (node.truth, other.state) == (True, TrailState())
    trails.step(bars.bar(1_600, 1_600, 899, 900))
    assert other.state == carried(899)  # it waited in a queue that was tidied many times


@pytest.mark.parametrize(
    "others", [[], [f"sma({n}) > 1" for n in range(2, 7)], [f"close > {n}" for n in range(1, 40)]]
)
def test_what_is_asked_after_a_trails_first_bar_takes_nothing_from_it(others: list[str]) -> None:
    desk = Desk()
    desk.arm(group(member("m", 'trail("10", side="below")', "stop_loss"), since=1))
    for price in (100, 100):
        desk.close(price)
    for number, text in enumerate(others):
        desk.watch(
            alert(text, alert_id=f"a{number}", when_true_at_arming="wait"), generation=10 + number, since=2
        )
    for price in (101, 50):
        desk.close(price)
    assert [one.bar.open_time_ms for one in desk.triggers] == [at(3)]
