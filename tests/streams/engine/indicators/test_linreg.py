"""The regression line against least squares as numpy solves them."""

import numpy as np
import pytest

from schemas.conditions import Indicator
from streams.engine.bars import CLOSE, Floats
from streams.engine.market.compute import compute
from tests.streams.engine.candles import walk
from tests.streams.engine.indicators.references import assert_equal, expected, needs_recordings, quotes


def linreg(ohlcv: Floats, window: int) -> dict[str, Floats]:
    return compute(Indicator("linreg", (("window", window),)), ohlcv)


@pytest.mark.parametrize("window", [2, 14, 100])
def test_it_is_the_least_squares_line(window: int) -> None:
    ohlcv = walk(400, seed=53).ohlcv
    found = linreg(ohlcv, window)
    for last in range(window - 1, 400, 7):
        rise, base = np.polyfit(np.arange(window), ohlcv[last - window + 1 : last + 1, CLOSE], 1)
        assert found["slope"][last] == pytest.approx(rise, abs=1e-9)
        assert found["linreg"][last] == pytest.approx(base + rise * (window - 1), rel=1e-10)
    assert np.isnan(found["slope"][: window - 1]).all()


def test_a_straight_line_is_its_own_regression_and_a_flat_one_does_not_rise() -> None:
    straight = np.repeat((100.0 + 0.25 * np.arange(200.0))[:, None], 5, axis=1)
    found = linreg(straight, 20)
    assert (found["slope"][19:] == 0.25).all()
    assert (found["linreg"][19:] == straight[19:, CLOSE]).all()
    flat = np.full((100, 5), 0.07)
    assert (linreg(flat, 20)["slope"][19:] == 0.0).all()
    assert (linreg(flat, 20)["linreg"][19:] == 0.07).all()


@needs_recordings
def test_stock_indicators() -> None:
    assert_equal(linreg(quotes(), 14)["slope"], expected("slope", "slope"))
    assert_equal(linreg(quotes(), 10)["linreg"], expected("epma", "epma"))
