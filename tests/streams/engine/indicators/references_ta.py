"""All of `ta`'s classes and their outputs: which indicator and output of ours each is, with which parameters they
are compared, and where they are not the same, with the reason.

Three reasons are accepted: `ta` looks into the future, it prints a number where it has none, or it divides what
rounding left of nothing (or nothing itself) by nothing.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, Final, TypeAlias

import numpy as np
import pandas as pd
import ta
from numpy.typing import NDArray

from streams.engine.bars import CLOSE, HIGH, LOW, Floats

Mask: TypeAlias = NDArray[np.bool_]
Ints: TypeAlias = NDArray[np.int64]
Params: TypeAlias = Mapping[str, float]
# From bars float64[n, 5], `ta`'s values and the parameters in force: at which bars the two may differ.
Where: TypeAlias = Callable[[Floats, Floats, Params], Mask]

MODULES: Final[tuple[ModuleType, ...]] = (ta.momentum, ta.trend, ta.volatility, ta.volume, ta.others)
INPUTS: Final = ("open", "high", "low", "close", "volume")


@dataclass(frozen=True)
class Excepted:
    """Bars `where` our values are not `ta`'s, and `why`. `missing`: ours are missing at every one of them."""

    why: str
    where: Where
    outputs: tuple[str, ...]
    missing: bool = True


@dataclass(frozen=True)
class TaClass:
    """One class of `ta`: `outputs` maps its methods to our outputs; `params` are tried on both, `fixed` on `ta` alone.

    `memory`: of how many bars its values are made. pandas keeps running sums over windows, and they keep what
    rounding did to bars that have left: where a value differs, `ta` over those bars alone must not (0: it depends on
    all bars). `ratio`: the
    values are percents, whatever the prices are: differences are parts of the largest of them.
    """

    cls: str
    name: str
    outputs: Mapping[str, str]
    params: tuple[Params, ...]
    excepted: tuple[Excepted, ...] = ()
    fixed: Mapping[str, Any] = field(default_factory=dict)
    memory: Callable[[Params], int] | None = None
    ratio: bool = False


def classes_of_ta() -> dict[str, type]:
    """Every indicator class that `ta` has, found by looking."""
    return {
        name: cls
        for module in MODULES
        for name, cls in inspect.getmembers(module, inspect.isclass)
        if cls.__module__ == module.__name__ and issubclass(cls, ta.utils.IndicatorMixin)
    }


def outputs_of(cls: type) -> list[str]:
    """The public methods of one of `ta`'s classes: its outputs."""
    return [name for name, _ in inspect.getmembers(cls, inspect.isfunction) if not name.startswith("_")]


def inputs_of(cls: type) -> list[str]:
    """Which columns of a bar the class takes."""
    return [name for name in inspect.signature(cls).parameters if name in INPUTS]


def run(case: TaClass, ohlcv: Floats, params: Params) -> dict[str, Floats]:
    """What `ta` computes: our output to float64[n]."""
    cls = classes_of_ta()[case.cls]
    columns = {name: pd.Series(ohlcv[:, INPUTS.index(name)]) for name in inputs_of(cls)}
    made = cls(**columns, **params, **case.fixed)
    with np.errstate(all="ignore"):
        return {ours: getattr(made, theirs)().to_numpy(float) for theirs, ours in case.outputs.items()}


def in_force(case: TaClass, params: Params) -> Params:
    """`params` with `ta`'s defaults filled in."""
    signature = inspect.signature(classes_of_ta()[case.cls]).parameters
    defaults = {name: p.default for name, p in signature.items() if p.default is not inspect.Parameter.empty}
    return defaults | dict(params)


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


def _flat_so_far(ohlcv: Floats, theirs: Floats, params: Params) -> Mask:
    return np.asarray(ohlcv[:, CLOSE] == ohlcv[0, CLOSE]).cumprod().astype(bool)


def _reaches(mask: Mask, params: Params, smoothed: tuple[str, ...]) -> Mask:
    """Bars whose averages over `smoothed`, one after the other, reach to one of `mask`."""
    reach = sum(int(params[name]) - 1 for name in smoothed) + 1
    return np.asarray(pd.Series(mask.astype(float)).rolling(reach, min_periods=1).max() > 0.0)


def _flat_rsi(*smoothed: str) -> Where:
    """Where the RSI's window saw one close only."""
    return lambda ohlcv, theirs, params: _reaches(
        _still(ohlcv[:, CLOSE], int(params["window"])), params, smoothed
    )


