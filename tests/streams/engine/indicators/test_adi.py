"""The accumulation/distribution index."""

import math

import numpy as np
import pytest

from streams.engine import indicators
from tests.streams.engine.candles import walk
from tests.streams.engine.indicators.likeness import assert_equals_ta, candles, ours, ready, theirs


def test_volume_counts_with_where_the_close_lies_in_the_range() -> None:
    bars = candles([10.0, 8.0, 9.5], high=[10.0] * 3, low=[8.0] * 3, volume=[1.0, 2.0, 4.0])
    assert ours("adi", bars).tolist() == [1.0, -1.0, 1.0]


def test_a_bar_without_a_range_adds_nothing_as_in_ta_which_makes_its_0_by_0_a_zero() -> None:
    bars = candles([10.0, 9.0, 9.0], high=[10.0, 9.0, 9.0], low=[8.0, 9.0, 9.0], volume=[1.0, 5.0, 5.0])
    assert ours("adi", bars).tolist() == theirs("acc_dist_index", bars).tolist() == [1.0, 1.0, 1.0]


def test_no_volume_changes_nothing() -> None:
    bars = candles([10.0, 10.0], high=[11.0, 11.0], low=[8.0, 8.0], volume=[3.0, 0.0])
    assert ours("adi", bars).tolist() == pytest.approx([1.0, 1.0])


def test_a_long_sum_is_that_of_all_its_parts_to_the_last_bit() -> None:
    bars = walk(20_000, seed=3).ohlcv
    high, low, close, volume = (bars[:, k] for k in (1, 2, 3, 4))
    reach = np.where(high > low, high - low, 1.0)
    flows = np.where(high > low, ((close - low) - (high - close)) / reach * volume, 0.0)
    assert ours("adi", bars)[-1] == math.fsum(flows.tolist())


def test_equals_ta() -> None:
    for seed in (1, 2):
        assert_equals_ta("acc_dist_index", walk(400, seed=seed).ohlcv)


def test_it_never_forgets_and_is_ready_at_once() -> None:
    assert indicators.lookup("adi").never_forgets
    assert ready("adi") == (1,)
