"""Exact whole numbers of the compiled walk, uncompiled: quotients, prices, and where a plan must be refused."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from schemas.bots import BotConfig, CloseRule, StopLoss, TakeProfit
from streams.engine.backtest.candles import Candles
from streams.engine.backtest.extremes import Extremes
from streams.engine.backtest.plan import Plan, plan_of
from streams.engine.backtest.sums import down, in_ticks, up
from streams.engine.dca import Instrument
from tests.streams.engine.candles import walk

LARGE = st.integers(min_value=0, max_value=2**62 - 1)
CENTS = Instrument(tick=Decimal("0.01"), lot=Decimal("0.00001"))
BOT = BotConfig(
    bot_id="a", user_id="u", pairs=["BTCUSDT"], entry="rsi(14) < 30", base_order_volume="15", safety_order_volume="30",
    max_safety_orders=5, price_deviation="1", take_profit=TakeProfit(percent="2"),
)  # fmt: skip


@given(LARGE, st.integers(min_value=1, max_value=2**62 - 1))
def test_a_quotient_guessed_as_a_float_is_put_right(a: int, b: int) -> None:
    if a // b < 2**51:
        assert down(a, b) == a // b
        assert up(a, b) == -(-a // b)


@given(st.integers(min_value=1, max_value=10**9))
def test_a_price_on_the_tick_is_its_number_of_ticks(ticks: int) -> None:
    assert in_ticks(float(Decimal(ticks) * Decimal("0.05")), 100.0, 5) == ticks
    assert in_ticks(float(Decimal(ticks) * Decimal("0.01") + Decimal("0.005")), 100.0, 1) == -1


def _plan(config: BotConfig, instrument: Instrument = CENTS) -> Plan | str:
    candles = Candles.of("BTCUSDT", walk(100))
    return plan_of(config, instrument, candles, Extremes(candles.low, candles.high))


def test_a_plain_bot_has_a_plan() -> None:
    assert isinstance(_plan(BOT), Plan)


@pytest.mark.parametrize(
    "changes, reason",
    [
        ({"take_profit": TakeProfit(percent="2", trailing="0.5")}, "a trailing take profit"),
        ({"stop_loss": StopLoss(percent="5", trailing=True)}, "a trailing stop"),
        ({"gap_through": "merge"}, "gap_through: merge"),
        ({"close": CloseRule(when="rsi(14) > 70")}, "a close condition"),
        ({"pairs": ["BTCUSDT", "ETHUSDT"]}, "several pairs"),
        ({"entry": 'schedule("0 9 * * *")', "take_profit": None}, "a schedule"),
        ({"fee_in": "base"}, "fees in base"),
    ],
)
def test_what_only_python_walks_is_named(changes: dict[str, object], reason: str) -> None:
    assert _plan(replace(BOT, **changes)) == reason


def test_numbers_that_pass_64_bits_are_left_to_python() -> None:
    found = _plan(BOT, Instrument())
    assert isinstance(found, str)
    assert found.startswith("numbers too large for 64 bits")
    assert str(_plan(BOT, Instrument(tick=Decimal("1e-15"), lot=Decimal(1)))).startswith("numbers too large")
