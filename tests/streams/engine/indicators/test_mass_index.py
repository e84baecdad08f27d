"""The mass index."""

import numpy as np
import pytest

from streams.engine.kernels.readiness import DIFFERENCE, span
from tests.streams.engine.candles import walk
from tests.streams.engine.indicators.likeness import assert_equals_ta, candles, flat_from, ours, ready, theirs


def test_it_sums_the_averaged_range_over_its_own_average() -> None:
    bars = candles([5.0] * 5, high=[6.0, 9.0, 6.0, 6.0, 6.0], low=[3.0, 3.0, 3.0, 3.0, 3.0])
    got = ours("mass_index", bars, window_fast=2, window_slow=2)
    # weight 2/3: ranges 3, 6, 3, 3: 3, 5, 11/3, 29/9; from the second on 5, 37/9, 95/27
    assert np.isnan(got[:3]).all()
    assert got[3] == pytest.approx((11 / 3) / (37 / 9) + (29 / 9) / (95 / 27))


def test_ranges_that_stay_the_same_sum_to_the_window() -> None:
    assert ours("mass_index", candles([5.0] * 60, high=[6.07] * 60, low=[4.0] * 60))[-1] == 25.0


def test_nothing_moved_is_missing_as_it_is_in_ta() -> None:
    bars = candles([5.0] * 60)
    assert np.isnan(ours("mass_index", bars)).all()
    assert np.isnan(theirs("mass_index", bars)).all()


def test_a_market_at_rest_keeps_a_ratio_until_nothing_is_left_and_begins_anew_when_it_moves() -> None:
    bars = flat_from(walk(2_000, seed=3).ohlcv, 100)
    bars[1_900:] = walk(100, seed=4, start=bars[99, 3]).ohlcv
    got = ours("mass_index", bars, window_fast=3, window_slow=4)
    assert np.isfinite(got[110:300]).all()
    assert np.isnan(got[1_500:1_900]).all()
    assert np.isfinite(got[1_910:]).all()


@pytest.mark.parametrize("windows", [(9, 25), (1, 1), (3, 2), (33, 5)])
def test_equals_ta(windows: tuple[int, int]) -> None:
    for seed in (1, 2):
        bars = walk(300, seed=seed, start=0.07, decimals=6).ohlcv
        assert_equals_ta("mass_index", bars, window_fast=windows[0], window_slow=windows[1])


def test_it_is_ready_when_the_average_of_the_average_has_forgotten_like_a_difference_and_the_window_is_full() -> (
    None
):
    (bars,) = ready("mass_index")
    one = span(9) * (1.0 - span(9)) ** np.arange(2_000)
    response = np.convolve(one, one)[:2_000]
    n = bars - 24
    assert response[n:].sum() < DIFFERENCE <= response[n - 1 :].sum()
    assert ready("mass_index", window_fast=1) == (25,)
