"""Exact whole numbers of the compiled walk, uncompiled: quotients, prices, and where a plan must be refused."""

from decimal import Decimal
from fractions import Fraction
from math import ceil, floor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from schemas.bots import BotConfig, CloseRule, StopLoss, TakeProfit
from streams.engine.backtest.candles import Candles
from streams.engine.backtest.extremes import Extremes
from streams.engine.backtest.plan import Plan, _divided, at_least, at_most, plan_of
from streams.engine.backtest.sums import in_ticks
from streams.engine.backtest.wide import down, floats, high, kept, total, turns, up, whole
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
        assert down(a, b, float(a)) == a // b
        assert up(a, b, float(a)) == -(-a // b)


@given(
    st.lists(st.tuples(LARGE, LARGE), min_size=1, max_size=101), st.integers(1, 2**20), st.integers(1, 2**55)
)
def test_a_quotient_of_products_beyond_64_bits_is_exact(
    products: list[tuple[int, int]], times: int, under: int
) -> None:
    """As the walk makes them: sums that wrap beside their floats, each as far as a plan may let it go."""
    number = sum(one * other for one, other in products) * times
    about = sum(float(one) * float(other) for one, other in products) * times
    under = max(under, (number >> 55) + 1)
    if under < 2**56 and _divided((number, under)):
        kept_of_it, divisor = _int64(kept(number)), _int64(under)
        with np.errstate(over="ignore"):
            assert down(kept_of_it, divisor, about) == number // under
            assert up(kept_of_it, divisor, about) == -(-number // under)


def _int64(number: int) -> int:
    """As compiled code has it: it wraps."""
    return np.int64(number)  # type: ignore[return-value]


@given(st.lists(st.integers(-(2**90), 2**90), min_size=1, max_size=9))
def test_a_number_is_known_by_its_rest_and_its_height(numbers: list[int]) -> None:
    rest, highs = np.array([kept(x) for x in numbers]), np.array([high(float(x)) for x in numbers])
    assert [whole(a, b) for a, b in zip(rest.tolist(), highs.tolist(), strict=True)] == numbers
    assert total(rest, turns(rest, highs)) == sum(numbers)
    assert floats(rest, turns(rest, highs)) == pytest.approx([float(x) for x in numbers], rel=1e-15)


@given(st.fractions(min_value=0, max_value=3))
def test_a_ratio_of_small_numbers_gives_the_same_quotients(ratio: Fraction) -> None:
    """The neighbours among fractions whose denominators a walk can divide by."""
    tight, fine = ratio + Fraction(1, 10**40), ratio + Fraction(1, 3 * 10**16)
    for real in (ratio, tight, fine):
        below, above = at_most(real), at_least(real)
        assert max(below.denominator, above.denominator) <= 10**15
        assert below <= real <= above
        for ticks in (1, 7, 99_999_999, 10**12 + 39, 10**15):
            assert floor(ticks * below) == floor(ticks * real)
            assert ceil(ticks * above) == ceil(ticks * real)


@given(st.integers(min_value=1, max_value=10**9))
def test_a_price_on_the_tick_is_its_number_of_ticks(ticks: int) -> None:
    assert in_ticks(float(Decimal(ticks) * Decimal("0.05")), 100.0, 5) == ticks
    assert in_ticks(float(Decimal(ticks) * Decimal("0.01") + Decimal("0.005")), 100.0, 1) == -1


def _plan(config: BotConfig, instrument: Instrument = CENTS) -> Plan | str:
    candles = Candles.of("BTCUSDT", walk(100))
    return plan_of(config, instrument, candles, Extremes(candles.low, candles.high))


def test_a_plain_bot_has_a_plan() -> None:
    assert isinstance(_plan(BOT), Plan)
    assert isinstance(_plan(BOT, Instrument()), Plan)


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
    fine = replace(BOT, base_order_volume="123456789012345", fee="0.0012345678")
    found = _plan(fine, Instrument())
    assert isinstance(found, str)
    assert found.startswith("numbers too large for 64 bits")
    assert str(_plan(BOT, Instrument(tick=Decimal("1e-15"), lot=Decimal(1)))).startswith("numbers too large")
