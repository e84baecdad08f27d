"""The Schaff trend cycle, and what a bar without a value does to `ta`'s averages."""

from typing import Any

import numpy as np
import pytest

from schemas.conditions import ConditionError
from tests.streams.engine.candles import walk
from tests.streams.engine.indicators.likeness import assert_equals_ta, candles, flat_from, ours, ready, theirs

SHORT: dict[str, Any] = {"window_slow": 2, "window_fast": 1, "cycle": 2, "smooth1": 3, "smooth2": 1}


def test_it_places_the_line_in_its_cycle_and_the_average_of_that_in_its_own() -> None:
    # EMA of 1 less EMA of 2 (weight 2/3): closes 3, 6, 6, 9, 6, 9 give lines (from bar 2) 1, 1/3, 10/9, ...
    bars = candles([3.0, 6.0, 6.0, 9.0, 6.0, 9.0, 15.0])
    got = ours("stc", bars, **SHORT)
    # which rise and fall in turn: places 0, 100, 0, 100, 100, averaged (weight 1/2) 0, 50, 25, 62.5, 81.25, the
    # third of them the first that is defined: places 100 and 100
    assert np.isnan(got[:5]).all()
    assert got[5:].tolist() == [100.0, 100.0]


def test_a_market_that_never_moved_is_missing_as_it_is_in_ta() -> None:
    bars = candles([5.0] * 120)
    assert np.isnan(ours("stc", bars)).all()
    assert np.isnan(theirs("stc", bars)).all()


def test_a_market_long_at_rest_is_missing_where_ta_carries_its_last_value_on() -> None:
    bars = flat_from(walk(900, seed=3).ohlcv, 100)
    short: dict[str, Any] = {"window_slow": 5, "window_fast": 3, "cycle": 4}
    assert np.isnan(ours("stc", bars, **short)[-1])
    assert np.isfinite(theirs("stc", bars, **short)[-1])


@pytest.mark.parametrize("params", [(50, 23, 10, 3, 3), (12, 5, 4, 5, 2), (26, 12, 30, 10, 1)])
def test_equals_ta(params: tuple[int, ...]) -> None:
    given = dict(zip(("window_slow", "window_fast", "cycle", "smooth1", "smooth2"), params, strict=True))
    for seed in (1, 2):
        assert_equals_ta("stc", walk(400, seed=seed, start=0.07, decimals=6).ohlcv, **given)


def test_after_a_bar_of_0_by_0_ta_weighs_the_next_value_more() -> None:
    """With smooth1 1 and cycle 2 the inner average is 0 or 100, and two equal ones in a row are 0/0."""
    given: dict[str, Any] = {"window_slow": 5, "window_fast": 3, "cycle": 2, "smooth1": 1, "smooth2": 3}
    bars = candles([100.0, 110.0] * 10 + [120.0, 140.0, 170.0] + [100.0, 200.0] * 3)
    x, y = ours("stc", bars, **given), theirs("stc", bars, **given)
    begin = int(np.flatnonzero(np.isfinite(x))[0])
    gap = begin + int(np.flatnonzero(np.isnan(x[begin:]))[0])
    after = gap + int(np.flatnonzero(np.isfinite(x[gap:]))[0])
    before = x[gap - 1]
    place = 100.0 if x[after] > before else 0.0
    assert y[gap - 1] == before
    assert (y[gap:after] == before).all()  # carried on
    assert x[after] == (before + place) / 2
    assert abs(y[after] - place) < 0.75 * abs(x[after] - place)  # how much nearer depends on pandas' version


def test_the_top_of_every_cycle_is_100_and_not_nearly() -> None:
    """100·(x - lowest)/(highest - lowest) is 100.00000000000001 at the third of these rises: no 0/0 but a value."""
    given: dict[str, Any] = {"window_slow": 5, "window_fast": 3, "cycle": 2, "smooth1": 1, "smooth2": 1}
    bars = candles([100.0, 110.0] * 10 + [120.0, 140.0, 170.0])
    got = ours("stc", bars, **given)
    assert np.isfinite(got[10:20]).all()
    assert np.isnan(got[20:]).all()


def test_it_is_defined_on_a_moving_market_from_where_it_is_ready() -> None:
    (bars,) = ready("stc")
    got = ours("stc", walk(900, seed=7).ohlcv)
    assert np.isfinite(got[bars - 1 :]).all()


def test_its_readiness_adds_the_lines_both_cycles_and_both_averages() -> None:
    (line, _, _), (smooth,) = ready("macd", window_slow=50, window_fast=23), ready("ema", window=3)
    assert ready("stc") == (line + 9 + smooth + 9 + smooth,)


def test_a_fast_average_that_is_not_faster_and_a_cycle_of_one_bar_are_refused() -> None:
    with pytest.raises(ConditionError, match="window_fast"):
        ready("stc", window_fast=50)
    with pytest.raises(ConditionError, match="2 to"):
        ready("stc", cycle=1)
