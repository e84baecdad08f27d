"""Why an alert did or did not fire: a table of stories, each with the sentence that answers it."""

from collections.abc import Sequence
from random import Random
from typing import Any

import pytest
from msgspec.structs import replace

from schemas.alerts import AlertCommand, GroupCommand
from schemas.market import Kline, Tick
from schemas.triggers import Fired
from streams.engine.explain.candidates import Candidate
from streams.engine.explain.explanation import Explanation, Question, explain
from streams.engine.explain.words import when
from tests.streams.engine.desk import MINUTE, SYMBOL, Desk, alert, at, group, member

Candle = float | tuple[float, float, float, float] | None


def records(candles: Sequence[Candle]) -> list[Kline | Tick]:
    """A candle a minute, and a tick at the end of each; None: no candle came."""
    made: list[Kline | Tick] = []
    for minute, candle in enumerate(candles):
        if candle is not None:
            o, h, low, c = candle if isinstance(candle, tuple) else (candle,) * 4
            made.append(
                Kline(
                    symbol=SYMBOL,
                    interval="1m",
                    open_time_ms=at(minute),
                    open=o,
                    high=h,
                    low=low,
                    close=c,
                    volume=1.0,
                )
            )
        made.append(Tick(symbol=SYMBOL, feed="test", time_ms=at(minute + 1)))
    return made


def given(command: AlertCommand | GroupCommand, generation: int = 1, minute: float = 0) -> Candidate:
    """A command whose record is of that minute."""
    return Candidate(command, generation, at(minute))


def asked(
    commands: Sequence[Candidate],
    candles: Sequence[Candle],
    minute: float,
    name: str = "alert",
    **more: Any,
) -> Explanation:
    """The explanation at the close of the candle of that minute."""
    return explain(Question(name, at(minute + 1), SYMBOL, **more), commands, records(candles))


def clock(minute: float) -> str:
    return when(at(minute))


CLOSE = "close > 10"

NO = "It did not fire: "
FALSE = f"{NO}its condition is false, "
UNKNOWN = f"{NO}its condition is unknown, "
IF = "if no more bars are missing"
WAIT = f"{NO}its condition was true at the first bar it saw, and when_true_at_arming is wait."


