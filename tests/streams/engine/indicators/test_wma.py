"""The weighted moving average."""

from fractions import Fraction

import numpy as np
import pytest

from tests.streams.engine.candles import walk
from tests.streams.engine.indicators.likeness import assert_equals_ta, candles, flat_from, ours, ready


def test_the_newest_close_weighs_most() -> None:
    got = ours("wma", candles([1.0, 2.0, 6.0, 0.0]), window=3)
    assert np.isnan(got[:2]).all()
    assert got[2:].tolist() == [(1 + 4 + 18) / 6, (2 + 12 + 0) / 6]


def test_a_flat_window_is_its_price_exactly_whatever_came_before() -> None:
    for price in (0.07, 67_123.45, 1 / 3, 3e-8):
        bars = flat_from(walk(80, seed=3, start=price, decimals=14).ohlcv, 40)
        assert (ours("wma", bars)[48:] == bars[-1, 3]).all()


@pytest.mark.parametrize("window", [9, 1, 2, 100])
def test_equals_ta(window: int) -> None:
    for seed in (1, 2):
        assert_equals_ta("wma_indicator", walk(300, seed=seed, start=0.07, decimals=6).ohlcv, window=window)


def test_the_longest_window_of_the_longest_prices_is_exact_to_the_last_bit_but_two() -> None:
    window = 5_000
    bars = walk(window + 50, seed=4, start=99_999.987_654_321, decimals=9).ohlcv
    got = ours("wma", bars, window=window)
    for row in (window - 1, window + 49):
        closes = bars[row - window + 1 : row + 1, 3].tolist()
        true = sum(k * Fraction(close) for k, close in enumerate(closes, 1)) / (window * (window + 1) // 2)
        assert got[row] == pytest.approx(float(true), rel=1e-15)


def test_a_price_that_outgrows_the_unit_leaves_the_weights_right() -> None:
    bars = walk(60).ohlcv
    bars[30:, :4] *= 1e7
    assert_equals_ta("wma_indicator", bars)


def test_it_is_ready_where_it_is_defined() -> None:
    assert ready("wma") == (9,)
