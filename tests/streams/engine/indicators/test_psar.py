"""The parabolic stop and reverse."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from ta.trend import PSARIndicator

from schemas.conditions import ConditionError
from streams.engine.bars import Floats
from streams.engine.indicators.psar import OUTPUTS
from streams.engine.kernels.readiness import AVERAGE
from tests.streams.engine.candles import walk
from tests.streams.engine.indicators.likeness import candles, flat_from, ours, ready, theirs_of


def all_of(bars: Floats, **params: Any) -> dict[str, Floats]:
    return {output: ours("psar", bars, output=output, **params) for output in OUTPUTS}


def test_it_follows_the_trend_faster_and_faster_and_turns_where_it_is_crossed() -> None:
    bars = candles(
        [9.0, 10.0, 12.0, 14.0, 9.0, 8.0],
        high=[10.0, 11.0, 13.0, 15.0, 14.0, 10.0],
        low=[8.0, 9.0, 11.0, 13.0, 8.5, 7.0],
    )
    got = all_of(bars, step=0.1, max_step=0.15)
    # 10 + 0.1·(10 - 10) = 10, held at the older low 8; extreme 13. 8 + 0.15·5 = 8.75; extreme 15.
    # 8.75 + 0.15·6.25 = 9.6875, crossed by the low 8.5: turns at 15, extreme 8.5. 15 - 0.1·6.5 = 14.35,
    # held at the older high 15.
    assert np.isnan(got["psar"][:2]).all()
    assert got["psar"][2:] == pytest.approx([8.0, 8.75, 15.0, 15.0])
    assert got["psar_up"][2:4] == pytest.approx([8.0, 8.75])
    assert got["psar_down"][4:] == pytest.approx([15.0, 15.0])
    assert np.isnan(got["psar_up"][4:]).all()
    assert np.isnan(got["psar_down"][:4]).all()
    assert got["psar_up_indicator"][2:].tolist() == [1.0, 0.0, 0.0, 0.0]
    assert got["psar_down_indicator"][2:].tolist() == [0.0, 0.0, 1.0, 0.0]


@pytest.mark.parametrize("params", [(0.02, 0.2), (0.1, 0.1), (0.5, 1.0), (0.001, 0.002)])
def test_equals_ta_from_the_third_bar_on(params: tuple[float, float]) -> None:
    given = {"step": params[0], "max_step": params[1]}
    for seed in (1, 2):
        bars = walk(300, seed=seed, start=0.07, decimals=6).ohlcv
        for output, x in all_of(bars, **given).items():
            y = theirs_of(PSARIndicator, output, bars, **given)
            assert np.isnan(x[:2]).all()
            assert np.array_equal(np.isfinite(x[2:]), np.isfinite(y[2:]))
            assert np.nanmax(np.abs(x - y)[2:], initial=0.0) <= 1e-9 * 0.07


def test_ta_prints_the_close_before_there_is_a_stop() -> None:
    bars = walk(50, seed=3).ohlcv
    assert theirs_of(PSARIndicator, "psar", bars)[:2].tolist() == bars[:2, 3].tolist()


def test_ta_holds_the_stop_at_the_older_low_even_where_the_younger_is_lower() -> None:
    bars = candles([9.0, 20.0, 21.0], high=[25.0, 21.0, 22.0], low=[19.0, 18.5, 20.9])
    assert theirs_of(PSARIndicator, "psar", bars)[2] == ours("psar", bars, output="psar")[2] == 19.0


def test_on_an_index_of_times_ta_returns_something_else() -> None:
    bars = walk(300, seed=4).ohlcv
    times = pd.date_range("2024-01-01", periods=300, freq="min")
    high, low, close = (pd.Series(bars[:, column], index=times) for column in (1, 2, 3))
    dated = PSARIndicator(high, low, close).psar().to_numpy(float)
    assert len(dated) > 300  # it writes some values to a number as the label: rows of their own
    assert np.nanmax(np.abs(dated[:300] - theirs_of(PSARIndicator, "psar", bars))) > 0.0


def test_a_market_at_rest_draws_the_stop_to_its_extreme_and_never_turns() -> None:
    assert (all_of(candles([0.07] * 60))["psar_up"][2:] == 0.07).all()
    got = all_of(flat_from(walk(700, seed=5).ohlcv, 100))
    assert got["psar_up_indicator"][160:].sum() == got["psar_down_indicator"][160:].sum() == 0.0
    assert abs(got["psar"][-1] - got["psar"][-2]) < 1e-6


def test_it_is_ready_when_the_slowest_would_have_forgotten_where_it_began() -> None:
    bars = ready("psar")
    assert bars == (344,) * 5
    assert 0.98 ** (bars[0] - 2) < AVERAGE <= 0.98 ** (bars[0] - 3)


@pytest.mark.parametrize("seed", range(20))
def test_two_beginnings_become_the_same(seed: int) -> None:
    end = walk(344, seed=seed).ohlcv
    other = np.vstack([walk(30, seed=seed + 100).ohlcv, end])
    assert ours("psar", end, output="psar")[-1] == pytest.approx(
        ours("psar", other, output="psar")[-1], rel=1e-12
    )


def test_a_step_above_the_largest_or_none_is_refused() -> None:
    with pytest.raises(ConditionError, match="max_step"):
        ready("psar", step=0.3)
    with pytest.raises(ConditionError, match=r"0\.001 to 1"):
        ready("psar", step=0.0)
