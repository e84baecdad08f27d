"""Supertrend against TradingView's published script, line by line."""

import math

import numpy as np
import pytest

from schemas.conditions import Indicator
from streams.engine.bars import Floats
from streams.engine.market.compute import compute
from streams.engine.market.market import Market
from tests.streams.engine.candles import klines, walk
from tests.streams.engine.indicators.references import assert_equal, expected, needs_recordings, quotes


def script(ohlcv: Floats, factor: float, window: int) -> tuple[Floats, Floats]:
    """`pine_supertrend` of the manual of `ta.supertrend`."""
    atr = compute(Indicator("atr", (("window", window),)), ohlcv)["atr"]
    trends, directions = np.full(len(ohlcv), np.nan), np.full(len(ohlcv), np.nan)
    upper_before = lower_before = trend_before = math.nan
    for t, (_, high, low, close, _) in enumerate(ohlcv):
        upper, lower = (high + low) / 2 + factor * atr[t], (high + low) / 2 - factor * atr[t]
        known_lower = 0.0 if math.isnan(lower_before) else lower_before
        known_upper = 0.0 if math.isnan(upper_before) else upper_before
        close_before = ohlcv[t - 1, 3] if t else math.nan
        lower = lower if lower > known_lower or close_before < known_lower else known_lower
        upper = upper if upper < known_upper or close_before > known_upper else known_upper
        if t == 0 or math.isnan(atr[t - 1]):
            direction = 1
        elif trend_before == known_upper:
            direction = -1 if close > upper else 1
        else:
            direction = 1 if close < lower else -1
        trend = lower if direction == -1 else upper
        if math.isfinite(atr[t]):
            trends[t], directions[t] = trend, direction
            upper_before, lower_before, trend_before = upper, lower, trend
    return trends, directions


@pytest.mark.parametrize("window, factor", [(10, 3.0), (3, 1.5), (2, 0.0)])
def test_it_is_tradingviews(window: int, factor: float) -> None:
    ohlcv = walk(1_500, seed=59).ohlcv
    found = compute(Indicator("supertrend", (("multiplier", factor), ("window", window))), ohlcv)
    trends, directions = script(ohlcv, factor, window)
    assert np.array_equal(found["supertrend"], trends, equal_nan=True)
    assert np.array_equal(found["direction"], directions, equal_nan=True)
    assert (directions == -1).sum() > 100
    assert (directions == 1).sum() > 100


def test_up_is_minus_one_and_the_line_is_below() -> None:
    climb = np.repeat((100.0 + np.arange(60.0))[:, None], 5, axis=1)
    climb[:, 1] += 0.5
    climb[:, 2] -= 0.5
    found = compute(Indicator("supertrend"), climb)
    assert found["direction"][-1] == -1
    assert found["supertrend"][-1] < climb[-1, 2]


def test_it_may_fire_once_both_bands_were_crossed_by_a_close() -> None:
    """A market that has only risen may have come from anywhere: its lower band is not known."""
    rises = np.repeat((1_000.0 + np.arange(200.0))[:, None], 5, axis=1)
    falls = np.repeat((1_199.0 - 5 * np.arange(100.0))[:, None], 5, axis=1)
    market = Market("BTCUSDT")
    slot = market.acquire(Indicator("supertrend", output="direction"), "1m")
    usable = []
    bars = walk(300)
    bars.ohlcv[:] = np.vstack([rises, falls])
    for bar in klines(bars):
        market.apply(bar)
        usable.append(slot.frame.now[slot.column])
    assert np.isnan(usable[:200]).all()
    first = int(np.flatnonzero(np.isfinite(usable))[0])
    assert 200 < first < 215
    assert usable[first:] == [1.0] * (300 - first)


@needs_recordings
def test_stock_indicators() -> None:
    """Their ATR leaves out the first bar's range; equal once that is forgotten."""
    found = compute(Indicator("supertrend"), quotes())
    assert_equal(found["supertrend"], expected("supertrend", "superTrend"), first=300)
    down = np.isfinite(expected("supertrend", "upperBand"))
    assert np.array_equal(found["direction"][300:] == 1, down[300:])
