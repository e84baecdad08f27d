"""The stochastic RSI; what `ta` prints where the RSI does not move, and where there is none."""

from typing import Any

import numpy as np
import pytest

from tests.streams.engine.candles import walk
from tests.streams.engine.indicators.likeness import assert_equals_ta, candles, flat_from, ours, ready, theirs

SMALL: dict[str, Any] = {"window": 2, "smooth1": 2, "smooth2": 2}
OUTPUTS = ("stochrsi", "stochrsi_k", "stochrsi_d")


def test_where_the_rsi_lies_among_the_last_ones() -> None:
    # RSI(2) from means: 100 at bar 3, 50 at bar 4, 83.3 at bar 5 and 6, 31.25 at bar 7, 80.4 at bar 8
    bars = candles([1.0, 2.0, 3.0, 2.0, 4.0, 4.0, 3.0, 5.0])
    line, k, d = (ours(output, bars, seed="auto", **SMALL) for output in OUTPUTS)
    assert np.isnan(line[:3]).all()
    assert line[3:5].tolist() == [0.0, 1.0]
    assert np.isnan(line[5]), "the same RSI twice: 0/0"
    assert line[6:].tolist() == [0.0, 1.0]
    assert k[4] == k[7] == 0.5
    assert np.isnan(k[5:7]).all()
    assert np.isnan(d).all()


def test_ta_divides_one_rounding_error_by_another_where_nothing_moves() -> None:
    bars = flat_from(walk(200, seed=10, start=67_123.45).ohlcv, 100)
    assert np.isfinite(theirs("stochrsi", bars)[114:]).any()
    for output in OUTPUTS:
        assert np.isnan(ours(output, bars)[114:]).all()


def test_ta_takes_a_strength_of_100_for_a_market_that_never_moved() -> None:
    """So the first fall afterwards is the lowest of a window of values that were none."""
    bars = candles([5.0] * 20 + [4.0])
    assert theirs("rsi", bars, window=5)[10] == 100.0
    assert theirs("stochrsi", bars, window=5)[-1] == 0.0
    assert np.isnan(ours("stochrsi", bars, window=5)[-1])


def test_after_a_flat_beginning_it_counts_from_the_first_strength() -> None:
    rest = walk(60, seed=2, start=5.0).ohlcv
    bars = np.vstack([candles([5.0] * 20), rest])
    moved = 20 + int(np.flatnonzero(rest[:, 3] != 5.0)[0])
    defined = np.flatnonzero(np.isfinite(ours("stochrsi", bars, window=5)))
    assert defined[0] == moved + 4


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("params", [(14, 3, 3), (9, 1, 7), (33, 20, 1)])
def test_equals_ta(output: str, params: tuple[int, int, int]) -> None:
    window, smooth1, smooth2 = params
    for seed in (1, 2):
        bars = walk(400, seed=seed).ohlcv
        assert_equals_ta(output, bars, window=window, smooth1=smooth1, smooth2=smooth2)


def test_windows_on_top_of_the_rsi_add_to_its_readiness() -> None:
    assert ready("rsi") == (95,)
    assert ready("stochrsi") == (95 + 13, 95 + 13 + 2, 95 + 13 + 2 + 2)
