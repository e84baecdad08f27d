"""The ultimate oscillator."""

from typing import Any

import numpy as np
import pytest

from schemas.conditions import ConditionError
from tests.streams.engine.candles import walk
from tests.streams.engine.indicators.likeness import assert_equals_ta, candles, flat_from, ours, ready, theirs

WINDOWS: dict[str, Any] = {"window1": 1, "window2": 2, "window3": 3}
BARS = candles([9.0, 10.0, 8.0, 12.0], high=[10.0, 11.0, 10.0, 12.0], low=[8.0, 9.0, 7.0, 9.0])


def test_buying_pressure_over_true_range_in_three_windows() -> None:
    # pressure 1, 1, 4 and range 2, 3, 4 from the second bar on; the last bar's low is the close before
    got = ours("ultimate_oscillator", BARS, **WINDOWS)
    assert np.isnan(got[:3]).all()
    assert got[3] == pytest.approx(100.0 * (4.0 * 4 / 4 + 2.0 * 5 / 7 + 6 / 9) / 7.0)


def test_weights_are_the_callers() -> None:
    got = ours("ultimate_oscillator", BARS, **WINDOWS, weight1=0.0, weight2=0.0, weight3=2.5)
    assert got[3] == pytest.approx(100.0 * 6 / 9)
    with pytest.raises(ConditionError, match="must not all be 0"):
        ours("ultimate_oscillator", BARS, weight1=0.0, weight2=0.0, weight3=0.0)
    with pytest.raises(ConditionError, match="weight2"):
        ours("ultimate_oscillator", BARS, weight2=-1.0)


def test_a_window_in_which_nothing_moved_is_missing_even_with_no_weight() -> None:
    bars = flat_from(walk(120, seed=10, start=67_123.45).ohlcv, 60)
    assert np.isnan(ours("ultimate_oscillator", bars)[68:]).all()
    assert np.isnan(ours("ultimate_oscillator", bars, weight1=0.0)[68:]).all()
    assert np.isnan(theirs("ultimate_oscillator", bars)[68:]).all()


def test_it_stays_between_0_and_100() -> None:
    got = ours("ultimate_oscillator", walk(2_000, seed=5, start=0.07, decimals=4).ohlcv, **WINDOWS)
    assert np.nanmin(got) >= 0.0
    assert np.nanmax(got) <= 100.0


def test_a_price_that_outgrows_the_unit_leaves_the_sums_right() -> None:
    bars = walk(60).ohlcv
    bars[30:, :4] *= 1e7
    assert_equals_ta("ultimate_oscillator", bars, window1=2, window2=3, window3=9)


@pytest.mark.parametrize("windows", [(7, 14, 28), (28, 3, 14), (40, 41, 42)])
def test_equals_ta(windows: tuple[int, int, int]) -> None:
    for seed in (1, 2):
        bars = walk(400, seed=seed).ohlcv
        assert_equals_ta(
            "ultimate_oscillator",
            bars,
            window1=windows[0],
            window2=windows[1],
            window3=windows[2],
            weight2=1.5,
        )


def test_the_longest_window_needs_a_close_before_it() -> None:
    assert ready("ultimate_oscillator") == (29,)
    assert ready("ultimate_oscillator", window1=50) == (51,)
