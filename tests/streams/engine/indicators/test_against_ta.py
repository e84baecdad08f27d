"""Every output of every indicator against the `ta` library it is named after, with `ta`'s seed."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
import ta

from schemas.conditions import Indicator
from streams.engine import indicators
from streams.engine.bars import Floats
from streams.engine.market.compute import compute
from tests.streams.engine.candles import SHARED, recorded, walk

FUNCTIONS = [
    *(function for name in indicators.names() for function in indicators.lookup(name).functions),
    "rsi",
    "macd",
]
PARAMS = [{}, {"window": 5}, {"window": 33}]
# `ta` has values before the windows are full, some of them from the future; nothing may be compared there. Their own
# tests say which, and compare the rest.
EARLY = {
    "ichimoku_b", "keltner_channel_hband", "keltner_channel_hband_indicator", "keltner_channel_lband",
    "keltner_channel_lband_indicator", "keltner_channel_pband", "kst", "kst_sig",
}  # fmt: skip
# A close exactly on the band: whole numbers here, a rounding error in `ta` (their own test has it).
ON_THE_BAND = {"keltner_channel_hband_indicator", "keltner_channel_lband_indicator"}
# One trend at a time: half the bars have a value.
ONE_TREND = {"psar_up", "psar_down"}
# A bar of 0/0 makes `ta`'s averages weigh the next value more (its own test has it): the same up to the first one.
UNTIL_0_BY_0 = {"stc"}
# Functions of `ta` with another default than its class: 10 instead of 20 bars.
TEN = {"donchian_channel_mband", "donchian_channel_wband", "donchian_channel_pband"}


def columns(ohlcv: Floats) -> dict[str, "pd.Series[float]"]:
    names = ("open", "high", "low", "close", "volume")
    return {name: pd.Series(ohlcv[:, k]) for k, name in enumerate(names)}


def function_of(name: str) -> Callable[..., Any]:
    for module in (ta.trend, ta.momentum, ta.volatility, ta.volume, ta.others):
        if hasattr(module, name):
            found: Callable[..., Any] = getattr(module, name)
            return found
    raise LookupError(name)


def compare(function: str, params: dict[str, int], ohlcv: Floats) -> None:
    """|x - y| <= 1e-9·max(|y|, scale) wherever `ta` has a value that is one, and missing where it has
    none.
    """
    if function in TEN:
        params = {"window": 10, **params}
    leaf = indicators.canonical(Indicator(function, tuple(params.items()), seed="first"))
    ours = compute(leaf, ohlcv)[str(leaf.output)]
    call = function_of(function)
    inputs = call.__code__.co_varnames[: call.__code__.co_argcount]
    series = columns(ohlcv)
    given = {name: value for name, value in params.items() if name in inputs}
    theirs = call(*(series[name] for name in inputs if name in series), **given).to_numpy(float).copy()
    if function in EARLY:
        theirs[: np.flatnonzero(np.isfinite(ours))[0]] = np.nan
    if function in UNTIL_0_BY_0:
        gaps = np.flatnonzero(np.diff(np.isfinite(ours).astype(int)) < 0)
        ours, theirs = (values[: gaps[0] + 1 if len(gaps) else len(ohlcv)] for values in (ours, theirs))
    scale = np.nanmax(np.abs(theirs)) if np.isfinite(theirs).any() else 1.0
    both = np.isfinite(ours) & np.isfinite(theirs)
    assert both.sum() > len(ours) * (0.3 if function in ONE_TREND else 0.8)
    near = np.abs(ours - theirs)[both] <= 1e-9 * np.maximum(np.abs(theirs), scale)[both]
    assert np.count_nonzero(~near) <= (len(ohlcv) // 1_000 if function in ON_THE_BAND else 0)
    assert not np.isfinite(ours[~np.isfinite(theirs)]).any(), "a value where `ta` has none"
    only_theirs = np.isfinite(theirs) & ~np.isfinite(ours)
    warm_up_zeros = only_theirs & (theirs == 0.0)
    assert (only_theirs == warm_up_zeros).all() or function == "rsi", "missing where `ta` has a value"


def named(function: str, params: dict[str, int]) -> dict[str, int]:
    """A window by the names that the indicator has for it; nothing for one that has none."""
    names = {param.name for param in indicators.lookup(function).params}
    if not params or "window" in names:
        return params
    if "window_fast" in names:
        return {"window_slow": params["window"] + 4, "window_fast": params["window"]}
    return dict.fromkeys(names & {"lbp", "window1", "window2"}, params["window"])


@pytest.mark.parametrize("params", PARAMS, ids=str)
@pytest.mark.parametrize("function", FUNCTIONS)
def test_generated_candles(function: str, params: dict[str, int]) -> None:
    compare(function, named(function, params), walk(600, seed=11).ohlcv)


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.exists(), reason="the shared recordings are not beside the checkout")
@pytest.mark.parametrize("symbol", ["BTCUSDT", "ADAUSDT", "XRPUSDT"])
@pytest.mark.parametrize("function", FUNCTIONS)
def test_recorded_candles(function: str, symbol: str) -> None:
    compare(function, {}, recorded(symbol, 3_000).ohlcv)
