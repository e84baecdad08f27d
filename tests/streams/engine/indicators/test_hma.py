"""Hull's average against its definition."""

import math

import numpy as np
import pytest

from schemas.conditions import Indicator
from streams.engine.bars import CLOSE, Floats
from streams.engine.market.compute import compute
from tests.streams.engine.candles import walk
from tests.streams.engine.indicators.references import assert_equal, expected, needs_recordings, quotes


def hma(ohlcv: Floats, window: int) -> Floats:
    return compute(Indicator("hma", (("window", window),)), ohlcv)["hma"]


def wma(values: Floats, window: int) -> Floats:
    weights = np.arange(1, window + 1) / (window * (window + 1) / 2)
    padded = np.concatenate([np.full(window - 1, np.nan), values])
    return np.array([weights @ padded[k : k + window] for k in range(len(values))])


@pytest.mark.parametrize("window", [2, 9, 16, 55])
def test_it_is_hulls_formula(window: int) -> None:
    ohlcv = walk(600, seed=51, start=0.0731, decimals=7).ohlcv
    close = ohlcv[:, CLOSE]
    assert_equal(
        hma(ohlcv, window),
        wma(2 * wma(close, window // 2) - wma(close, window), math.isqrt(window)),
        bound=1e-12,
    )


@pytest.mark.parametrize("price", [67_123.45, 1 / 3, 3e-8])
def test_a_flat_stretch_is_its_very_price_whatever_came_before(price: float) -> None:
    """Prices that outgrow the unit on the way included."""
    ohlcv = np.tile([price] * 4 + [1.0], (400, 1))
    ohlcv[:100] *= 0.001
    ohlcv[150:250] *= 12_345.678
    assert (hma(ohlcv, 30)[290:] == price).all()


def test_long_windows_do_not_drift() -> None:
    ohlcv = walk(12_000, seed=52, start=99_999.99).ohlcv
    close = ohlcv[-4_200:, CLOSE]
    wanted = wma(2 * wma(close, 2_000)[-64:] - wma(close, 4_000)[-64:], 63)[-1]
    assert hma(ohlcv, 4_000)[-1] == pytest.approx(wanted, rel=1e-13)


@needs_recordings
def test_stock_indicators() -> None:
    assert_equal(hma(quotes(), 14), expected("hma", "hma"))
