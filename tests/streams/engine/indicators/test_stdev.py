"""The deviation against numpy's."""

import numpy as np
import pytest

from schemas.conditions import Indicator
from streams.engine.bars import CLOSE, Floats
from streams.engine.market.compute import compute
from tests.streams.engine.candles import walk
from tests.streams.engine.indicators.references import assert_equal, expected, needs_recordings, quotes


def stdev(ohlcv: Floats, window: int) -> Floats:
    return compute(Indicator("stdev", (("window", window),)), ohlcv)["stdev"]


@pytest.mark.parametrize("window", [2, 20, 200])
def test_it_is_the_populations_deviation(window: int) -> None:
    ohlcv = walk(500, seed=54, start=67_000.0).ohlcv
    wanted = np.full(500, np.nan)
    for last in range(window - 1, 500):
        wanted[last] = ohlcv[last - window + 1 : last + 1, CLOSE].std()
    assert_equal(stdev(ohlcv, window), wanted)


def test_where_nothing_moves_it_is_nothing() -> None:
    ohlcv = walk(200, seed=55).ohlcv
    ohlcv[100:, CLOSE] = ohlcv[99, CLOSE]
    assert (stdev(ohlcv, 20)[118:] == 0.0).all()


@needs_recordings
def test_stock_indicators() -> None:
    assert_equal(stdev(quotes(), 14), expected("stdev", "stdDev"))
