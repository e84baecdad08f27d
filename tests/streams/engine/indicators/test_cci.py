"""The commodity channel index."""

import numpy as np
import pytest

from schemas.conditions import ConditionError
from tests.streams.engine.candles import walk
from tests.streams.engine.indicators.likeness import assert_equals_ta, candles, flat_from, ours, ready


def test_it_is_the_deviation_of_the_typical_price_in_mean_deviations() -> None:
    bars = candles([4.0, 6.0, 11.0], high=[5.0, 7.0, 12.0], low=[3.0, 5.0, 10.0])
    got = ours("cci", bars, window=3, constant=0.5)
    assert np.isnan(got[:2]).all()
    # typical prices 4, 6, 11: mean 7, mean deviation 8/3
    assert got[2] == pytest.approx(4 / (0.5 * 8 / 3))


def test_a_flat_window_is_missing_whatever_came_before() -> None:
    for price in (0.07, 67_123.45, 1 / 3):
        bars = flat_from(walk(80, seed=3, start=price, decimals=12).ohlcv, 40)
        got = ours("cci", bars)
        assert np.isfinite(got[19:59]).all()
        assert np.isnan(got[59:]).all()


@pytest.mark.parametrize("params", [(20, 0.015), (2, 0.015), (33, 2.0)])
def test_equals_ta(params: tuple[int, float]) -> None:
    for seed in (1, 2):
        bars = walk(300, seed=seed, start=0.07, decimals=6).ohlcv
        if params[0] == 2:  # two equal typical prices are 0/0 here, and by luck of rounding in `ta`
            bars = bars[np.concatenate(([True], np.diff(bars[:, 1:4].sum(axis=1).round(6)) != 0.0))]
        assert_equals_ta("cci", bars, window=params[0], constant=params[1])


def test_a_price_that_outgrows_the_unit_leaves_the_sums_right() -> None:
    bars = walk(60).ohlcv
    bars[30:, :4] *= 1e7
    assert_equals_ta("cci", bars)


def test_it_is_ready_where_it_is_defined_and_divides_by_no_constant_of_0() -> None:
    assert ready("cci") == (20,)
    with pytest.raises(ConditionError, match="1e-06 to"):
        ready("cci", constant=0.0)
