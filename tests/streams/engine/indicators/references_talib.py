"""TA-Lib's functions beside our indicators, on generated candles."""

import json
from functools import cache
from typing import Final

import numpy as np
from talib import abstract

from streams.engine.bars import BarArrays, Floats
from tests.streams.engine.candles import walk
from tests.streams.engine.indicators.reference import Reference

BARS: Final = 3_000
INPUTS: Final = ("open", "high", "low", "close", "volume")
SOURCE: Final = "TA-Lib"


@cache
def candles() -> BarArrays:
    """The bars that every function is given."""
    return walk(BARS, seed=41, decimals=5)


@cache
def theirs(series: str) -> Floats:
    """What TA-Lib computes for `series`, such as `MACD(fastperiod=12)[macdsignal]`."""
    call, _, output = series.removesuffix("]").partition("[")
    name, _, given = call.removesuffix(")").partition("(")
    params = {
        key: json.loads(value) for key, value in (part.split("=") for part in given.split(", ") if part)
    }
    function = getattr(abstract, name)
    columns = {
        name: np.ascontiguousarray(column) for name, column in zip(INPUTS, candles().ohlcv.T, strict=True)
    }
    values = function(columns, **params)
    if not output:
        return np.asarray(values, float)
    return np.asarray(values[function.output_names.index(output)], float)


def _row(series: str, name: str, output: str, first: int = 1, **more: object) -> Reference:
    return Reference(SOURCE, series, name, output, first=first, **more)  # type: ignore[arg-type]


_OTHER_START = "starts another way; equal once that is forgotten"

REFERENCES: Final[tuple[Reference, ...]] = (
    _row("SMA(timeperiod=20)", "sma", "sma", params={"window": 20}),
    _row("EMA(timeperiod=20)", "ema", "ema", params={"window": 20}, seed="sma"),
    _row("WMA(timeperiod=14)", "wma", "wma", params={"window": 14}),
    _row("KAMA(timeperiod=10)", "kama", "kama", why=_OTHER_START),
    _row("TRIX(timeperiod=15)", "trix", "trix", seed="sma"),
    _row("HMA(timeperiod=9)", "hma", "hma"),
    _row("LINEARREG(timeperiod=14)", "linreg", "linreg"),
    _row("LINEARREG_SLOPE(timeperiod=14)", "linreg", "slope"),
    _row("STDDEV(timeperiod=20)", "stdev", "stdev"),
    _row("MOM(timeperiod=10)", "mom", "mom"),
    _row("MAX(timeperiod=10)", "highest", "close"),
    _row("MIN(timeperiod=10)", "lowest", "close"),
    _row("RSI(timeperiod=14)", "rsi", "rsi"),
    _row("STOCHF(fastk_period=14, fastd_period=3)[fastk]", "stochastic", "stoch"),
    _row("STOCHF(fastk_period=14, fastd_period=3)[fastd]", "stochastic", "stoch_signal"),
    _row("STOCH(fastk_period=14, slowk_period=3, slowd_period=3)[slowk]", "stochastic", "stoch_signal"),
    _row("STOCHRSI(timeperiod=14, fastk_period=14, fastd_period=3)[fastk]", "stochrsi", "stochrsi", factor=100.0),
    _row("STOCHRSI(timeperiod=14, fastk_period=14, fastd_period=3)[fastd]", "stochrsi", "stochrsi_k", factor=100.0),
    _row("WILLR(timeperiod=14)", "williams_r", "williams_r"),
    _row("ROC(timeperiod=12)", "roc", "roc"),
    _row("PPO(fastperiod=12, slowperiod=26, matype=1)", "ppo", "ppo", seed="sma"),
    _row("MACD(fastperiod=12, slowperiod=26, signalperiod=9)[macd]", "macd", "macd", first=136, seed="sma",
         why=_OTHER_START),
    _row("MACD(fastperiod=12, slowperiod=26, signalperiod=9)[macdsignal]", "macd", "macd_signal", first=144, seed="sma",
         why=_OTHER_START),
    _row("MACD(fastperiod=12, slowperiod=26, signalperiod=9)[macdhist]", "macd", "macd_diff", first=149, seed="sma",
         why=_OTHER_START),
    _row("BBANDS(timeperiod=20)[upperband]", "bollinger", "hband"),
    _row("BBANDS(timeperiod=20)[middleband]", "bollinger", "mavg"),
    _row("BBANDS(timeperiod=20)[lowerband]", "bollinger", "lband"),
    _row("ATR(timeperiod=14)", "atr", "atr", first=244, why=_OTHER_START),
    _row("ADX(timeperiod=14)", "adx", "adx", first=283, why=_OTHER_START),
    _row("PLUS_DI(timeperiod=14)", "adx", "adx_pos", first=234, why=_OTHER_START),
    _row("MINUS_DI(timeperiod=14)", "adx", "adx_neg", first=224, why=_OTHER_START),
    _row("AROON(timeperiod=25)[aroonup]", "aroon", "aroon_up"),
    _row("AROON(timeperiod=25)[aroondown]", "aroon", "aroon_down"),
    _row("AROONOSC(timeperiod=25)", "aroon", "aroon_indicator"),
    _row("CCI(timeperiod=20)", "cci", "cci"),
    _row("OBV()", "obv", "obv", level=False, why="begins with the first volume instead of 0"),
    _row("AD()", "adi", "adi"),
    _row("MFI(timeperiod=14)", "mfi", "mfi"),
    _row("ULTOSC(timeperiod1=7, timeperiod2=14, timeperiod3=28)", "ultimate_oscillator", "ultimate_oscillator"),
)  # fmt: skip
