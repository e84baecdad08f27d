"""Alerts `on: tick`: updates of forming bars count, once per bar at most, and leave no trace in any indicator."""

import math
from typing import Any

import numpy as np
import pytest

from schemas.market import Kline
from schemas.triggers import Fired
from streams.engine.bars import BarArrays
from streams.engine.market.market import Market
from streams.engine.symbol import SymbolEngine
from tests.streams.engine.desk import SYMBOL, Desk, alert, at, group, member


def forming(desk: Desk, o: float, h: float, low: float, c: float, minute: int | None = None) -> list[Any]:
    """An update of the bar that forms now, or of another minute's."""
    opened = at(desk.minute if minute is None else minute)
    kline = Kline(
        symbol=SYMBOL,
        interval="1m",
        open_time_ms=opened,
        open=o,
        high=h,
        low=low,
        close=c,
        volume=1.0,
        closed=False,
    )
    desk.pos += 1
    return desk.hear(desk.engine.on_kline(kline, desk.pos))


def play(desk: Desk, prices: str) -> None:
    """`9` and `+` (11): a bar closes flat; before it in brackets the prices of its updates, as in `(-+-)-`."""
    inside = False
    for sign in prices:
        price = {"+": 11.0, "-": 9.0}.get(sign)
        if price is None:
            inside = sign == "("
        elif inside:
            forming(desk, price, price, price, price)
        else:
            desk.close(price)


