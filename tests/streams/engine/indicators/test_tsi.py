"""The true strength index."""

import numpy as np
import pytest

from streams.engine.kernels.readiness import DIFFERENCE, span
from tests.streams.engine.candles import walk
from tests.streams.engine.indicators.likeness import assert_equals_ta, candles, flat_from, ours, ready, theirs


def test_twice_averaged_changes_over_their_twice_averaged_sizes() -> None:
    # changes 2, -2, 1, 1; slow average of weight 1/2: 2, 0, 0.5, 0.75; of their sizes: 2, 2, 1.5, 1.25
    got = ours("tsi", candles([10.0, 12.0, 10.0, 11.0, 12.0]), window_slow=3, window_fast=1)
    assert np.isnan(got[:3]).all()
    assert got[3:] == pytest.approx([100 / 3, 60.0])


def test_the_outer_average_begins_where_the_inner_one_is_defined() -> None:
    got = ours("tsi", candles([10.0, 12.0, 10.0, 11.0, 12.0]), window_slow=2, window_fast=2)
    # weight 2/3: inner 2, -2/3, 4/9, 22/27 and 2, 2, 4/3, 10/9; outer from the second of them on
    assert np.isnan(got[:3]).all()
    assert got[3] == pytest.approx(100 * (-2 / 3 + 2 / 3 * (4 / 9 + 2 / 3)) / (2 + 2 / 3 * (4 / 3 - 2)))


def test_a_market_that_only_rises_is_100() -> None:
    assert ours("tsi", candles([float(x) for x in range(1, 80)]))[-1] == pytest.approx(100.0, rel=1e-14)


def test_nothing_moved_is_missing_as_it_is_in_ta() -> None:
    bars = candles([5.0] * 60)
    assert np.isnan(ours("tsi", bars)).all()
    assert np.isnan(theirs("tsi", bars)).all()


def test_a_market_at_rest_keeps_its_strength_until_nothing_is_left_of_it() -> None:
    bars = flat_from(walk(3_000, seed=3).ohlcv, 100)
    got = ours("tsi", bars, window_slow=3, window_fast=2)
    assert np.isfinite(got[110:500]).all()
    assert np.isnan(got[1_500:]).all()


@pytest.mark.parametrize("windows", [(25, 13), (2, 1), (13, 25), (1, 1)])
def test_equals_ta(windows: tuple[int, int]) -> None:
    bars = walk(400, seed=1).ohlcv
    if windows == (1, 1):
        bars = bars[np.concatenate(([True], np.diff(bars[:, 3]) != 0.0))]  # an unchanged close is 0/0
    assert_equals_ta("tsi", bars, window_slow=windows[0], window_fast=windows[1])


def test_it_is_ready_when_the_cascade_has_forgotten_like_a_difference() -> None:
    (bars,) = ready("tsi")
    slow, fast = (span(w) * (1.0 - span(w)) ** np.arange(3_000) for w in (25, 13))
    response = np.convolve(slow, fast)
    n = bars - 1  # the first bar has no change
    assert response[n:].sum() < DIFFERENCE <= response[n - 1 :].sum()
