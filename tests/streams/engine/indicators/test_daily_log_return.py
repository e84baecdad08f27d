"""The logarithmic return of one bar, and the digits that a difference of logarithms loses."""

import math
from decimal import Decimal

import numpy as np
import pytest

from tests.streams.engine.candles import walk
from tests.streams.engine.indicators.likeness import assert_equals_ta, candles, ours, ready, theirs


def test_it_is_the_logarithm_of_how_many_times_the_close_before() -> None:
    got = ours("daily_log_return", candles([10.0, 20.0, 10.0, 10.0]))
    assert np.isnan(got[0])
    assert got[1:].tolist() == pytest.approx([100 * math.log(2), -100 * math.log(2), 0.0])


def test_an_unchanged_close_returns_nothing_exactly() -> None:
    assert ours("daily_log_return", candles([0.07] * 20))[1:].tolist() == [0.0] * 19


def test_it_keeps_digits_that_a_difference_of_two_logarithms_loses() -> None:
    closes = [67_123.45, 67_123.46]
    exact = 100 * (Decimal(closes[1]) / Decimal(closes[0])).ln()
    off = [
        abs(Decimal(float(values[1])) / exact - 1)
        for values in (ours("daily_log_return", candles(closes)), theirs("daily_log_return", candles(closes)))
    ]
    assert off[0] < off[1]


def test_equals_ta() -> None:
    for seed in (1, 2):
        assert_equals_ta("daily_log_return", walk(400, seed=seed, start=0.07, decimals=6).ohlcv)


def test_it_is_ready_at_the_second_bar() -> None:
    assert ready("daily_log_return") == (2,)
