"""The ulcer index."""

import numpy as np
import pytest

from tests.streams.engine.candles import walk
from tests.streams.engine.indicators.likeness import assert_equals_ta, candles, flat_from, ours, ready


def test_it_is_the_root_mean_square_of_how_far_the_closes_are_below_their_height() -> None:
    got = ours("ulcer_index", candles([10.0, 8.0, 9.0, 12.0, 6.0]), window=2)
    assert np.isnan(got[0])
    # percent below the higher of two closes: 0, 20, 0, 0, 50
    assert got[1:] == pytest.approx([200**0.5, 200**0.5, 0.0, 1250**0.5])


def test_a_market_that_only_rises_or_stands_still_has_none_whatever_came_before() -> None:
    assert ours("ulcer_index", candles([float(x) for x in range(1, 40)]))[13:].tolist() == [0.0] * 26
    bars = flat_from(walk(80, seed=3).ohlcv, 40)
    assert ours("ulcer_index", bars)[-1] == 0.0


@pytest.mark.parametrize("window", [14, 1, 2, 33])
def test_equals_ta(window: int) -> None:
    for seed in (1, 2):
        bars = walk(300, seed=seed, start=0.07, decimals=6).ohlcv
        if window > 1:
            assert_equals_ta("ulcer_index", bars, window=window)
        else:
            assert (ours("ulcer_index", bars, window=1) == 0.0).all()


def test_it_is_ready_when_every_close_of_the_window_has_a_whole_window_before_it() -> None:
    assert ready("ulcer_index") == (27,)
    end = walk(27, seed=5).ohlcv
    for seed in (1, 2):
        longer = np.vstack([walk(40, seed=seed, start=120.0).ohlcv, end])
        assert ours("ulcer_index", longer)[-1] == pytest.approx(ours("ulcer_index", end)[-1], rel=1e-12)
    longer = np.vstack([walk(40, start=120.0).ohlcv, end[:26]])
    assert ours("ulcer_index", longer)[-1] != pytest.approx(ours("ulcer_index", end[:26])[-1], rel=1e-3)
