"""Why some of Stock.Indicators' series begin otherwise than ours, or are others: each made here by its own rule."""

import numpy as np
import pandas as pd
import pytest

from streams.engine.bars import CLOSE, HIGH, LOW, Floats
from tests.streams.engine.candles import SHARED
from tests.streams.engine.indicators.conformance import ours
from tests.streams.engine.indicators.references_recorded import expected, quotes

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not SHARED.exists(), reason="the shared recordings are not beside the checkout"),
]


def assert_theirs(made: Floats, series: str, key: str) -> None:
    theirs = expected(series, key)
    there = np.isfinite(theirs)
    assert there.sum() > 400
    assert np.abs(made - theirs)[there].max() < 1e-9 * np.abs(theirs[there]).max()


def test_its_stc_is_the_mean_of_three_of_one_stochastic_of_the_line() -> None:
    line = pd.Series(ours("macd", {"window_slow": 50, "window_fast": 23}, "sma", quotes())["macd"])
    lowest, highest = line.rolling(10).min(), line.rolling(10).max()
    place = 100.0 * (line - lowest) / (highest - lowest)
    assert_theirs(place.rolling(3).mean().to_numpy(float), "stc", "stc")


def test_all_three_averages_of_its_trix_begin_with_one_mean() -> None:
    close, alpha = quotes()[:, CLOSE], 2.0 / 15.0
    averages, made = np.full(3, close[:14].mean()), np.full(len(close), np.nan)
    for t in range(14, len(close)):
        x, before = close[t], averages[2]
        for k in range(3):
            averages[k] += alpha * (x - averages[k])
            x = averages[k]
        made[t] = 100.0 * (averages[2] - before) / before
    assert_theirs(made, "trix", "trix")


def wilder(bars: Floats) -> Floats:
    """The stop from the first low on, up, held at the further of the two lows (highs) before."""
    stop, extreme, pace, sign = bars[0, LOW], bars[0, HIGH], 0.02, 1.0
    made = np.full(len(bars), np.nan)
    for t in range(1, len(bars)):
        ahead, behind = (HIGH, LOW) if sign > 0.0 else (LOW, HIGH)
        stop += pace * (extreme - stop)
        if t >= 2:
            stop = sign * min(sign * stop, *(sign * bars[t - 2 : t, behind]))
        if sign * bars[t, behind] < sign * stop:
            stop, extreme, pace, sign = extreme, bars[t, behind], 0.02, -sign
        elif sign * bars[t, ahead] > sign * extreme:
            extreme, pace = bars[t, ahead], min(pace + 0.02, 0.2)
        made[t] = stop
    return made


def test_its_psar_begins_with_the_first_low_and_is_held_at_the_further_of_two() -> None:
    assert_theirs(wilder(quotes()), "psar", "sar")
