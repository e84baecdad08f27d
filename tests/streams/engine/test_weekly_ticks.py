"""Law 1 where the base bar is a week: its boundaries are Mondays, not multiples of seven days from 1970's Thursday."""

from typing import Any

import pytest

from schemas.market import Kline, Tick
from schemas.triggers import Trigger
from streams.engine.market.market import Market
from streams.engine.symbol import SymbolEngine
from tests.streams.engine.candles import MONDAY
from tests.streams.engine.desk import SYMBOL, group, member

DAY = 86_400_000
WEEK = 7 * DAY


def week(number: int) -> Kline:
    return Kline(
        symbol=SYMBOL, interval="1w", open_time_ms=MONDAY + number * WEEK, open=10, high=11, low=9, close=10,
        volume=1,
    )  # fmt: skip


def engine_with_a_cooldown(end_ms: int) -> SymbolEngine:
    """Two weekly bars, and a group that ends its cooldown at the first close at or after `end_ms`."""
    engine = SymbolEngine(SYMBOL, Market(SYMBOL, "1w"))
    command = group(member("cooldown", f"at({end_ms})", "cooldown"), interval="1w")
    engine.on_command(command, -1)
    assert triggers(engine.on_kline(week(0), 0) + engine.on_kline(week(1), 1)) == []
    return engine


def triggers(outputs: list[Any]) -> list[Trigger]:
    return [one for one in outputs if isinstance(one, Trigger)]


def tick(time_ms: int, interval: str) -> Tick:
    return Tick(symbol=SYMBOL, feed="test", time_ms=time_ms, interval=interval)


def test_a_tick_on_a_monday_stands_in_for_the_weekly_bar_that_did_not_come() -> None:
    end_ms = MONDAY + 2 * WEEK + DAY
    engine = engine_with_a_cooldown(end_ms)
    (fired,) = triggers(engine.on_tick(tick(MONDAY + 3 * WEEK, "1w"), 2))
    assert (fired.bar.open_time_ms, fired.bar.close_time_ms) == (MONDAY + 2 * WEEK, MONDAY + 3 * WEEK)
    assert fired.bar.stale_price
    assert engine.counters["stand_ins"] == 1


@pytest.mark.parametrize("days_after_monday", range(1, 7))
def test_a_tick_on_another_day_is_no_boundary_of_a_week(days_after_monday: int) -> None:
    """Day 3 is the Thursday at which weeks would begin if they were counted from the epoch."""
    at_ms = MONDAY + 2 * WEEK + days_after_monday * DAY
    engine = engine_with_a_cooldown(MONDAY + 2 * WEEK + 1)
    assert engine.on_tick(tick(at_ms, "1d"), 2) == []
    assert engine.counters["stand_ins"] == 0
    with pytest.raises(ValueError, match="no boundary of 1w"):
        tick(at_ms, "1w")
