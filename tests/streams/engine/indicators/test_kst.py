"""The know sure thing, and the bars for which `ta` looks into the future."""

from typing import Any

import numpy as np
import pytest
from ta.trend import KSTIndicator

from tests.streams.engine.candles import walk
from tests.streams.engine.indicators.likeness import candles, flat_from, ours, ready, theirs, theirs_of

OUTPUTS = ("kst", "kst_sig", "kst_diff")
SHORT: dict[str, Any] = {
    "roc1": 1, "roc2": 2, "roc3": 2, "roc4": 3, "window1": 2, "window2": 1, "window3": 2, "window4": 1, "nsig": 2,
}  # fmt: skip


def test_it_weighs_the_means_of_four_changes() -> None:
    bars = candles([1.0, 2.0, 4.0, 2.0, 2.0])
    got = ours("kst", bars, **SHORT)
    assert np.isnan(got[:3]).all()
    # changes of 1: 1, 1, -1/2, 0; of 2: 3, 0, -1/2; of 3: 1, 0
    by_hand = [100 * (1 / 4 + 2 * 0 + 3 * 3 / 2 + 4 * 1), 100 * (-1 / 4 + 2 * -1 / 2 + 3 * -1 / 4 + 4 * 0)]
    assert got[3:] == pytest.approx(by_hand)
    signal, diff = ours("kst_sig", bars, **SHORT), ours("kst", bars, output="kst_diff", **SHORT)
    assert np.isnan(signal[:4]).all()
    assert signal[4] == pytest.approx(sum(by_hand) / 2)
    assert diff[4] == pytest.approx(by_hand[1] - sum(by_hand) / 2)


def test_a_market_at_rest_is_0_exactly_whatever_came_before() -> None:
    bars = flat_from(walk(140, seed=3, start=0.07, decimals=12).ohlcv, 60)
    assert [ours("kst", bars, output=output)[-1] for output in OUTPUTS] == [0.0, 0.0, 0.0]


def test_ta_reads_the_future_until_bar_52() -> None:
    bars = walk(200, seed=4).ohlcv
    other = bars.copy()
    other[100:, :4] *= 2.0
    for function, first, last in (("kst", 14, 43), ("kst_sig", 14, 51)):
        differ = np.flatnonzero(np.abs(theirs(function, bars) - theirs(function, other))[:100] > 1e-9)
        assert (differ[0], differ[-1]) == (first, last)
        assert np.array_equal(ours(function, bars)[:100], ours(function, other)[:100], equal_nan=True)
        assert np.isnan(ours(function, bars)[: last + 1]).all()


@pytest.mark.parametrize("params", [{}, SHORT, {"roc1": 40, "window2": 33, "nsig": 1}], ids=str)
def test_equals_ta_once_the_future_is_out_of_the_windows(params: dict[str, Any]) -> None:
    for seed in (1, 2):
        bars = walk(300, seed=seed, start=0.07, decimals=6).ohlcv
        for output, bar in zip(OUTPUTS, ready("kst", **params), strict=True):
            x = ours("kst", bars, output=output, **params)
            y = theirs_of(KSTIndicator, output, bars, **params)
            assert np.isnan(x[: bar - 1]).all()
            assert np.isfinite(x[bar - 1 :]).all()
            assert np.all(np.abs(x - y)[bar - 1 :] <= 1e-9 * np.abs(y[bar - 1 :]).max() + 1e-12)


def test_it_is_ready_where_it_is_defined() -> None:
    assert ready("kst") == (45, 53, 53)
