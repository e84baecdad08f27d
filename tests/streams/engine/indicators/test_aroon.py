"""Aroon, and which of several equal bars counts."""

import numpy as np
import pytest
from ta.trend import AroonIndicator

from tests.streams.engine.candles import walk
from tests.streams.engine.indicators.likeness import (
    assert_equals_ta,
    assert_like,
    candles,
    ours,
    ready,
    theirs,
    theirs_of,
)


def test_it_counts_the_bars_since_the_extremes() -> None:
    bars = candles([4.0, 6.0, 5.0, 3.0, 4.0])
    up, down = ours("aroon_up", bars, window=2), ours("aroon_down", bars, window=2)
    assert np.isnan(up[:2]).all()
    assert up[2:].tolist() == [50.0, 0.0, 0.0]
    assert down[2:].tolist() == [0.0, 100.0, 50.0]
    assert ours("aroon", bars, output="aroon_indicator", window=2)[2:].tolist() == [50.0, -100.0, -50.0]


def test_of_several_equal_extremes_the_oldest_counts_as_in_ta() -> None:
    bars = candles([5.0, 7.0, 7.0, 6.0, 7.0])
    assert ours("aroon_up", bars, window=4)[4] == theirs("aroon_up", bars, window=4)[4] == 25.0


def test_a_market_at_rest_has_both_at_0_and_no_difference() -> None:
    bars = candles([5.0] * 40)
    for output in ("aroon_up", "aroon_down", "aroon_indicator"):
        assert ours("aroon", bars, output=output)[25:].tolist() == [0.0] * 15
    assert (theirs("aroon_up", bars)[25:] == 0.0).all()


@pytest.mark.parametrize("window", [25, 1, 2, 7])
def test_equals_ta(window: int) -> None:
    for seed in (1, 2):
        bars = walk(300, seed=seed, start=0.07, decimals=4).ohlcv  # coarse ticks: many ties
        assert_equals_ta("aroon_up", bars, window=window)
        assert_equals_ta("aroon_down", bars, window=window)
        got = ours("aroon", bars, output="aroon_indicator", window=window)
        assert_like(got, theirs_of(AroonIndicator, "aroon_indicator", bars, window=window))


def test_it_is_ready_where_it_is_defined() -> None:
    assert ready("aroon") == (26,) * 3
