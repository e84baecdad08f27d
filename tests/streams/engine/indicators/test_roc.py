"""The rate of change."""

import numpy as np
import pytest

from tests.streams.engine.candles import walk
from tests.streams.engine.indicators.likeness import assert_equals_ta, candles, ours, ready


def test_the_change_in_percent_of_the_close_some_bars_ago() -> None:
    got = ours("roc", candles([8.0, 10.0, 12.0, 5.0]), window=2)
    assert np.isnan(got[:2]).all()
    assert got[2:].tolist() == [50.0, -50.0]


def test_an_unchanged_close_is_zero() -> None:
    assert ours("roc", candles([0.07] * 20))[12:].tolist() == [0.0] * 8


@pytest.mark.parametrize("window", [1, 12, 33])
def test_equals_ta(window: int) -> None:
    for seed in (1, 2):
        assert_equals_ta("roc", walk(400, seed=seed).ohlcv, window=window)


def test_it_needs_a_close_before_its_window() -> None:
    assert ready("roc") == (13,)
