"""The percentage price oscillator."""

from typing import Any

import numpy as np
import pytest

from schemas.conditions import ConditionError, Indicator, Seed
from streams.engine.market.compute import compute
from tests.streams.engine.candles import walk
from tests.streams.engine.indicators.likeness import assert_equals_ta, candles, flat_from, ours, ready

SMALL: dict[str, Any] = {"window_slow": 3, "window_fast": 1, "window_sign": 2}


def test_the_difference_of_two_averages_in_percent_of_the_slow_one() -> None:
    bars = candles([8.0, 10.0, 12.0, 12.75])  # slow: 8, 9, 10.5, 11.625
    line = ours("ppo", bars, **SMALL)
    assert np.isnan(line[:2]).all()
    assert line[2:] == pytest.approx([100 * 1.5 / 10.5, 100 * 1.125 / 11.625])
    signal = ours("ppo_signal", bars, **SMALL)
    assert np.isnan(signal[:3]).all()
    assert signal[3] == pytest.approx(line[2] + 2 / 3 * (line[3] - line[2]))
    assert ours("ppo_hist", bars, **SMALL)[3] == line[3] - signal[3]


def test_it_is_the_macd_in_percent_of_the_slow_average() -> None:
    bars = walk(300).ohlcv
    seeds: tuple[Seed, ...] = ("auto", "sma", "first")
    for chosen in seeds:
        macd = compute(Indicator("macd", seed=chosen), bars)["macd"]
        slow = compute(Indicator("ema", (("window", 26),), seed=chosen), bars)["ema"]
        got = compute(Indicator("ppo", seed=chosen), bars)["ppo"]
        assert np.allclose(got, 100.0 * macd / slow, rtol=1e-12, atol=1e-15, equal_nan=True)


def test_a_market_flat_from_the_start_is_zero_exactly() -> None:
    for output in ("ppo", "ppo_signal", "ppo_hist"):
        assert ours(output, candles([0.07] * 60))[40:].tolist() == [0.0] * 20


@pytest.mark.parametrize("output", ["ppo", "ppo_signal", "ppo_hist"])
@pytest.mark.parametrize("windows", [(26, 12, 9), (2, 1, 2), (40, 9, 21)])
def test_equals_ta(output: str, windows: tuple[int, int, int]) -> None:
    slow, fast, sign = windows
    for bars in (walk(400, seed=1).ohlcv, flat_from(walk(400, seed=2).ohlcv, 300)):
        assert_equals_ta(output, bars, window_slow=slow, window_fast=fast, window_sign=sign)


def test_it_is_ready_like_the_macd() -> None:
    assert ready("ppo") == ready("macd")


def test_a_fast_average_that_is_not_faster_is_refused() -> None:
    with pytest.raises(ConditionError, match="window_fast"):
        ready("ppo", window_slow=12, window_fast=26)
