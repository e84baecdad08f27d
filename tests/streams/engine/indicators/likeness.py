"""What the tests of single indicators share: small candles by hand, and `ta`'s functions on the same bars."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import ta

from schemas.conditions import Indicator, Seed
from streams.engine import indicators
from streams.engine.bars import Floats
from streams.engine.market.compute import compute
from streams.engine.market.nodes import Node, key_of

NAMES = ("open", "high", "low", "close", "volume")
MODULES = (ta.momentum, ta.volume, ta.trend, ta.volatility, ta.others)


def candles(
    close: Sequence[float],
    *,
    high: Sequence[float] | None = None,
    low: Sequence[float] | None = None,
    volume: Sequence[float] | None = None,
) -> Floats:
    """Bars float64[n, 5]; without highs and lows they have no range, without volumes each has 1."""
    volumes = np.ones(len(close)) if volume is None else volume
    columns = [close, close if high is None else high, close if low is None else low, close, volumes]
    return np.column_stack([np.asarray(column, float) for column in columns])


def flat_from(ohlcv: Floats, row: int) -> Floats:
    """The same bars, standing still at the close before `row` from there on, volumes as they were."""
    still = ohlcv.copy()
    still[row:, :4] = ohlcv[row - 1, 3]
    return still


def ours(
    function: str, ohlcv: Floats, *, seed: Seed = "first", output: str | None = None, **params: float
) -> Floats:
    """What our indicator gives for `ta`'s function of that name, or for our name and an `output`."""
    leaf = indicators.canonical(Indicator(function, tuple(params.items()), output=output, seed=seed))
    return compute(leaf, ohlcv)[str(leaf.output)]


def theirs(function: str, ohlcv: Floats, **params: float) -> Floats:
    """What `ta` gives."""
    call: Callable[..., Any] = next(getattr(m, function) for m in MODULES if hasattr(m, function))
    result: Floats = call(*_inputs(call, ohlcv), **params).to_numpy(float)
    return result


def theirs_of(kind: type, method: str, ohlcv: Floats, **params: float) -> Floats:
    """What `ta` gives by a class, for outputs and parameters that it has no function for."""
    call: Callable[..., Any] = kind.__init__  # type: ignore[misc] # that of the class
    result: Floats = getattr(kind(*_inputs(call, ohlcv), **params), method)().to_numpy(float)
    return result


def _inputs(call: Callable[..., Any], ohlcv: Floats) -> list["pd.Series[float]"]:
    """The columns that `call` takes, in its order."""
    series = {name: pd.Series(ohlcv[:, k]) for k, name in enumerate(NAMES)}
    inputs = call.__code__.co_varnames[: call.__code__.co_argcount]
    return [series[name] for name in inputs if name in series]


def assert_equals_ta(function: str, ohlcv: Floats, **params: Any) -> None:
    """`assert_like` for what `ta`'s function gives."""
    assert_like(ours(function, ohlcv, seed="first", **params), theirs(function, ohlcv, **params))


def assert_like(x: Floats, y: Floats) -> None:
    """Missing at the same bars, and |x - y| <= 1e-9·max(|y|, largest |y|) at the others."""
    assert np.isfinite(y).any()
    assert np.array_equal(np.isfinite(x), np.isfinite(y)), "missing at other bars"
    there = np.isfinite(y)
    assert np.all(np.abs(x - y)[there] <= 1e-9 * np.abs(y[there]).max())


def ready(name: str, **params: float) -> tuple[int, ...]:
    """From which bar on each output may fire."""
    return Node(key_of(Indicator(name, tuple(params.items())))[0]).ready
