"""Where `ta`'s values are none: at which bars ours may differ from them, and of how many bars a value is made."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import ta

from streams.engine.bars import CLOSE, HIGH, LOW, Floats
from tests.streams.engine.indicators.ta_library import Mask, Params, Where


def first_bars(count: Callable[[Params], int]) -> Where:
    """The first `count` bars."""
    return lambda ohlcv, theirs, params: np.arange(len(ohlcv)) < count(params)


def zeros_of_first_bars(count: Callable[[Params], int]) -> Where:
    """Those among the first `count` bars at which `ta` prints 0."""
    return lambda ohlcv, theirs, params: (np.arange(len(ohlcv)) < count(params)) & (theirs == 0.0)


def _still(values: Floats, window: int) -> Mask:
    """Bars whose last `window` values are one number."""
    series = pd.Series(values)
    highest, lowest = series.rolling(window).max(), series.rolling(window).min()
    return np.asarray(highest == lowest)


def flat_so_far(ohlcv: Floats, theirs: Floats, params: Params) -> Mask:
    return np.asarray(ohlcv[:, CLOSE] == ohlcv[0, CLOSE]).cumprod().astype(bool)


def _reaches(mask: Mask, params: Params, smoothed: tuple[str, ...]) -> Mask:
    """Bars whose averages over `smoothed`, one after the other, reach to one of `mask`."""
    reach = sum(int(params[name]) - 1 for name in smoothed) + 1
    return np.asarray(pd.Series(mask.astype(float)).rolling(reach, min_periods=1).max() > 0.0)


def flat_rsi(*smoothed: str) -> Where:
    """Where the RSI's window saw one close only."""
    return lambda ohlcv, theirs, params: _reaches(
        _still(ohlcv[:, CLOSE], int(params["window"])), params, smoothed
    )


def extreme_rsi(*smoothed: str) -> Where:
    """Where the RSI's window holds nothing but what rounding leaves of 0 or 100."""

    def where(ohlcv: Floats, theirs: Floats, params: Params) -> Mask:
        window = int(params["window"])
        rsi = ta.momentum.RSIIndicator(pd.Series(ohlcv[:, CLOSE]), window).rsi().rolling(window)
        return _reaches(np.asarray((rsi.max() < 1e-6) | (rsi.min() > 100.0 - 1e-6)), params, smoothed)

    return where


def after_no_range(ohlcv: Floats, theirs: Floats, params: Params) -> Mask:
    """From a bar on at which one of STC's two stochastics divides 0 by 0, as long as that may be felt."""
    names = ("window_slow", "window_fast", "cycle", "smooth1", "smooth2")
    slow, fast, cycle, smooth1, smooth2 = (int(params[name]) for name in names)
    close = pd.Series(ohlcv[:, CLOSE])
    line = _ema(close, fast) - _ema(close, slow)
    felt, begins = np.zeros(len(ohlcv), bool), slow + cycle - 2
    for smooth in (smooth1, smooth2):
        lowest, highest = line.rolling(cycle).min(), line.rolling(cycle).max()
        line = _ema(100 * (line - lowest) / (highest - lowest), smooth)
        without = np.flatnonzero(np.asarray(highest == lowest))
        for t in without[without >= begins].tolist():
            felt[t : t + cycle + 30 * (smooth1 + smooth2)] = True
        begins += smooth + cycle - 2
    return felt


def _ema(values: "pd.Series[float]", window: int) -> "pd.Series[float]":
    return values.ewm(span=window, min_periods=window, adjust=False).mean()


def flat_typical(ohlcv: Floats, theirs: Floats, params: Params) -> Mask:
    return _still((ohlcv[:, HIGH] + ohlcv[:, LOW] + ohlcv[:, CLOSE]) / 3.0, int(params["window"]))


def window_of(params: Params) -> int:
    return int(params["window"])


def keltner_begins(params: Params) -> int:
    atr = 0 if params["original_version"] else int(params["window_atr"])
    return max(window_of(params), atr) - 1


def keltner_memory(params: Params) -> int:
    return window_of(params) if params["original_version"] else 0


def on_a_keltner_band(ohlcv: Floats, theirs: Floats, params: Params) -> Mask:
    """Bars that close on one of the bands, but for what rounding left."""
    names = ("high", "low", "close")
    columns = [pd.Series(ohlcv[:, column]) for column in (HIGH, LOW, CLOSE)]
    channel = ta.volatility.KeltnerChannel(**dict(zip(names, columns, strict=True)), **params)
    close = ohlcv[:, CLOSE]
    bands = (channel.keltner_channel_hband().to_numpy(), channel.keltner_channel_lband().to_numpy())
    with np.errstate(invalid="ignore"):
        return np.asarray(np.any([np.abs(close - band) <= 1e-12 * np.abs(close) for band in bands], axis=0))


def kst_begins(params: Params) -> int:
    return max(int(params[f"roc{k}"] + params[f"window{k}"]) for k in range(1, 5)) - 1


def kst_memory(params: Params) -> int:
    return kst_begins(params) + int(params["nsig"])