def _extreme_rsi(*smoothed: str) -> Where:
    """Where the RSI's window holds nothing but what rounding leaves of 0 or 100."""

    def where(ohlcv: Floats, theirs: Floats, params: Params) -> Mask:
        window = int(params["window"])
        rsi = ta.momentum.RSIIndicator(pd.Series(ohlcv[:, CLOSE]), window).rsi().rolling(window)
        return _reaches(np.asarray((rsi.max() < 1e-6) | (rsi.min() > 100.0 - 1e-6)), params, smoothed)

    return where


def _after_no_range(ohlcv: Floats, theirs: Floats, params: Params) -> Mask:
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


def _flat_typical(ohlcv: Floats, theirs: Floats, params: Params) -> Mask:
    return _still((ohlcv[:, HIGH] + ohlcv[:, LOW] + ohlcv[:, CLOSE]) / 3.0, int(params["window"]))


def _window(params: Params) -> int:
    return int(params["window"])


def _keltner_begins(params: Params) -> int:
    atr = 0 if params["original_version"] else int(params["window_atr"])
    return max(_window(params), atr) - 1


def _keltner_memory(params: Params) -> int:
    return _window(params) if params["original_version"] else 0


def _kst_begins(params: Params) -> int:
    return max(int(params[f"roc{k}"] + params[f"window{k}"]) for k in range(1, 5)) - 1


def _kst_memory(params: Params) -> int:
    return _kst_begins(params) + int(params["nsig"])


def _warm_up(outputs: tuple[str, ...], count: Callable[[Params], int]) -> Excepted:
    return Excepted("prints 0 before it has a value", zeros_of_first_bars(count), outputs)


def _windows(*windows: int) -> tuple[Params, ...]:
    return ({}, *({"window": window} for window in windows))


SLOW_FAST: Final[tuple[Params, ...]] = (
    {},
    {"window_slow": 9, "window_fast": 5, "window_sign": 3},
    {"window_slow": 37, "window_fast": 33, "window_sign": 21},
)
NOT_FULL: Final = "prints numbers of a window that is not full"
FLAGS: Final = ("hband_indicator", "lband_indicator")

