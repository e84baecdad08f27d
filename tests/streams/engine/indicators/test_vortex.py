"""The vortex."""

import numpy as np
import pytest
from ta.trend import VortexIndicator

from tests.streams.engine.candles import walk
from tests.streams.engine.indicators.likeness import (
    assert_equals_ta,
    assert_like,
    candles,
    flat_from,
    ours,
    ready,
    theirs,
    theirs_of,
)

POS, NEG = "vortex_indicator_pos", "vortex_indicator_neg"


def test_it_weighs_movement_from_the_far_ends_of_the_bar_before_by_true_ranges() -> None:
    bars = candles([4.0, 6.0, 2.0, 3.0], high=[5.0, 7.0, 4.0, 3.0], low=[3.0, 5.0, 2.0, 1.0])
    # rises 4, 1, 1; falls 0, 5, 3; true ranges 3, 4, 2
    assert np.isnan(ours(POS, bars, window=2)[:2]).all()
    assert ours(POS, bars, window=2)[2:] == pytest.approx([5 / 7, 2 / 6])
    assert ours(NEG, bars, window=2)[2:] == pytest.approx([5 / 7, 8 / 6])
    assert ours("vortex", bars, output="vortex_diff", window=2)[2:] == pytest.approx([0.0, -1.0])


def test_no_range_is_missing_whatever_came_before() -> None:
    bars = flat_from(walk(80, seed=3).ohlcv, 40)
    assert np.isfinite(ours(POS, bars)[14:53]).all()
    assert np.isnan(ours(POS, bars)[54:]).all()
    assert np.isnan(theirs(POS, candles([5.0] * 30))[14:]).all()


@pytest.mark.parametrize("window", [14, 2, 33])
def test_equals_ta(window: int) -> None:
    for seed in (1, 2):
        bars = walk(300, seed=seed, start=0.07, decimals=6).ohlcv
        for function in (POS, NEG):
            assert_equals_ta(function, bars, window=window)
        theirs_diff = theirs_of(VortexIndicator, "vortex_indicator_diff", bars, window=window)
        assert_like(ours("vortex", bars, output="vortex_diff", window=window), theirs_diff)


def test_a_price_that_outgrows_the_unit_leaves_the_sums_right() -> None:
    bars = walk(60).ohlcv
    bars[30:, :4] *= 1e7
    assert_equals_ta(POS, bars, window=5)


def test_it_is_ready_where_it_is_defined() -> None:
    assert ready("vortex") == (15,) * 3
