"""The volume weighted average price of a rolling window."""

import numpy as np
import pytest

from tests.streams.engine.candles import walk
from tests.streams.engine.indicators.likeness import assert_equals_ta, candles, flat_from, ours, ready, theirs


def test_typical_prices_weighted_by_volume() -> None:
    bars = candles([9.0, 12.0, 6.0], high=[10.0, 12.0, 8.0], low=[8.0, 12.0, 4.0], volume=[1.0, 2.0, 6.0])
    got = ours("rolling_vwap", bars, window=2)
    assert np.isnan(got[0])
    assert got[1:].tolist() == [11.0, 7.5]


def test_no_volume_in_the_window_is_missing_as_it_is_in_ta() -> None:
    bars = walk(100, seed=10).ohlcv
    bars[50:80, 4] = 0.0
    got = ours("rolling_vwap", bars)
    assert np.flatnonzero(np.isnan(got)).tolist() == [*range(13), *range(63, 80)]
    assert np.isnan(theirs("volume_weighted_average_price", bars)[63:80]).all()


@pytest.mark.parametrize("price", [0.07, 1.1, 67_123.45, 3e-8])
def test_a_flat_window_is_its_price_exactly(price: float) -> None:
    bars = flat_from(walk(160, seed=10, start=price, decimals=12).ohlcv, 100)
    bars[130:140, 4] = 0.0
    bars[145, 4] = 0.0
    assert set(ours("rolling_vwap", bars)[113:].tolist()) == {bars[-1, 3]}


def test_a_bar_without_volume_has_no_price_to_weigh() -> None:
    bars = candles([10.0, 99.0, 10.0], volume=[0.3, 0.0, 0.7])
    assert ours("rolling_vwap", bars, window=3)[2] == 10.0


def test_nothing_is_left_of_a_huge_volume_once_it_is_out_of_the_window() -> None:
    bars = walk(80, seed=4).ohlcv
    calm = ours("rolling_vwap", bars[40:])[13:]
    bars[30, 4] = 1e18
    assert np.allclose(ours("rolling_vwap", bars)[53:], calm, rtol=1e-14)


@pytest.mark.parametrize("window", [1, 14, 33])
def test_equals_ta(window: int) -> None:
    for seed in (1, 2):
        assert_equals_ta("volume_weighted_average_price", walk(400, seed=seed).ohlcv, window=window)


def test_it_is_ready_when_the_window_is_full() -> None:
    assert ready("rolling_vwap") == (14,)
