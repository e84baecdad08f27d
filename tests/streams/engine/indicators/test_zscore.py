"""The z-score against its definition."""

import math

import numpy as np

from schemas.conditions import Indicator
from streams.engine.bars import CLOSE, Floats
from streams.engine.market.compute import compute
from tests.streams.engine.candles import walk
from tests.streams.engine.indicators.references import assert_equal, expected, needs_recordings, quotes


def zscore(ohlcv: Floats, window: int) -> Floats:
    return compute(Indicator("zscore", (("window", window),)), ohlcv)["zscore"]


def test_it_counts_deviations_from_the_mean() -> None:
    ohlcv = walk(500, seed=56).ohlcv
    wanted = np.full(500, np.nan)
    for last in range(19, 500):
        window = ohlcv[last - 19 : last + 1, CLOSE]
        wanted[last] = (window[-1] - window.mean()) / window.std()
    assert_equal(zscore(ohlcv, 20), wanted)


def test_a_window_that_stands_still_has_none() -> None:
    ohlcv = walk(200, seed=57).ohlcv
    ohlcv[100:150, CLOSE] = ohlcv[99, CLOSE]
    found = zscore(ohlcv, 20)
    assert np.isnan(found[118:150]).all()
    assert math.isfinite(found[117])
    assert math.isclose(abs(found[150]), math.sqrt(19), rel_tol=1e-12)


@needs_recordings
def test_stock_indicators() -> None:
    assert_equal(zscore(quotes(), 14), expected("stdev", "zScore"))