def fires(desk: Desk) -> list[tuple[int, bool]]:
    """(minute of the bar, whether it was still forming) of every fire."""
    return [
        ((one.bar.open_time_ms - at(0)) // 60_000, one.provisional)
        for one in desk.said
        if isinstance(one, Fired)
    ]


TICK = {"on": "tick", "frequency": "once_per_bar"}


@pytest.mark.parametrize(
    "how, prices, fired",
    [
        ({}, "-(-+-)-(++)+", [(1, True), (2, True)]),
        ({}, "-(--)+", [(1, False)]),
        ({}, "-(-+)+(-)-", [(1, True)]),
        ({}, "-+++", [(1, False), (2, False), (3, False)]),
        ({}, "-(+)+(+)+(-)+", [(1, True), (2, True), (3, False)]),
        ({"frequency": "once"}, "-(+-+)-(+)+", [(1, True)]),
        ({"when_true_at_arming": "wait"}, "+(+)+(-+)+(+)+", [(2, True), (3, True)]),
        ({"when_true_at_arming": "wait"}, "+(-)+", [(1, False)]),
        ({"timeframe": "3m", "condition": 'close("1m") > 10'}, "-(+)++(+)+++", [(1, True), (3, True)]),
        ({"expires_at_ms": at(2)}, "-(+)+(+)+", [(1, True)]),
        ({"condition": f"at({at(2)})"}, "-(+)-(+)-(+)-", [(1, False), (2, True), (3, True)]),
        ({"condition": "not close > 10"}, "+(+-)+", [(1, True)]),
        ({"condition": "close > 10 or sma(9) > 10"}, "-(-+)-", [(1, True)]),
        ({"condition": "close > 10 and sma(9) > 10"}, "-(-+)-", []),
    ],
)
def test_it_fires_on_the_first_update_that_makes_it_true(
    how: dict[str, Any], prices: str, fired: list[tuple[int, bool]]
) -> None:
    desk = Desk()
    condition = how.pop("condition", "close > 10") if "condition" in (how := dict(how)) else "close > 10"
    desk.watch(alert(condition, **(TICK | how)))
    play(desk, prices)
    assert fires(desk) == fired


def test_a_fire_before_the_close_says_so_and_has_an_identity_of_its_own() -> None:
    desk = Desk()
    desk.watch(alert("close > sma(2)", message="up", **TICK), generation=7)
    desk.close(1.0)
    (first,) = forming(desk, 1.0, 4.0, 1.0, 3.0)
    assert first.fired_id == f"alert:7:{at(1)}:1"
    assert (first.provisional, first.frequency, first.message) == (True, "once_per_bar", "up")
    assert first.values == {"close": 3.0, "sma(2)": 2.0}
    assert (first.bar.open_time_ms, first.bar.close_time_ms, first.bar.high, first.bar.close) == (
        at(1),
        at(2),
        4.0,
        3.0,
    )
    assert forming(desk, 1.0, 9.0, 1.0, 8.0) == []
    (second,) = desk.close(2.0, 3.0)
    assert (second.fired_id, second.provisional) == (f"alert:7:{at(2)}:2", False)


def test_a_new_extreme_touches_a_level() -> None:
    desk = Desk()
    desk.watch(alert('level("8", "below")', **TICK))
    desk.close(10.0)
    assert forming(desk, 10.0, 10.0, 9.0, 9.5) == []
    (touched,) = forming(desk, 10.0, 10.0, 7.5, 9.5)
    assert touched.provisional


def test_only_updates_of_the_bar_after_the_newest_closed_one_count() -> None:
    desk = Desk()
    desk.watch(alert("close > 10", **TICK))
    assert forming(desk, 11.0, 11.0, 11.0, 11.0) == []
    desk.close(9.0, 9.0)
    assert forming(desk, 11.0, 11.0, 11.0, 11.0, minute=1) == []
    assert forming(desk, 11.0, 11.0, 11.0, 11.0, minute=3) == []
    assert desk.engine.counters["forming_passed_over"] == 3
    assert len(forming(desk, 11.0, 11.0, 11.0, 11.0, minute=2)) == 1


def test_it_sees_updates_of_bars_from_its_effect_only() -> None:
    desk = Desk()
    desk.close(9.0)
    desk.watch(alert("close > 10", **TICK), since=1.5)
    play(desk, "(+)-(+)-")
    assert fires(desk) == [(2, True)]


@pytest.mark.parametrize("minute", range(1, 11))
def test_higher_timeframes_keep_their_last_close(minute: int) -> None:
    """On every update of an hour's bars, on the first and the last minute of a bucket too."""
    desk = Desk()
    desk.watch(alert('crosses_above(close, close("5m"))', **TICK))
    desk.close(*[10.0 + k for k in range(4)], 20.0)  # the first five minutes end at 20
    play(desk, "")
    closes = [10.0] * 10
    desk.close(*closes[: minute - 1])
    last = 20.0 if minute < 6 else 10.0
    before = 20.0 if minute == 1 else 10.0
    told = forming(desk, 10.0, 30.0, 10.0, last + 5.0)
    assert [one.values for one in told] == (
        [{"close": last + 5.0, 'close("5m")': last}] if before <= last else []
    )


def test_groups_of_bots_see_nothing_of_it() -> None:
    desk = Desk()
    desk.watch(alert("close > 10", **TICK))
    desk.arm(group(member("entry", "close > 10"), member("stop", 'level("8", "below")')))
    desk.close(9.0)
    forming(desk, 9.0, 12.0, 7.0, 12.0)
    assert desk.triggers == []
    assert fires(desk) == [(1, True)]


INDICATORS = (
    "sma(3)", "ema(4)", "rsi(3)", "atr(3)", "macd(5, 2, 3)", "stochastic(4)", "bollinger(3)", "hlc3", "close[2]",
    'ema(2, "5m")',
)  # fmt: skip


def wave(minute: int, stretch: float = 1.0) -> tuple[float, float, float, float]:
    o, c = 10 + 3 * math.sin(minute), 10 + 3 * stretch * math.sin(minute + 1)
    return o, max(o, c) + 0.5, min(o, c) - 0.25, c


@pytest.mark.parametrize("text", INDICATORS)
def test_an_operand_is_worth_on_an_update_what_it_would_be_if_the_bar_closed_with_it(text: str) -> None:
    """To the bit; and it leaves no trace: the closed bars give what they give without any update."""
    desk, plain = Desk(), Desk()
    for one in (desk, plain):
        one.watch(alert(f"{text} > -9 or close < 0", **TICK))
    for minute in range(160):
        told = forming(desk, *wave(minute, 0.5)) if minute else []
        if minute % 20 == 19:  # closes as its last update said; higher timeframes do not close here
            forming_values = [one.values for one in told]
            closed = [one.values for one in plain.candle(*wave(minute, 0.5))]
            desk.candle(*wave(minute, 0.5))
            if "5m" not in text:
                assert forming_values == closed
            continue
        desk.candle(*wave(minute))
        plain.candle(*wave(minute))
    after = [desk.market, plain.market]
    for market in after:
        market.counters["forming"] = 0
    assert after[0].snapshot() == after[1].snapshot()
    assert any(one.provisional for one in desk.said if isinstance(one, Fired))


def test_where_nobody_asks_an_update_costs_no_more_than_its_decoding() -> None:
    desk = Desk()
    desk.watch(alert("close > sma(3)", frequency="every"))
    desk.close(9.0, 9.0)
    rows = desk.market.tape.frame.out.copy()
    forming(desk, 11.0, 11.0, 11.0, 11.0)
    assert (desk.market.tape.frame.out == rows)[~np.isnan(rows)].all()
    assert np.isnan(desk.market.tape.frame.out[2]).all()
    assert fires(desk) == []


@pytest.mark.parametrize("lost", range(6))
@pytest.mark.parametrize("frequency", ["once", "once_per_bar"])
def test_after_a_restart_it_does_not_fire_again_on_a_bar_that_it_fired_on(lost: int, frequency: str) -> None:
    """The rows are of one moment, the market of an earlier one, and the records since are handled again."""
    script = "-(-+)+(-+)-(+)+"
    whole = Desk()
    command = alert("close > sma(2)", **(TICK | {"frequency": frequency, "when_true_at_arming": "wait"}))
    whole.watch(command)
    klines: list[Kline] = []
    play_into(klines, script)
    said = [whole.hear(whole.engine.on_kline(kline, pos)) for pos, kline in enumerate(klines)]
    expected = {one.fired_id: one for outputs in said for one in outputs if isinstance(one, Fired)}
    for cut in range(lost + 1, len(klines)):
        first = Desk()
        first.watch(command)
        for pos, kline in enumerate(klines[: cut - lost]):
            first.engine.on_kline(kline, pos)
        rows = {row.key: row.body for row in first.engine.dirty_groups()}
        snapshot, stand_ins = first.market.snapshot(), first.engine.stand_ins
        for pos, kline in enumerate(klines[cut - lost : cut], cut - lost):
            first.engine.on_kline(kline, pos)
        rows |= {row.key: row.body for row in first.engine.dirty_groups()}
        market = Market.restore(snapshot, BarArrays.of(klines[: cut - lost]))
        engine = SymbolEngine.restore(SYMBOL, market, rows.values(), cut - lost - 1, stand_ins)
        again = [
            one
            for pos, kline in enumerate(klines[cut - lost :], cut - lost)
            for one in engine.on_kline(kline, pos)
        ]
        fired = [one for one in again if isinstance(one, Fired)]
        assert fired == [one for outputs in said[cut:] for one in outputs if isinstance(one, Fired)]
        assert all(expected[one.fired_id] == one for one in fired)


def play_into(klines: list[Kline], script: str) -> None:
    """The klines of a script, as `play` reads it."""
    inside, minute = False, 0
    for sign in script:
        price = {"+": 11.0, "-": 9.0}.get(sign)
        if price is None:
            inside = sign == "("
            continue
        klines.append(
            Kline(
                symbol=SYMBOL, interval="1m", open_time_ms=at(minute), open=price, high=price, low=price, close=price,
                volume=1.0, closed=not inside,
            )
        )  # fmt: skip
        minute += not inside


@pytest.mark.parametrize(
    "how, field, reason",
    [
        ({"frequency": "once_per_bar"}, "frequency", "once_per_bar is for on: tick"),
        ({"on": "tick", "frequency": "every"}, "frequency", "on: tick fires once or once_per_bar, not every"),
        ({"on": "tick", "debounce_bars": 2}, "debounce_bars", "counts closed bars"),
        (
            {"on": "tick", "frequency": "once_per_bar", "rearm": "after_bars"},
            "rearm",
            "has no effect with frequency once_per_bar",
        ),
    ],
)
def test_settings_that_contradict_each_other_are_refused(
    how: dict[str, Any], field: str, reason: str
) -> None:
    desk = Desk()
    (event,) = desk.watch(alert("close > 10", **how))
    assert (event.event, event.field) == ("rejected", field)
    assert event.reason.startswith(reason)
