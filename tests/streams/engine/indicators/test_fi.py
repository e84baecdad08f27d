"""The force index."""

import numpy as np
import pytest

from streams.engine.kernels.readiness import ema_bars
from tests.streams.engine.candles import walk
from tests.streams.engine.indicators.likeness import assert_equals_ta, candles, ours, ready

BARS = candles([10.0, 12.0, 11.0, 11.0], volume=[1.0, 2.0, 8.0, 5.0])  # forces 4, -8, 0


def test_the_average_of_change_times_volume_begins_with_the_first_change() -> None:
    got = ours("fi", BARS, window=3)
    assert np.isnan(got[:3]).all()
    assert got[3] == -1.0  # 4, -2, -1


def test_seeded_with_the_mean_of_the_first_window() -> None:
    got = ours("fi", BARS, seed="sma", window=2)
    assert np.isnan(got[:2]).all()
    assert got[2:] == pytest.approx([-2.0, -2.0 / 3.0])


def test_no_volume_and_no_change_have_no_force() -> None:
    assert set(ours("fi", candles([5.0] * 30))[13:].tolist()) == {0.0}
    assert set(ours("fi", candles([float(x) for x in range(1, 31)], volume=[0.0] * 30))[13:].tolist()) == {
        0.0
    }


@pytest.mark.parametrize("window", [1, 13, 33])
def test_equals_ta(window: int) -> None:
    for seed in (1, 2):
        assert_equals_ta("force_index", walk(400, seed=seed).ohlcv, window=window)


def test_a_change_needs_one_bar_more_than_its_average() -> None:
    assert ready("fi") == (ema_bars(13) + 1,)
