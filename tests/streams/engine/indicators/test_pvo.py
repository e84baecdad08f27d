"""The percentage volume oscillator, and volume that is not there."""

from typing import Any

import numpy as np
import pytest

from tests.streams.engine.candles import walk
from tests.streams.engine.indicators.likeness import assert_equals_ta, candles, ours, ready, theirs

SMALL: dict[str, Any] = {"window_slow": 3, "window_fast": 1, "window_sign": 2}


def volumes(*volume: float) -> np.ndarray:
    return candles([10.0] * len(volume), volume=volume)


def test_the_difference_of_two_averages_of_volume_in_percent_of_the_slow_one() -> None:
    got = ours("pvo", volumes(8.0, 10.0, 12.0), **SMALL)  # slow: 8, 9, 10.5
    assert np.isnan(got[:2]).all()
    assert got[2] == pytest.approx(100 * 1.5 / 10.5)


def test_it_is_missing_until_there_is_volume_and_the_signal_counts_from_there() -> None:
    bars = volumes(0.0, 0.0, 0.0, 4.0, 2.0)  # slow: 0, 0, 0, 2, 2
    got = ours("pvo", bars, **SMALL)
    assert np.isnan(got[:3]).all()
    assert got[3:].tolist() == [100.0, 0.0]
    assert np.isnan(ours("pvo_signal", bars, **SMALL)[:4]).all()
    assert ours("pvo_signal", bars, **SMALL)[4] == pytest.approx(100.0 / 3.0)
    for output in ("pvo", "pvo_signal", "pvo_hist"):
        assert_equals_ta(output, bars, **SMALL)


def test_volume_gone_for_a_thousand_bars_is_missing_and_comes_back() -> None:
    """The average halves with every bar. `ta` too is left with 0/0 in the end."""
    bars = volumes(1.0, 2.0, 3.0, *[0.0] * 2_000, 5.0)
    got, ta = ours("pvo", bars, **SMALL), theirs("pvo", bars, **SMALL)
    assert got[500] == ta[500] == -100.0
    assert np.isnan(got[1_500])
    assert np.isnan(ta[1_500])
    assert got[-1] == pytest.approx(100.0)
    assert ta[-1] == pytest.approx(100.0)


def test_even_volume_is_zero_exactly() -> None:
    assert ours("pvo", volumes(*[0.1] * 60))[40:].tolist() == [0.0] * 20


@pytest.mark.parametrize("output", ["pvo", "pvo_signal", "pvo_hist"])
@pytest.mark.parametrize("windows", [(26, 12, 9), (2, 1, 2), (40, 9, 21)])
def test_equals_ta(output: str, windows: tuple[int, int, int]) -> None:
    slow, fast, sign = windows
    for seed in (1, 2):
        bars = walk(400, seed=seed).ohlcv
        assert_equals_ta(output, bars, window_slow=slow, window_fast=fast, window_sign=sign)


def test_it_is_ready_like_the_macd() -> None:
    assert ready("pvo") == ready("macd")
