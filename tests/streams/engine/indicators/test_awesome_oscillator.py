"""The awesome oscillator, and what `ta` makes of equal means."""

import numpy as np
import pytest

from tests.streams.engine.candles import walk
from tests.streams.engine.indicators.likeness import assert_equals_ta, candles, flat_from, ours, ready, theirs


def test_the_mean_of_the_middles_less_a_longer_one() -> None:
    bars = candles([10, 12, 14, 10], high=[11, 13, 15, 12], low=[9, 11, 13, 8])
    got = ours("awesome_oscillator", bars, window1=2, window2=3)
    assert np.isnan(got[:2]).all()
    assert got[2:].tolist() == [1.0, 0.0]  # (12 + 14)/2 - 12; (14 + 10)/2 - 12


def test_equal_means_are_zero_exactly_where_ta_is_left_with_a_rounding_error() -> None:
    bars = candles([0.1, 0.3, 0.2])
    assert ours("awesome_oscillator", bars, window1=1, window2=3)[-1] == 0.0
    assert theirs("awesome_oscillator", bars, window1=1, window2=3)[-1] != 0.0


@pytest.mark.parametrize("price", [0.07, 67_123.45, 3e-8])
def test_a_flat_market_is_zero_exactly(price: float) -> None:
    bars = flat_from(walk(90, seed=10, start=price, decimals=12).ohlcv, 50)
    assert ours("awesome_oscillator", bars)[-7:].tolist() == [0.0] * 7


def test_a_price_that_outgrows_the_unit_leaves_the_means_right() -> None:
    bars = walk(60).ohlcv
    bars[30:, :4] *= 1e7
    assert_equals_ta("awesome_oscillator", bars, window1=3, window2=8)


def test_which_of_the_windows_is_the_longer_does_not_matter() -> None:
    bars = walk(60).ohlcv
    a, b = (ours("awesome_oscillator", bars, window1=x, window2=y) for x, y in ((3, 8), (8, 3)))
    assert np.array_equal(a, -b, equal_nan=True)


@pytest.mark.parametrize("windows", [(5, 34), (1, 2), (20, 7)])
def test_equals_ta(windows: tuple[int, int]) -> None:
    for seed in (1, 2):
        bars = walk(400, seed=seed).ohlcv
        assert_equals_ta("awesome_oscillator", bars, window1=windows[0], window2=windows[1])


def test_it_is_ready_when_the_longer_window_is_full() -> None:
    assert ready("awesome_oscillator") == (34,)
