"""The average directional index and its two parts, and the zeros that `ta` starts with."""

import numpy as np
import pytest

from streams.engine.bars import Floats
from streams.engine.kernels.readiness import AVERAGE
from tests.streams.engine.candles import walk
from tests.streams.engine.indicators.likeness import candles, flat_from, ours, ready, theirs

OUTPUTS = ("adx", "adx_pos", "adx_neg")
BARS = candles(
    [9.0, 11.0, 11.0, 8.0, 9.0],
    high=[10.0, 12.0, 12.0, 11.0, 10.0],
    low=[8.0, 10.0, 9.0, 8.0, 8.0],
)


def without_zeros(function: str, bars: Floats, window: int) -> Floats:
    """`ta`'s values from the first bar on that is one."""
    values = theirs(function, bars, window=window).copy()
    first = 2 * window - 1 if function == "adx" else window + 1
    assert (values[:first] == 0.0).all()
    values[:first] = np.nan
    return values


def test_it_averages_the_larger_movement_of_each_bar_against_true_ranges() -> None:
    # up 2, 0, 0, 0; down 0, 1, 1, 0; true ranges 3, 3, 3, 2; with Wilder's window of 2:
    # up 1, 1/2, 1/4; down 1/2, 3/4, 3/8; ranges 3, 3, 5/2; DX 100/3, 20, 20
    pos, neg, adx = (ours(name, BARS, window=2) for name in ("adx_pos", "adx_neg", "adx"))
    assert np.isnan(pos[:3]).all()
    assert pos[3:] == pytest.approx([100 / 6, 10.0])
    assert neg[3:] == pytest.approx([25.0, 15.0])
    assert np.isnan(adx[:3]).all()
    assert adx[3:] == pytest.approx([(100 / 3 + 20) / 2, (100 / 3 + 60) / 4])


def test_equal_movements_up_and_down_count_as_none() -> None:
    bars = candles([5.0] * 20, high=[float(6 + k) for k in range(20)], low=[float(4 - k) for k in range(20)])
    assert [ours(name, bars, window=3)[-1] for name in OUTPUTS] == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("window", [14, 1, 2, 33])
@pytest.mark.parametrize("function", OUTPUTS)
def test_equals_ta_but_for_the_zeros_it_starts_with(function: str, window: int) -> None:
    for seed in (1, 2):
        bars = walk(400, seed=seed).ohlcv
        if window == 1:  # a bar without a range is 0/0, of which `ta` makes 0
            bars = bars[bars[:, 1] > bars[:, 2]]
        x, y = ours(function, bars, window=window), without_zeros(function, bars, window)
        assert np.array_equal(np.isfinite(x), np.isfinite(y))
        assert np.nanmax(np.abs(x - y)) <= 1e-9 * 100.0


def test_nothing_moved_is_missing_where_ta_prints_zeros() -> None:
    bars = candles([5.0] * 60)
    for function in OUTPUTS:
        assert np.isnan(ours(function, bars)).all()
        assert (theirs(function, bars) == 0.0).all()


def test_a_market_at_rest_keeps_its_strength_until_nothing_is_left_of_it() -> None:
    bars = flat_from(walk(3_000, seed=3).ohlcv, 100)
    for function in OUTPUTS:
        got = ours(function, bars, window=3)
        assert np.isfinite(got[110:500]).all()
        assert np.isnan(got[2_500:]).all()


def test_it_is_ready_when_the_cascade_has_forgotten() -> None:
    adx, pos, neg = ready("adx")
    assert (adx, pos, neg) == (126, 95, 95)
    one = (1 / 14) * (13 / 14) ** np.arange(2_000)
    response = np.convolve(one, one)[:2_000]
    n = adx - 1  # the first bar has no movement
    assert response[n:].sum() < AVERAGE <= response[n - 1 :].sum()
    assert ready("adx", window=1) == (2, 3, 3)
