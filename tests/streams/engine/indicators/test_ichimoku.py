"""Ichimoku, not displaced."""

from typing import Any

import numpy as np
import pytest

from schemas.conditions import ConditionError
from tests.streams.engine.candles import walk
from tests.streams.engine.indicators.likeness import assert_equals_ta, candles, flat_from, ours, ready, theirs

LINES = ("conversion_line", "base_line", "a", "b")
PARAMS = {
    "conversion_line": ("window1", "window2"),
    "base_line": ("window1", "window2"),
    "a": ("window1", "window2"),
    "b": ("window2", "window3"),
}


def line(name: str) -> str:
    return f"ichimoku_{name}"


def test_its_lines_are_middles_of_what_the_windows_span() -> None:
    bars = candles([4.0, 6.0, 5.0, 8.0], high=[5.0, 7.0, 6.0, 9.0], low=[3.0, 5.0, 1.0, 7.0])
    windows: dict[str, Any] = {"window1": 1, "window2": 2, "window3": 3}
    got = {name: ours(line(name), bars, **windows) for name in LINES}
    assert got["conversion_line"].tolist() == [4.0, 6.0, 3.5, 8.0]
    assert got["base_line"][1:].tolist() == [5.0, 4.0, 5.0]
    assert got["a"][1:].tolist() == [5.5, 3.75, 6.5]
    assert got["b"][2:].tolist() == [4.0, 5.0]
    assert [int(np.isnan(values).sum()) for values in got.values()] == [0, 1, 1, 2]


def test_a_flat_window_is_its_price_exactly_whatever_came_before() -> None:
    bars = flat_from(walk(140, seed=3, start=0.07, decimals=12).ohlcv, 60)
    assert [ours(line(name), bars)[-1] for name in LINES] == [bars[-1, 3]] * 4


@pytest.mark.parametrize("windows", [(9, 26, 52), (1, 1, 1), (7, 3, 2)])
@pytest.mark.parametrize("name", LINES[:3])
def test_equals_ta(name: str, windows: tuple[int, int, int]) -> None:
    params = dict(zip(("window1", "window2", "window3"), windows, strict=True))
    given = {key: params[key] for key in PARAMS[name]}
    for seed in (1, 2):
        assert_equals_ta(line(name), walk(300, seed=seed, start=0.07, decimals=6).ohlcv, **given)


@pytest.mark.parametrize("window", [52, 2, 100])
def test_b_equals_ta_but_for_what_ta_prints_before_its_window_is_full(window: int) -> None:
    for seed in (1, 2):
        bars = walk(300, seed=seed, start=0.07, decimals=6).ohlcv
        x, y = ours(line("b"), bars, window3=window), theirs(line("b"), bars, window3=window)
        assert np.isfinite(y[: window - 1]).all()
        assert np.isnan(x[: window - 1]).all()
        assert x[window - 1 :] == pytest.approx(y[window - 1 :], rel=1e-12)


def test_tas_visual_form_looks_into_the_future_and_is_refused() -> None:
    bars = walk(120, seed=4).ohlcv
    other = bars.copy()
    other[80:, :4] *= 2.0
    for name in ("a", "b"):
        one, two = (theirs(line(name), each, visual=True) for each in (bars, other))
        assert np.flatnonzero(np.nan_to_num(one - two)[:80]).tolist() == list(range(26))
    with pytest.raises(ConditionError, match="window1, window2, window3"):
        ready("ichimoku", visual=1)


def test_it_is_ready_where_it_is_defined() -> None:
    assert ready("ichimoku") == (9, 26, 26, 52)
