"""The rate of change of a triple average, and the first bar that `ta` compares with the future."""

import numpy as np
import pytest

from streams.engine.kernels.readiness import DIFFERENCE, span
from tests.streams.engine.candles import walk
from tests.streams.engine.indicators.likeness import assert_equals_ta, candles, flat_from, ours, ready, theirs


def test_it_is_the_change_of_an_average_of_an_average_of_an_average() -> None:
    got = ours("trix", candles([3.0, 6.0, 6.0, 3.0, 6.0]), window=2)
    # weight 2/3, each average from where the one before has had two values
    first = [5.0, 17 / 3, 35 / 9, 143 / 27]
    second = [first[0]]
    for x in first[1:]:
        second.append(second[-1] + 2 / 3 * (x - second[-1]))
    third = [second[1]]
    for x in second[2:]:
        third.append(third[-1] + 2 / 3 * (x - third[-1]))
    assert np.isnan(got[:4]).all()
    assert got[4] == pytest.approx(100 * (third[2] - third[1]) / third[1])


def test_a_market_at_rest_changes_nothing_exactly() -> None:
    assert ours("trix", candles([0.07] * 60))[44:].tolist() == [0.0] * 16
    assert abs(ours("trix", flat_from(walk(400, seed=3).ohlcv, 50))[-1]) < 1e-12


@pytest.mark.parametrize("window", [15, 2, 33])
def test_equals_ta(window: int) -> None:
    for seed in (1, 2):
        assert_equals_ta("trix", walk(300, seed=seed, start=0.07, decimals=6).ohlcv, window=window)


def test_ta_compares_the_first_bar_of_window_1_with_the_mean_of_the_future() -> None:
    short, long = candles([10.0, 11.0, 12.0]), candles([10.0, 11.0, 12.0, 50.0])
    assert theirs("trix", short, window=1)[0] != theirs("trix", long, window=1)[0]
    assert np.isnan(ours("trix", long, window=1)[0])
    assert ours("trix", long, window=1)[1:] == pytest.approx(theirs("trix", long, window=1)[1:])


def test_it_is_ready_when_the_change_of_the_cascade_has_forgotten() -> None:
    (bars,) = ready("trix")
    one = span(15) * (1.0 - span(15)) ** np.arange(3_000)
    response = np.abs(np.diff(np.convolve(np.convolve(one, one)[:3_000], one)[:3_000], prepend=0.0))
    assert response[bars:].sum() < DIFFERENCE <= response[bars - 1 :].sum()


def test_the_seed_of_all_three_averages_may_be_a_mean() -> None:
    bars = walk(200, seed=5).ohlcv
    first, mean = ours("trix", bars), ours("trix", bars, seed="sma")
    assert first[44] != mean[44]
    assert first[-1] == pytest.approx(mean[-1], abs=1e-6)
