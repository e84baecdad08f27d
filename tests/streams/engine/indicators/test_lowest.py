"""Lowest of a window against numpy's."""

import numpy as np
import pytest

from schemas.conditions import Indicator
from streams.engine.bars import CLOSE, LOW
from streams.engine.market.compute import compute
from tests.streams.engine.candles import walk


@pytest.mark.parametrize("output, column", [("low", LOW), ("close", CLOSE)])
@pytest.mark.parametrize("window", [1, 2, 10, 77])
def test_it_is_the_windows_lowest(output: str, column: int, window: int) -> None:
    ohlcv = walk(400, seed=73).ohlcv
    found = compute(Indicator("lowest", (("window", window),)), ohlcv)[output]
    wanted = np.lib.stride_tricks.sliding_window_view(ohlcv[:, column], window).min(axis=1)
    assert np.array_equal(found[window - 1 :], wanted)
    assert np.isnan(found[: window - 1]).all()
