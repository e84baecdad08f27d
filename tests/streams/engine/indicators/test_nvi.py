"""The negative volume index."""

from fractions import Fraction

import pytest

from streams.engine import indicators
from tests.streams.engine.candles import walk
from tests.streams.engine.indicators.likeness import assert_equals_ta, candles, ours, ready, theirs


def test_it_follows_the_close_where_volume_falls() -> None:
    bars = candles([10.0, 11.0, 12.0, 6.0], volume=[5.0, 4.0, 6.0, 3.0])
    assert ours("nvi", bars) == pytest.approx([1000.0, 1100.0, 1100.0, 550.0])


def test_equal_volume_and_none_at_all_change_nothing() -> None:
    bars = candles([10.0, 11.0, 12.0, 13.0], volume=[5.0, 5.0, 0.0, 0.0])
    got = ours("nvi", bars)
    assert got.tolist() == pytest.approx([1000.0, 1000.0, 1000.0 * 12 / 11, 1000.0 * 12 / 11])
    assert got[2] == got[3]


def test_a_market_at_rest_keeps_its_level_exactly() -> None:
    bars = candles([0.07] * 50, volume=[float(x) for x in range(50, 0, -1)])
    assert set(ours("nvi", bars).tolist()) == {1000.0}


def test_ta_begins_with_1000_too() -> None:
    assert theirs("negative_volume_index", candles([10.0, 10.0]))[0] == 1000.0


def test_a_long_product_stays_near_the_true_one() -> None:
    bars = walk(5_000, seed=3).ohlcv
    true = Fraction(1000)
    for row in range(1, len(bars)):
        if bars[row, 4] < bars[row - 1, 4]:
            true = Fraction(float(true * Fraction(bars[row, 3]) / Fraction(bars[row - 1, 3])))
    assert ours("nvi", bars)[-1] == pytest.approx(float(true), rel=5_000 * 2.0**-51)


def test_equals_ta() -> None:
    for seed in (1, 2):
        assert_equals_ta("negative_volume_index", walk(400, seed=seed).ohlcv)


def test_it_never_forgets_and_is_ready_at_once() -> None:
    assert indicators.lookup("nvi").never_forgets
    assert ready("nvi") == (1,)
