"""Williams %R."""

import numpy as np
import pytest

from tests.streams.engine.candles import walk
from tests.streams.engine.indicators.likeness import assert_equals_ta, candles, flat_from, ours, ready, theirs


def test_how_far_below_the_highest_the_close_is() -> None:
    bars = candles([9.0, 10.0, 7.0, 12.0], high=[10.0, 11.0, 10.0, 12.0], low=[8.0, 9.0, 7.0, 9.0])
    got = ours("williams_r", bars, lbp=2)
    assert np.isnan(got[0])
    # 11 - 10 of 11 - 8; 11 - 7 of 11 - 7; 12 - 12 of 12 - 7
    assert got[1:] == pytest.approx([-100 / 3, -100.0, 0.0])


def test_no_range_is_missing_as_it_is_in_ta() -> None:
    bars = flat_from(walk(60, seed=10).ohlcv, 30)
    assert np.isnan(ours("williams_r", bars)[43:]).all()
    assert np.isnan(theirs("williams_r", bars)[43:]).all()
    assert np.isfinite(ours("williams_r", bars)[13:43]).all()


def test_it_is_the_stochastic_less_100() -> None:
    bars = walk(300).ohlcv
    assert np.allclose(ours("williams_r", bars), ours("stoch", bars) - 100.0, atol=1e-12, equal_nan=True)


@pytest.mark.parametrize("lbp", [2, 14, 33])
def test_equals_ta(lbp: int) -> None:
    for seed in (1, 2):
        assert_equals_ta("williams_r", walk(400, seed=seed).ohlcv, lbp=lbp)


def test_it_is_ready_when_the_window_is_full() -> None:
    assert ready("williams_r") == (14,)
