"""Bull and bear power against their definition."""

import numpy as np
import pytest

from schemas.conditions import Indicator
from streams.engine.bars import HIGH, LOW
from streams.engine.market.compute import compute
from tests.streams.engine.candles import walk
from tests.streams.engine.indicators.references import assert_equal, expected, needs_recordings, quotes


@pytest.mark.parametrize("seed", ["auto", "sma"])
def test_they_are_what_lies_beyond_the_average(seed: str) -> None:
    ohlcv = walk(300, seed=75).ohlcv
    window = (("window", 21),)
    found = compute(Indicator("elder_ray", window, seed=seed), ohlcv)  # type: ignore[arg-type]
    ema = compute(Indicator("ema", window, seed=seed), ohlcv)["ema"]  # type: ignore[arg-type]
    assert np.array_equal(found["bull_power"], ohlcv[:, HIGH] - ema, equal_nan=True)
    assert np.array_equal(found["bear_power"], ohlcv[:, LOW] - ema, equal_nan=True)
    assert np.array_equal(found["bull_bear_power"], found["bull_power"] + found["bear_power"], equal_nan=True)


@needs_recordings
def test_stock_indicators() -> None:
    found = compute(Indicator("elder_ray", seed="sma"), quotes())
    assert_equal(found["bull_power"], expected("elder-ray", "bullPower"))
    assert_equal(found["bear_power"], expected("elder-ray", "bearPower"))
