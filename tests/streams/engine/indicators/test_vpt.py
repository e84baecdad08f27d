"""The volume-price trend."""

import math

import numpy as np
import pytest

from schemas.conditions import ConditionError
from streams.engine import indicators
from tests.streams.engine.candles import walk
from tests.streams.engine.indicators.likeness import assert_equals_ta, candles, ours, ready, theirs

BARS = candles([10.0, 11.0, 11.0, 5.5], volume=[1.0, 2.0, 4.0, 8.0])


def test_volume_counts_with_the_relative_change_of_the_close() -> None:
    got = ours("vpt", BARS)
    assert np.isnan(got[0])
    assert got[1:] == pytest.approx([0.2, 0.2, -3.8])


def test_smoothed_it_is_the_mean_of_the_last_sums() -> None:
    got = ours("vpt", BARS, smoothing_factor=2)
    assert np.isnan(got[:2]).all()
    assert got[2:] == pytest.approx([0.2, -1.8])


def test_none_and_one_smooth_nothing() -> None:
    bars = walk(50).ohlcv
    plain = ours("vpt", bars)
    assert np.array_equal(plain, ours("vpt", bars, smoothing_factor=0), equal_nan=True)
    assert np.array_equal(plain, ours("vpt", bars, smoothing_factor=1), equal_nan=True)
    with pytest.raises(ConditionError, match="smoothing_factor"):
        ours("vpt", bars, smoothing_factor=-1)


def test_a_market_at_rest_keeps_its_level_exactly_smoothed_or_not() -> None:
    bars = candles([10.0, 11.0, *[11.0] * 20], volume=[0.1] * 22)
    assert set(ours("vpt", bars)[1:].tolist()) == {0.1 * 0.1}
    assert set(ours("vpt", bars, smoothing_factor=7)[7:].tolist()) == {0.1 * 0.1}


def test_ta_has_nothing_at_the_first_bar_either() -> None:
    assert np.isnan(theirs("volume_price_trend", BARS)[0])


def test_a_long_sum_is_that_of_all_its_parts_to_the_last_bit() -> None:
    bars = walk(20_000, seed=3).ohlcv
    close, volume = bars[:, 3], bars[1:, 4]
    assert ours("vpt", bars)[-1] == math.fsum((np.diff(close) / close[:-1] * volume).tolist())


@pytest.mark.parametrize("smoothing_factor", [0, 2, 20])
def test_equals_ta(smoothing_factor: int) -> None:
    for seed in (1, 2):
        bars = walk(400, seed=seed).ohlcv
        assert_equals_ta("volume_price_trend", bars, smoothing_factor=smoothing_factor)


def test_it_never_forgets_and_is_ready_when_defined() -> None:
    assert indicators.lookup("vpt").never_forgets
    assert ready("vpt") == (2,)
    assert ready("vpt", smoothing_factor=5) == (6,)
