"""The volume-weighted average against numpy's."""

import numpy as np
import pytest

from schemas.conditions import Indicator
from streams.engine.bars import CLOSE, VOLUME, Floats
from streams.engine.market.compute import compute
from tests.streams.engine.candles import walk
from tests.streams.engine.indicators.references import assert_equal, expected, needs_recordings, quotes


def vwma(ohlcv: Floats, window: int) -> Floats:
    return compute(Indicator("vwma", (("window", window),)), ohlcv)["vwma"]


@pytest.mark.parametrize("window", [1, 20, 150])
def test_it_weighs_closes_by_volume(window: int) -> None:
    ohlcv = walk(500, seed=91).ohlcv
    wanted = np.full(500, np.nan)
    for last in range(window - 1, 500):
        rows = ohlcv[last - window + 1 : last + 1]
        wanted[last] = np.average(rows[:, CLOSE], weights=rows[:, VOLUME])
    assert_equal(vwma(ohlcv, window), wanted, bound=1e-12)


def test_a_flat_window_is_its_very_close_and_one_without_volume_has_none() -> None:
    ohlcv = walk(200, seed=92).ohlcv
    ohlcv[50:100, CLOSE] = 0.07
    ohlcv[120:160, VOLUME] = 0.0
    found = vwma(ohlcv, 20)
    assert (found[69:100] == 0.07).all()
    assert np.isnan(found[139:160]).all()
    assert np.isfinite(found[160:]).all()


@needs_recordings
def test_stock_indicators() -> None:
    assert_equal(vwma(quotes(), 14), expected("vwma", "vwma"))