@pytest.mark.parametrize(
    "text, how, candles, minute, fired, answer",
    [
        (CLOSE, {}, [9, 11], 1, True, "It fired: close > 10 (11 against 10) came true."),
        (CLOSE, {}, [11], 0, True, "It fired: close > 10 (11 against 10) at the first bar it saw."),
        (CLOSE, {"frequency": "every"}, [11, 12], 1, True, "It fired: close > 10 (12 against 10), and it was armed."),
        (CLOSE, {}, [9, 8.5], 1, False, f"{FALSE}close > 10 (8.5 against 10, 1.5 away)."),
        (CLOSE, {"frequency": "once_per_bar_close"}, [9, 11, 12], 2, False,
         (f"{NO}its condition was already true since {clock(2)}: it fired at {clock(2)}, and arms anew when "
         f"the condition is false.")),
        (CLOSE, {"frequency": "once_per_bar_close", "rearm": "after_bars", "rearm_bars": 3}, [9, 11, 12], 2, False,
         f"{NO}it fired at {clock(2)} and may fire again from {clock(5)} on."),
        (CLOSE, {"when_true_at_arming": "wait"}, [11, 12], 1, False,
         WAIT),
        (CLOSE, {}, [11, 12], 1, False, f"{NO}frequency is once, and it fired at {clock(1)}."),
        (CLOSE, {"debounce_bars": 3}, [9, 11, 12], 2, False,
         f"{NO}its condition has not held for 3 bars, 1 bar to go."),
        (CLOSE, {"debounce_bars": 3}, [9, 11, 12, 13], 3, True,
         "It fired: close > 10 (13 against 10) held for 3 bars."),
        (CLOSE, {"expires_at_ms": at(2)}, [9, 9, 11], 2, False, f"{NO}it expired at {clock(2)}."),
        ("sma(3) > 10", {}, [9, 11], 1, False,
         (f"{UNKNOWN}sma(3) > 10 (sma(3) is unknown: not ready before bar 3 of 1m, has seen "
         f"2 bars: unknown until {clock(3)}, {IF}).")),
        ("sma(3) > 10", {"frequency": "every"}, [11, 11, 11, *[None] * 9, 11], 12, False,
         (f"{UNKNOWN}sma(3) > 10 (sma(3) is unknown: tainted by the gap before "
         f"{clock(12)} until {clock(15)}, {IF}).")),
        ("close / (close - close) > 1", {}, [11], 0, False,
         (f"{UNKNOWN}close / (close - close) > 1 (close / (close - close) is unknown: no "
         f"finite number comes of it).")),
        (f"at({at(9)})", {}, [9], 0, False,
         f"{FALSE}at({at(9)}) (it comes true at the first close at or after {clock(9)})."),
        ('level("8", "below")', {}, [(10, 11, 8.25, 9)], 0, False,
         f'{FALSE}level("8", "below") (not reached: the low was 8.25, 0.25 short of it).'),
        ('level("8", "below")', {}, [(10, 11, 7.5, 9)], 0, True,
         'It fired: level("8", "below") (touched: the low was 7.5) at the first bar it saw.'),
        ("close > 10 and volume > 5", {}, [11], 0, False,
         f"{FALSE}volume > 5 (1 against 5, 4 away)."),
        ("close > 10 or volume > 5", {}, [9], 0, False,
         f"{FALSE}close > 10 (9 against 10, 1 away); volume > 5 (1 against 5, 4 away)."),
        ("not close > 10", {}, [11], 0, False, f"{FALSE}close > 10 (11 against 10)."),
        ("crosses_above(close, 10)", {}, [11, 12], 1, False,
         f"{FALSE}crosses_above(close, 10) (before 11 against 10, now 12 against 10)."),
        ("crosses_above(close, 10)", {}, [8, 9, 12], 2, True,
         "It fired: crosses_above(close, 10) (before 9 against 10, now 12 against 10) came true."),
        ("crosses_above(close, 10)", {}, [9], 0, False,
         (f"{UNKNOWN}crosses_above(close, 10) (close is unknown: before: not ready before "
         f"bar 1 of 1m, has seen 0 bars: unknown until {clock(1)}, {IF}).")),
        ("rsi(0) > 1", {}, [9], 0, False,
         f"{NO}its command was refused, condition: column 1: window: expected a whole number from 1 to 5000."),
        (CLOSE, {}, [9], 5, False,
         f"No bar of {SYMBOL} has closed at or after {clock(6)}; the newest closed {clock(1)}."),
        (CLOSE, {}, [9, None], 1, False,
         f"{NO}no bar closed then, a tick stood in for it, and only instants count on such a bar."),
        (f"at({at(2)})", {}, [9, None], 1, True, f"It fired: at({at(2)}) came true."),
    ],
)  # fmt: skip
def test_an_alert_answers(
    text: str, how: dict[str, Any], candles: list[Candle], minute: int, fired: bool, answer: str
) -> None:
    told = asked([given(alert(text, **how))], candles, minute)
    assert told.answer == answer
    assert told.fired is fired


def test_an_alert_that_is_not_armed_yet_says_from_when_it_is() -> None:
    told = asked([given(alert(CLOSE, effective_from_ms=at(1.5)))], [11, 11, 11], 1)
    assert told.answer == f"{NO}not armed yet, it sees bars that open from {clock(2)} on."
    assert told.sees_from_ms == at(2)


def test_the_bar_is_the_first_that_closes_at_or_after_the_instant() -> None:
    told = explain(Question("alert", at(1) + 1, SYMBOL), [given(alert(CLOSE))], records([9, 11, 9]))
    assert told.fired
    assert told.bar is not None
    assert told.bar.close_time_ms == at(2)


