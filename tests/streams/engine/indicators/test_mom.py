"""Momentum against its definition."""

import numpy as np
import pytest

from schemas.conditions import Indicator
from streams.engine.bars import CLOSE
from streams.engine.market.compute import compute
from tests.streams.engine.candles import walk
from tests.streams.engine.indicators.references import assert_equal, expected, needs_recordings, quotes


@pytest.mark.parametrize("window", [1, 10, 60])
def test_it_is_the_rise_of_the_close(window: int) -> None:
    close = walk(200, seed=74).ohlcv[:, CLOSE]
    found = compute(Indicator("mom", (("window", window),)), walk(200, seed=74).ohlcv)["mom"]
    assert np.array_equal(found[window:], close[window:] - close[:-window])
    assert np.isnan(found[:window]).all()


@needs_recordings
def test_stock_indicators() -> None:
    assert_equal(compute(Indicator("mom", (("window", 14),)), quotes())["mom"], expected("roc", "momentum"))
