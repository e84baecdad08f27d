"""On balance volume, TradingView's and `ta`'s, which counts an unchanged close as a rise."""

import math

import numpy as np

from streams.engine import indicators
from tests.streams.engine.candles import walk
from tests.streams.engine.indicators.likeness import assert_equals_ta, candles, ours, ready, theirs

BARS = candles([10.0, 11.0, 11.0, 10.0], volume=[1.0, 2.0, 4.0, 8.0])


def test_volume_counts_with_the_direction_of_the_close() -> None:
    assert ours("obv", BARS, seed="auto").tolist() == [0.0, 2.0, 2.0, -6.0]


def test_ta_adds_the_volume_of_the_first_bar_and_of_an_unchanged_close() -> None:
    assert theirs("on_balance_volume", BARS).tolist() == [1.0, 3.0, 7.0, -1.0]
    assert ours("obv", BARS, seed="first").tolist() == [1.0, 3.0, 7.0, -1.0]


def test_no_volume_changes_nothing() -> None:
    assert ours("obv", candles([10.0, 11.0, 12.0], volume=[0.0, 5.0, 0.0])).tolist() == [0.0, 5.0, 5.0]


def test_a_long_sum_is_that_of_all_its_parts_to_the_last_bit() -> None:
    bars = walk(20_000, seed=3).ohlcv
    moves = np.sign(np.diff(bars[:, 3], prepend=bars[0, 3])) * bars[:, 4]
    assert ours("obv", bars, seed="auto")[-1] == math.fsum(moves.tolist())


def test_equals_ta() -> None:
    for seed in (1, 2):
        assert_equals_ta("on_balance_volume", walk(400, seed=seed).ohlcv)


def test_it_never_forgets_and_is_ready_at_once() -> None:
    assert indicators.lookup("obv").never_forgets
    assert ready("obv") == (1,)
