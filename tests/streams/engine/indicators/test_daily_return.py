"""The return of one bar."""

import numpy as np
import pytest

from tests.streams.engine.candles import walk
from tests.streams.engine.indicators.likeness import assert_equals_ta, candles, ours, ready


def test_it_is_the_change_in_percent_of_the_close_before() -> None:
    got = ours("daily_return", candles([10.0, 11.0, 5.5, 5.5]))
    assert np.isnan(got[0])
    assert got[1:].tolist() == pytest.approx([10.0, -50.0, 0.0])


def test_an_unchanged_close_returns_nothing_exactly() -> None:
    assert ours("daily_return", candles([0.07] * 20))[1:].tolist() == [0.0] * 19


def test_equals_ta() -> None:
    for seed in (1, 2):
        assert_equals_ta("daily_return", walk(400, seed=seed, start=0.07, decimals=6).ohlcv)


def test_it_is_ready_at_the_second_bar() -> None:
    assert ready("daily_return") == (2,)
