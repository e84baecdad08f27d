"""Kaufman's adaptive average, how long it may remember, and the last bar that `ta` reads at the first."""

import numpy as np
import pytest

from schemas.conditions import ConditionError
from tests.streams.engine.candles import walk
from tests.streams.engine.indicators.likeness import assert_equals_ta, candles, flat_from, ours, ready, theirs


def test_it_follows_an_efficient_market_fast_and_a_noisy_one_slowly() -> None:
    # pow1 1 and pow2 3: weights 1 and (1/2)²
    got = ours("kama", candles([10, 11, 12, 11, 11]), window=2, pow1=1, pow2=3)
    assert np.isnan(got[0])
    # the close; efficiency 2/2: the close; 0/2: 12 + (11 - 12)/4; 1/1: the close
    assert got[1:].tolist() == [11.0, 12.0, 11.75, 11.0]


def test_a_market_that_stands_still_is_followed_at_the_slowest_pace() -> None:
    bars = flat_from(walk(120, seed=3).ohlcv, 60)
    got, close = ours("kama", bars), bars[-1, 3]
    slowest = (2.0 / 31.0) ** 2
    left = (got[80:] - close) / (got[79:-1] - close)
    assert np.allclose(left, 1.0 - slowest, rtol=1e-9)
    assert_equals_ta("kama", bars)


def test_a_market_flat_from_the_start_is_its_price_exactly() -> None:
    assert ours("kama", candles([0.07] * 40))[9:].tolist() == [0.07] * 31


def test_ta_reads_the_last_close_at_the_first_bar() -> None:
    """Its np.roll wraps around: whether the value at bar `window` exists depends on the last bar of all."""
    closes = [10.0, 11.0, 12.0, 11.0, 13.0]
    whole = theirs("kama", candles([*closes, 12.0]), window=2)
    unknown_end = theirs("kama", candles([*closes, np.nan]), window=2)
    assert whole[1] == 11.0
    assert np.isnan(unknown_end[1])
    assert ours("kama", candles(closes), window=2)[1] == ours("kama", candles([*closes, 12.0]), window=2)[1]


@pytest.mark.parametrize("params", [(10, 2, 30), (1, 2, 30), (33, 5, 5), (5, 1, 200)])
def test_equals_ta(params: tuple[int, int, int]) -> None:
    window, pow1, pow2 = params
    for seed in (1, 2):
        bars = walk(400, seed=seed, start=0.07, decimals=6).ohlcv
        assert_equals_ta("kama", bars, window=window, pow1=pow1, pow2=pow2)


def test_a_price_that_outgrows_the_unit_leaves_the_efficiency_right() -> None:
    bars = walk(60).ohlcv
    bars[30:, :4] *= 1e7
    assert_equals_ta("kama", bars, window=5)


def test_it_is_ready_when_even_the_slowest_would_be() -> None:
    (bars,) = ready("kama")
    slowest = (2.0 / 31.0) ** 2
    assert (1.0 - slowest) ** (bars - 10) < 1e-3 <= (1.0 - slowest) ** (bars - 11)


def test_once_ready_nothing_is_left_of_another_beginning_in_the_market_that_forgets_least() -> None:
    """Up and down by a tick: efficiency 0 for an even window, every bar at the slowest pace."""
    (bars,) = ready("kama", pow2=12)
    closes = [100.0, 101.0] * bars
    wild = [200.0, 100.0] * 10
    here, there = ours("kama", candles(closes), pow2=12), ours("kama", candles(wild + closes), pow2=12)
    apart = np.abs(here - there[20:])
    assert apart[bars - 1] <= 1e-3 * 100.0
    assert apart[bars // 2] > 1e-3 * 100.0


def test_a_slowest_pace_faster_than_the_fastest_is_refused() -> None:
    with pytest.raises(ConditionError, match="pow1"):
        ready("kama", pow1=31)
    with pytest.raises(ConditionError, match="1 to 200"):
        ready("kama", pow2=201)