def test_a_bar_that_was_filled_is_explained_like_any_other() -> None:
    told = asked([given(alert("volume < 1"))], [9, None, None, 9], 1)
    assert (told.on, told.answer) == ("bar", "It fired: volume < 1 (0 against 1) came true.")
    later = asked([given(alert("volume < 1", frequency="once_per_bar_close"))], [9, None, None, 9], 3)
    assert later.answer == f"{FALSE}volume < 1 (1 against 1, 0 away)."


def test_the_command_that_was_in_force_then_is_explained_not_the_newest() -> None:
    commands = [
        given(alert(CLOSE, effective_from_ms=at(0)), 3),
        given(alert("close > 20", effective_from_ms=at(2)), 7, 2),
        given(alert("", state="deleted"), 9, 4),
    ]
    candles: list[Candle] = [9, 11, 11, 21, 22]
    assert [asked(commands, candles, minute).generation for minute in range(5)] == [3, 3, 7, 7, 9]
    assert asked(commands, candles, 1).fired
    assert asked(commands, candles, 3).fired
    assert asked(commands, candles, 4).answer == f"{NO}it had been deleted by generation 9."


def test_what_another_user_sent_under_its_name_is_passed_over() -> None:
    stranger = alert("close > 0", user_id="mallory")
    told = asked([given(alert(CLOSE), 3), given(stranger, 4)], [9], 0)
    assert (told.generation, told.user_id) == (3, "user")


ENTRY = "bot_bot_entry"


@pytest.mark.parametrize(
    "members, candles, minute, fired, answer",
    [
        ((member(ENTRY, CLOSE),), [9, 11], 1, True, "It fired: close > 10 (11 against 10) came true."),
        ((member(ENTRY, CLOSE, when="wait"),), [11, 12], 1, False,
         f"{NO}its condition was already true since {clock(1)}, and only a change from false to true fires."),
        ((member(ENTRY, CLOSE, when="wait"),), [11], 0, False,
         WAIT),
        ((member(ENTRY, CLOSE), member("stop", "close < 5")), [9, 4, 11], 2, False,
         (f"{NO}its group is held since stop fired on the bar that closed {clock(2)}; it fires nothing until "
         f"the executor arms a generation after 1.")),
        ((member(ENTRY, CLOSE), member("stop", "close < 5")), [9, 4], 1, False,
         f"{FALSE}close > 10 (4 against 10, 6 away)."),
    ],
)  # fmt: skip
def test_a_member_answers(
    members: tuple[Any, ...], candles: list[Candle], minute: int, fired: bool, answer: str
) -> None:
    told = asked([given(group(*members))], candles, minute, ENTRY)
    assert (told.fired, told.answer) == (fired, answer)
    assert (told.kind, told.group_id) == ("member", f"bot/{SYMBOL}/entry")


def test_the_generation_that_saw_the_bar_counts_and_it_may_have_lost_the_member() -> None:
    commands = [
        given(group(member(ENTRY, CLOSE))),
        given(group(member("other", "close < 0"), generation=2, since=2), 2, 2),
        given(group(generation=3, op="remove"), 3, 4),
    ]
    candles: list[Candle] = [9, 11, 12, 12, 12]
    assert asked(commands, candles, 1, ENTRY).fired
    assert asked(commands, candles, 2, ENTRY).answer == (
        f"{NO}generation 2 of its group has no such member any more."
    )
    assert asked(commands, candles, 4, ENTRY).answer == (
        f"{NO}it had been removed with its group by generation 3."
    )


def test_the_tree_and_the_latch_tell_the_numbers() -> None:
    told = asked([given(alert('close > 10 and sma(2, "5m") > 0', debounce_bars=2))], [9, 11], 1)
    assert told.condition is not None
    assert (told.condition.text, told.condition.truth) == ("all of", None)
    close, average = told.condition.parts
    assert [(side.text, side.value) for side in close.sides] == [("close", 11.0), ("10", 10.0)]
    assert (average.truth, average.sides[0].value, average.decided_at_ms) == (None, None, at(0))
    assert "not ready before bar 2 of 5m, has seen 0 bars" in average.reason
    assert told.latch is not None
    assert (told.latch.armed, told.latch.debounce_left, told.latch.fires) == (True, 2, 0)


