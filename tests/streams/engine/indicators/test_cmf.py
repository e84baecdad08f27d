"""Chaikin money flow."""

import numpy as np
import pytest

from tests.streams.engine.candles import walk
from tests.streams.engine.indicators.likeness import assert_equals_ta, candles, ours, ready, theirs


def test_money_flow_volume_over_volume() -> None:
    bars = candles([10.0, 8.0, 9.5], high=[10.0] * 3, low=[8.0] * 3, volume=[1.0, 3.0, 4.0])
    got = ours("cmf", bars, window=2)
    assert np.isnan(got[0])
    assert got[1:].tolist() == [-0.5, -1.0 / 7.0]


def test_a_close_always_at_the_high_is_1_exactly() -> None:
    bars = walk(200, seed=3).ohlcv
    bars[:, 3] = bars[:, 1]
    bars[:, 2] = bars[:, 1] - 1.0
    assert set(ours("cmf", bars)[19:].tolist()) == {1.0}


def test_no_volume_in_the_window_is_missing_as_it_is_in_ta() -> None:
    bars = walk(200, seed=10).ohlcv
    bars[100:130, 4] = 0.0
    got = ours("cmf", bars)
    assert np.isnan(got[119:130]).all()
    assert np.isnan(theirs("chaikin_money_flow", bars)[119:130]).all()
    assert np.isfinite(got[19:119]).all()
    assert np.isfinite(got[130:]).all()


def test_bars_without_a_range_count_with_their_volume_but_no_flow_as_in_ta() -> None:
    bars = candles([10.0, 9.0], high=[10.0, 9.0], low=[8.0, 9.0], volume=[1.0, 3.0])
    assert ours("cmf", bars, window=2)[1] == theirs("chaikin_money_flow", bars, window=2)[1] == 0.25


def test_nothing_is_left_of_a_huge_volume_once_it_is_out_of_the_window() -> None:
    bars = walk(80, seed=4).ohlcv
    calm = ours("cmf", bars[40:])[19:]
    bars[30, 4] = 1e18
    assert np.allclose(ours("cmf", bars)[59:], calm, rtol=0.0, atol=1e-14)


@pytest.mark.parametrize("window", [1, 20, 33])
def test_equals_ta(window: int) -> None:
    for seed in (1, 2):
        assert_equals_ta("chaikin_money_flow", walk(400, seed=seed).ohlcv, window=window)


def test_it_is_ready_when_the_window_is_full() -> None:
    assert ready("cmf") == (20,)