CLASSES: Final[tuple[TaClass, ...]] = (
    # momentum
    TaClass("AwesomeOscillatorIndicator", "awesome_oscillator", {"awesome_oscillator": "awesome_oscillator"},
            ({}, {"window1": 2, "window2": 9}, {"window1": 20, "window2": 71}),
            memory=lambda p: int(p["window2"])),
    TaClass("KAMAIndicator", "kama", {"kama": "kama"},
            ({}, {"window": 3, "pow1": 3, "pow2": 10}, {"window": 40, "pow1": 2, "pow2": 60})),
    TaClass("PercentagePriceOscillator", "ppo", {"ppo": "ppo", "ppo_signal": "ppo_signal", "ppo_hist": "ppo_hist"},
            SLOW_FAST, ratio=True),
    TaClass("PercentageVolumeOscillator", "pvo", {"pvo": "pvo", "pvo_signal": "pvo_signal", "pvo_hist": "pvo_hist"},
            SLOW_FAST, ratio=True),
    TaClass("ROCIndicator", "roc", {"roc": "roc"}, _windows(1, 50)),
    TaClass("RSIIndicator", "rsi", {"rsi": "rsi"}, _windows(2, 33),
            (Excepted("0/0: prints 100 for a market that never moved", _flat_so_far, ("rsi",)),)),
    TaClass("StochRSIIndicator", "stochrsi",
            {"stochrsi": "stochrsi", "stochrsi_k": "stochrsi_k", "stochrsi_d": "stochrsi_d"},
            ({}, {"window": 5, "smooth1": 2, "smooth2": 4}, {"window": 30, "smooth1": 7, "smooth2": 5}),
            tuple(Excepted(why, where(*smoothed), (output,), missing)
                  for why, where, missing in (
                      ("0/0: divides what rounding left of an RSI that did not move", _flat_rsi, True),
                      ("0/0: rounds an RSI near 0 or 100 until nothing is left to divide", _extreme_rsi, False))
                  for output, smoothed in (("stochrsi", ()), ("stochrsi_k", ("smooth1",)),
                                           ("stochrsi_d", ("smooth1", "smooth2"))))),
    TaClass("StochasticOscillator", "stochastic", {"stoch": "stoch", "stoch_signal": "stoch_signal"},
            ({}, {"window": 5, "smooth_window": 2}, {"window": 33, "smooth_window": 9}),
            memory=lambda p: _window(p) + int(p["smooth_window"]) - 1),
    TaClass("TSIIndicator", "tsi", {"tsi": "tsi"},
            ({}, {"window_slow": 7, "window_fast": 3}, {"window_slow": 40, "window_fast": 20})),
    TaClass("UltimateOscillator", "ultimate_oscillator", {"ultimate_oscillator": "ultimate_oscillator"},
            ({}, {"window1": 3, "window2": 5, "window3": 9},
             {"window1": 10, "window2": 30, "window3": 50, "weight1": 3.0, "weight2": 1.5, "weight3": 0.5}),
            memory=lambda p: int(p["window3"]) + 1),
    TaClass("WilliamsRIndicator", "williams_r", {"williams_r": "williams_r"}, ({}, {"lbp": 3}, {"lbp": 40})),
    # trend
    TaClass("ADXIndicator", "adx", {"adx": "adx", "adx_pos": "adx_pos", "adx_neg": "adx_neg"}, _windows(5, 33),
            (_warm_up(("adx",), lambda p: 2 * _window(p) - 1),
             _warm_up(("adx_pos", "adx_neg"), _window),
             Excepted("prints 0 for its first value", zeros_of_first_bars(lambda p: _window(p) + 1),
                      ("adx_pos", "adx_neg"), missing=False))),
    TaClass("AroonIndicator", "aroon",
            {"aroon_up": "aroon_up", "aroon_down": "aroon_down", "aroon_indicator": "aroon_indicator"},
            _windows(4, 60)),
    TaClass("CCIIndicator", "cci", {"cci": "cci"},
            ({}, {"window": 5, "constant": 0.02}, {"window": 50}),
            (Excepted("0/0: divides what rounding left by what rounding left", _flat_typical, ("cci",)),),
            memory=_window),
    TaClass("DPOIndicator", "dpo", {"dpo": "dpo"}, _windows(7, 50),
            memory=_window),
    TaClass("EMAIndicator", "ema", {"ema_indicator": "ema"}, ({"window": 12}, {"window": 3}, {"window": 50})),
    TaClass("IchimokuIndicator", "ichimoku",
            {"ichimoku_conversion_line": "conversion_line", "ichimoku_base_line": "base_line", "ichimoku_a": "a",
             "ichimoku_b": "b"},
            ({}, {"window1": 3, "window2": 7, "window3": 20}, {"window1": 20, "window2": 40, "window3": 90}),
            (Excepted(NOT_FULL, first_bars(lambda p: int(p["window3"]) - 1), ("b",), missing=False),),
            fixed={"visual": False}),
    TaClass("KSTIndicator", "kst", {"kst": "kst", "kst_sig": "kst_sig", "kst_diff": "kst_diff"},
            ({}, {"roc1": 3, "roc2": 4, "roc3": 5, "roc4": 6, "window1": 3, "window2": 4, "window3": 5, "window4": 7,
                  "nsig": 4}, {"roc4": 60, "window4": 30, "nsig": 20}),
            (Excepted("looks ahead: fills what lies before the first bar with the mean of all closes",
                      first_bars(_kst_begins), ("kst",), missing=False),
             Excepted("looks ahead: fills what lies before the first bar with the mean of all closes",
                      first_bars(lambda p: _kst_memory(p) - 1), ("kst_sig", "kst_diff"), missing=False)),
            memory=_kst_memory),
    TaClass("MACD", "macd", {"macd": "macd", "macd_signal": "macd_signal", "macd_diff": "macd_diff"}, SLOW_FAST),
    TaClass("MassIndex", "mass_index", {"mass_index": "mass_index"},
            ({}, {"window_fast": 4, "window_slow": 8}, {"window_fast": 20, "window_slow": 40})),
    TaClass("PSARIndicator", "psar",
            {"psar": "psar", "psar_up": "psar_up", "psar_down": "psar_down", "psar_up_indicator": "psar_up_indicator",
             "psar_down_indicator": "psar_down_indicator"},
            ({}, {"step": 0.05, "max_step": 0.5}, {"step": 0.005, "max_step": 0.03}),
            (Excepted("prints the close for its first two bars", first_bars(lambda p: 2), ("psar",), missing=False),
             Excepted("prints 0 for its first two bars", first_bars(lambda p: 2),
                      ("psar_up_indicator", "psar_down_indicator"), missing=False))),
    TaClass("SMAIndicator", "sma", {"sma_indicator": "sma"}, ({"window": 12}, {"window": 3}, {"window": 50}),
            memory=_window),
    TaClass("STCIndicator", "stc", {"stc": "stc"},
            ({}, {"window_slow": 12, "window_fast": 5, "cycle": 6, "smooth1": 2, "smooth2": 4},
             {"window_slow": 60, "window_fast": 20, "cycle": 25, "smooth1": 5, "smooth2": 3}),
            (Excepted("0/0: lets the weights of its averages decay while it has no value", _after_no_range, ("stc",),
                      missing=False),)),
    TaClass("TRIXIndicator", "trix", {"trix": "trix"}, _windows(4, 40)),
    TaClass("VortexIndicator", "vortex",
            {"vortex_indicator_pos": "vortex_pos", "vortex_indicator_neg": "vortex_neg",
             "vortex_indicator_diff": "vortex_diff"}, _windows(4, 40),
            memory=lambda p: _window(p) + 1),
    TaClass("WMAIndicator", "wma", {"wma": "wma"}, _windows(3, 50)),
    # volatility
    TaClass("AverageTrueRange", "atr", {"average_true_range": "atr"}, _windows(5, 33),
            (_warm_up(("atr",), lambda p: _window(p) - 1),)),
    TaClass("BollingerBands", "bollinger",
            {f"bollinger_{output}": output
             for output in ("mavg", "hband", "lband", "wband", "pband", *FLAGS)},
            ({}, {"window": 5, "window_dev": 3}, {"window": 50, "window_dev": 1}),
            (_warm_up(FLAGS, lambda p: _window(p) - 1),), memory=_window),
    TaClass("DonchianChannel", "donchian",
            {f"donchian_channel_{output}": output for output in ("hband", "lband", "mband", "wband", "pband")},
            ({}, {"window": 5, "offset": 3}, {"window": 50}),
            memory=lambda p: _window(p) + int(p["offset"])),
    TaClass("KeltnerChannel", "keltner",
            {f"keltner_channel_{output}": output
             for output in ("mband", "hband", "lband", "wband", "pband", *FLAGS)},
            ({}, {"window": 5}, {"window": 50, "window_atr": 20, "original_version": False, "multiplier": 3}),
            (Excepted(NOT_FULL, first_bars(_keltner_begins), ("hband", "lband", "pband", *FLAGS), missing=False),
             Excepted("adds an average true range of 0 before it has one", first_bars(_keltner_begins),
                      ("wband",), missing=False)),
            memory=_keltner_memory),
    TaClass("UlcerIndex", "ulcer_index", {"ulcer_index": "ulcer_index"}, _windows(4, 50),
            memory=lambda p: 2 * _window(p) - 1),
    # volume
    TaClass("AccDistIndexIndicator", "adi", {"acc_dist_index": "adi"}, ({},)),
    TaClass("ChaikinMoneyFlowIndicator", "cmf", {"chaikin_money_flow": "cmf"}, _windows(4, 50),
            memory=_window),
    TaClass("EaseOfMovementIndicator", "eom", {"ease_of_movement": "eom", "sma_ease_of_movement": "sma_eom"},
            _windows(4, 50),
            memory=lambda p: _window(p) + 1),
    TaClass("ForceIndexIndicator", "fi", {"force_index": "fi"}, _windows(4, 50)),
    TaClass("MFIIndicator", "mfi", {"money_flow_index": "mfi"}, _windows(4, 50),
            memory=lambda p: _window(p) + 1),
    TaClass("NegativeVolumeIndexIndicator", "nvi", {"negative_volume_index": "nvi"}, ({},)),
    TaClass("OnBalanceVolumeIndicator", "obv", {"on_balance_volume": "obv"}, ({},)),
    TaClass("VolumePriceTrendIndicator", "vpt", {"volume_price_trend": "vpt"}, ({},)),
    TaClass("VolumeWeightedAveragePrice", "rolling_vwap", {"volume_weighted_average_price": "rolling_vwap"},
            _windows(4, 50),
            memory=_window),
    # others
    TaClass("CumulativeReturnIndicator", "cumulative_return", {"cumulative_return": "cumulative_return"}, ({},)),
    TaClass("DailyLogReturnIndicator", "daily_log_return", {"daily_log_return": "daily_log_return"}, ({},)),
    TaClass("DailyReturnIndicator", "daily_return", {"daily_return": "daily_return"}, ({},)),
)  # fmt: skip
