"""Ease of movement, and the zero volume that `ta` divides by."""

import numpy as np
import pytest

from tests.streams.engine.candles import walk
from tests.streams.engine.indicators.likeness import assert_equals_ta, candles, ours, ready, theirs

HIGH, LOW = [10.0, 12.0, 12.0, 11.0], [8.0, 9.0, 11.0, 9.0]


def test_how_far_the_range_moved_times_its_size_by_volume() -> None:
    bars = candles(HIGH, high=HIGH, low=LOW, volume=[1.0, 2.0, 4.0, 8.0])
    got = ours("eom", bars)
    assert np.isnan(got[0])
    # (2 + 1)·3/4, (0 + 2)·1/8, (-1 - 2)·2/16, times 10^8
    assert got[1:].tolist() == [0.75 * 3e8, 0.25e8, -0.375e8]
    mean = ours("sma_ease_of_movement", bars, window=2)
    assert np.isnan(mean[:2]).all()
    assert mean[2:].tolist() == [1.25e8, -0.0625e8]


def test_no_volume_is_missing_where_ta_divides_by_it() -> None:
    bars = candles(HIGH, high=HIGH, low=LOW, volume=[1.0, 2.0, 0.0, 8.0])
    assert theirs("ease_of_movement", bars)[2] == np.inf
    assert np.isnan(ours("eom", bars)).tolist() == [True, False, True, False]


def test_neither_volume_nor_range_is_missing_in_both() -> None:
    bars = candles([5.0, 5.0, 5.0], volume=[1.0, 0.0, 0.0])
    assert np.isnan(theirs("ease_of_movement", bars)).all()
    assert np.isnan(ours("eom", bars)).all()


def test_the_mean_is_missing_as_long_as_one_of_its_values_is() -> None:
    bars = walk(60, seed=10).ohlcv
    bars[30, 4] = 0.0
    got = ours("sma_ease_of_movement", bars, window=5)
    assert np.flatnonzero(np.isnan(got)).tolist() == [*range(5), *range(30, 35)]
    assert np.isnan(theirs("sma_ease_of_movement", bars, window=5)[30:35]).all()


def test_a_range_that_stays_where_it_is_is_zero_exactly() -> None:
    bars = candles([9.5] * 30, high=[10.1] * 30, low=[9.3] * 30, volume=[0.1] * 30)
    assert set(ours("eom", bars)[1:].tolist()) == {0.0}
    assert set(ours("sma_ease_of_movement", bars)[14:].tolist()) == {0.0}


@pytest.mark.parametrize("function", ["ease_of_movement", "sma_ease_of_movement"])
@pytest.mark.parametrize("window", [1, 14, 33])
def test_equals_ta(function: str, window: int) -> None:
    for seed in (1, 2):
        assert_equals_ta(function, walk(400, seed=seed).ohlcv, window=window)


def test_the_first_bar_has_no_bar_to_have_moved_from() -> None:
    assert ready("eom") == (2, 15)
