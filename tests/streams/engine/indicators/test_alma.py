"""ALMA against its definition."""

import numpy as np
import pytest

from schemas.conditions import Indicator
from streams.engine.bars import CLOSE, Floats
from streams.engine.market.compute import compute
from tests.streams.engine.candles import walk
from tests.streams.engine.indicators.references import assert_equal, expected, needs_recordings, quotes


def alma(ohlcv: Floats, **params: float) -> Floats:
    return compute(Indicator("alma", tuple(sorted(params.items()))), ohlcv)["alma"]


@pytest.mark.parametrize(
    "window, offset, sigma", [(9, 0.85, 6.0), (1, 0.0, 20.0), (50, 0.5, 0.1), (2, 0.5, 20.0)]
)
def test_it_weighs_by_a_bell_curve(window: int, offset: float, sigma: float) -> None:
    ohlcv = walk(300, seed=76).ohlcv
    k = np.arange(window)
    weights = np.exp(-((k - offset * (window - 1)) ** 2) / (2 * (window / sigma) ** 2))
    views = np.lib.stride_tricks.sliding_window_view(ohlcv[:, CLOSE], window)
    found = alma(ohlcv, window=window, offset=offset, sigma=sigma)
    assert found[window - 1 :] == pytest.approx(views @ weights / weights.sum(), rel=1e-12)
    assert np.isnan(found[: window - 1]).all()


def test_a_flat_window_is_its_very_price() -> None:
    ohlcv = walk(100, seed=77).ohlcv
    ohlcv[50:, CLOSE] = 0.07
    assert (alma(ohlcv)[58:] == 0.07).all()


@needs_recordings
def test_stock_indicators() -> None:
    assert_equal(alma(quotes()), expected("alma", "alma"))
