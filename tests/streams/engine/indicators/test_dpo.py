"""The detrended price oscillator, and the mean of the future that `ta` fills in."""

import numpy as np
import pytest

from tests.streams.engine.candles import walk
from tests.streams.engine.indicators.likeness import assert_equals_ta, candles, flat_from, ours, ready, theirs


def test_it_is_an_earlier_close_less_the_mean_of_the_window() -> None:
    got = ours("dpo", candles([1.0, 2.0, 3.0, 6.0, 9.0]), window=4)
    assert np.isnan(got[:3]).all()
    assert got[3:].tolist() == [1.0 - 3.0, 2.0 - 5.0]


def test_a_flat_window_is_0_exactly_whatever_came_before() -> None:
    for price in (0.07, 67_123.45, 1 / 3):
        bars = flat_from(walk(80, seed=3, start=price, decimals=12).ohlcv, 40)
        assert ours("dpo", bars)[-1] == 0.0


@pytest.mark.parametrize("window", [20, 3, 4, 33])
def test_equals_ta(window: int) -> None:
    for seed in (1, 2):
        assert_equals_ta("dpo", walk(300, seed=seed, start=0.07, decimals=6).ohlcv, window=window)


@pytest.mark.parametrize("window", [1, 2])
def test_ta_fills_a_close_before_the_first_with_the_mean_of_the_whole_series(window: int) -> None:
    closes = [1.0, 2.0, 4.0, 8.0, 9.0]
    short, long = (
        theirs("dpo", candles(closes[:4]), window=window),
        theirs("dpo", candles(closes), window=window),
    )
    assert short[window - 1] != long[window - 1]
    got = ours("dpo", candles(closes), window=window)
    assert np.isnan(got[:window]).all()
    assert np.array_equal(got[window:], long[window:])


def test_it_is_ready_where_it_is_defined() -> None:
    assert ready("dpo") == (20,)
    assert ready("dpo", window=2) == (3,)