def test_a_higher_timeframe_says_when_it_was_decided() -> None:
    told = asked([given(alert('close("5m") > 10'))], [*[11.0] * 7], 6)
    assert told.condition is not None
    assert (told.condition.truth, told.condition.decided_at_ms) == (True, at(5))


def test_where_the_first_bars_are_gone_it_says_from_when_it_knows() -> None:
    told = asked([given(alert(CLOSE))], [9, 11], 1, origin_ms=at(0) - 90 * MINUTE)
    assert told.seeded_from_ms == at(0)
    assert asked([given(alert(CLOSE))], [9, 11], 1, origin_ms=at(0)).seeded_from_ms is None


@pytest.mark.parametrize(
    "text",
    [
        "close > sma(3)",
        f"crosses(close, 10) or at({at(33)})",
        'level("10", "below") and sma(2) < 11',
        'schedule("*/7 * * * *") or holds(close > 10, 2)',
    ],
)
@pytest.mark.parametrize(
    "how",
    [
        {"frequency": "every"},
        {"frequency": "once"},
        {"frequency": "once_per_bar_close", "when_true_at_arming": "wait"},
        {"frequency": "once_per_bar_close", "rearm": "after_bars", "rearm_bars": 2, "debounce_bars": 2},
    ],
)
def test_it_says_fired_on_exactly_the_bars_on_which_the_evaluator_fires(
    text: str, how: dict[str, Any]
) -> None:
    """Gaps, filled bars and stand-ins among them."""
    if text.startswith("level"):
        how = how | {"debounce_bars": 1}  # a level does not last
    random = Random(7)
    candles: list[Candle] = [
        None if random.random() < 0.15 else round(random.uniform(8, 12), 1) for _ in range(40)
    ]
    candles[0] = 10.0
    candles[20:28] = [None] * 8
    command = alert(text, **how)
    desk = Desk()
    desk.watch(command, generation=1, since=2)
    for place, record in enumerate(records(candles)):
        desk.hear(
            desk.engine.on_tick(record, place)
            if isinstance(record, Tick)
            else desk.engine.on_kline(record, place)
        )
    commands = [given(replace(command, effective_from_ms=at(2)))]
    told = [asked(commands, candles, minute) for minute in range(40)]
    closes = {one.bar.close_time_ms for one in told if one.fired and one.bar is not None}
    assert closes == {one.bar.close_time_ms for one in desk.said if isinstance(one, Fired)}
    assert closes


def update(minute: int, price: float) -> Kline:
    """The bar of that minute, still forming."""
    return Kline(
        symbol=SYMBOL, interval="1m", open_time_ms=at(minute), open=price, high=price, low=price, close=price,
        volume=1.0, closed=False,
    )  # fmt: skip


def test_an_alert_on_tick_tells_of_the_update_that_it_fired_on() -> None:
    command = alert(CLOSE, on="tick", frequency="once_per_bar", timeframe="5m", condition='close("1m") > 10')
    closed = records([9.0] * 7)
    seen = [*closed[:4], update(2, 11.5), update(2, 12.0), *closed[4:6], update(3, 11.0), *closed[6:]]
    told = [explain(Question("alert", at(minute), SYMBOL), [given(command)], seen) for minute in (3, 4)]
    assert (told[0].fired, told[0].answer) == (
        True,
        "It fired before the bar closed, on an update with a last price of 11.5: close 11.5.",
    )
    assert (told[1].fired, told[1].answer) == (False, f"{FALSE}close > 10 (9 against 10, 1 away).")
    again = records([9.0, 9.0, 11.0, 11.0])
    third = explain(Question("alert", at(4), SYMBOL), [given(command)], again)
    assert third.answer == f"{NO}it fired at {clock(3)}, and fires once per bar of 5m."
