"""All of `ta`'s classes and their outputs: which indicator and output of ours each is, with which parameters they
are compared, and where they are not the same, with the reason.

Three reasons are accepted: `ta` looks into the future, it prints a number where it has none, or it divides what
rounding left of nothing (or nothing itself) by nothing.
"""

from collections.abc import Callable
from typing import Final

from tests.streams.engine.indicators.exceptions_of_ta import (
    after_no_range,
    extreme_rsi,
    first_bars,
    flat_rsi,
    flat_so_far,
    flat_typical,
    keltner_begins,
    keltner_memory,
    kst_begins,
    kst_memory,
    on_a_keltner_band,
    window_of,
    zeros_of_first_bars,
)
from tests.streams.engine.indicators.ta_library import Excepted, Params, TaClass


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
            (Excepted("0/0: prints 100 for a market that never moved", flat_so_far, ("rsi",)),)),
    TaClass("StochRSIIndicator", "stochrsi",
            {"stochrsi": "stochrsi", "stochrsi_k": "stochrsi_k", "stochrsi_d": "stochrsi_d"},
            ({}, {"window": 5, "smooth1": 2, "smooth2": 4}, {"window": 30, "smooth1": 7, "smooth2": 5}),
            tuple(Excepted(why, where(*smoothed), (output,), missing)
                  for why, where, missing in (
                      ("0/0: divides what rounding left of an RSI that did not move", flat_rsi, True),
                      ("0/0: rounds an RSI near 0 or 100 until nothing is left to divide", extreme_rsi, False))
                  for output, smoothed in (("stochrsi", ()), ("stochrsi_k", ("smooth1",)),
                                           ("stochrsi_d", ("smooth1", "smooth2"))))),
    TaClass("StochasticOscillator", "stochastic", {"stoch": "stoch", "stoch_signal": "stoch_signal"},
            ({}, {"window": 5, "smooth_window": 2}, {"window": 33, "smooth_window": 9}),
            memory=lambda p: window_of(p) + int(p["smooth_window"]) - 1),
    TaClass("TSIIndicator", "tsi", {"tsi": "tsi"},
            ({}, {"window_slow": 7, "window_fast": 3}, {"window_slow": 40, "window_fast": 20})),
    TaClass("UltimateOscillator", "ultimate_oscillator", {"ultimate_oscillator": "ultimate_oscillator"},
            ({}, {"window1": 3, "window2": 5, "window3": 9},
             {"window1": 10, "window2": 30, "window3": 50, "weight1": 3.0, "weight2": 1.5, "weight3": 0.5}),
            memory=lambda p: int(p["window3"]) + 1),
    TaClass("WilliamsRIndicator", "williams_r", {"williams_r": "williams_r"}, ({}, {"lbp": 3}, {"lbp": 40})),
    # trend
    TaClass("ADXIndicator", "adx", {"adx": "adx", "adx_pos": "adx_pos", "adx_neg": "adx_neg"}, _windows(5, 33),
            (_warm_up(("adx",), lambda p: 2 * window_of(p) - 1),
             _warm_up(("adx_pos", "adx_neg"), window_of),
             Excepted("prints 0 for its first value", zeros_of_first_bars(lambda p: window_of(p) + 1),
                      ("adx_pos", "adx_neg"), missing=False))),
    TaClass("AroonIndicator", "aroon",
            {"aroon_up": "aroon_up", "aroon_down": "aroon_down", "aroon_indicator": "aroon_indicator"},
            _windows(4, 60)),
    TaClass("CCIIndicator", "cci", {"cci": "cci"},
            ({}, {"window": 5, "constant": 0.02}, {"window": 50}),
            (Excepted("0/0: divides what rounding left by what rounding left", flat_typical, ("cci",)),),
            memory=window_of, ratio=True),
    TaClass("DPOIndicator", "dpo", {"dpo": "dpo"}, _windows(7, 50),
            memory=window_of),
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
                      first_bars(kst_begins), ("kst",), missing=False),
             Excepted("looks ahead: fills what lies before the first bar with the mean of all closes",
                      first_bars(lambda p: kst_memory(p) - 1), ("kst_sig", "kst_diff"), missing=False)),
            memory=kst_memory),
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
            memory=window_of),
    TaClass("STCIndicator", "stc", {"stc": "stc"},
            ({}, {"window_slow": 12, "window_fast": 5, "cycle": 6, "smooth1": 2, "smooth2": 4},
             {"window_slow": 60, "window_fast": 20, "cycle": 25, "smooth1": 5, "smooth2": 3}),
            (Excepted("0/0: lets the weights of its averages decay while it has no value", after_no_range, ("stc",),
                      missing=False),)),
    TaClass("TRIXIndicator", "trix", {"trix": "trix"}, _windows(4, 40)),
    TaClass("VortexIndicator", "vortex",
            {"vortex_indicator_pos": "vortex_pos", "vortex_indicator_neg": "vortex_neg",
             "vortex_indicator_diff": "vortex_diff"}, _windows(4, 40),
            memory=lambda p: window_of(p) + 1, ratio=True),
    TaClass("WMAIndicator", "wma", {"wma": "wma"}, _windows(3, 50)),
    # volatility
    TaClass("AverageTrueRange", "atr", {"average_true_range": "atr"}, _windows(5, 33),
            (_warm_up(("atr",), lambda p: window_of(p) - 1),)),
    TaClass("BollingerBands", "bollinger",
            {f"bollinger_{output}": output
             for output in ("mavg", "hband", "lband", "wband", "pband", *FLAGS)},
            ({}, {"window": 5, "window_dev": 3}, {"window": 50, "window_dev": 1}),
            (_warm_up(FLAGS, lambda p: window_of(p) - 1),), memory=window_of),
    TaClass("DonchianChannel", "donchian",
            {f"donchian_channel_{output}": output for output in ("hband", "lband", "mband", "wband", "pband")},
            ({}, {"window": 5, "offset": 3}, {"window": 50}),
            memory=lambda p: window_of(p) + int(p["offset"])),
    TaClass("KeltnerChannel", "keltner",
            {f"keltner_channel_{output}": output
             for output in ("mband", "hband", "lband", "wband", "pband", *FLAGS)},
            ({}, {"window": 5}, {"window": 50, "window_atr": 20, "original_version": False, "multiplier": 3}),
            (Excepted(NOT_FULL, first_bars(keltner_begins), ("hband", "lband", "pband", *FLAGS), missing=False),
             Excepted("adds an average true range of 0 before it has one", first_bars(keltner_begins),
                      ("wband",), missing=False),
             Excepted("rounding decides on which side of a band the close is that lies on it", on_a_keltner_band,
                      FLAGS, missing=False)),
            memory=keltner_memory),
    TaClass("UlcerIndex", "ulcer_index", {"ulcer_index": "ulcer_index"}, _windows(4, 50),
            memory=lambda p: 2 * window_of(p) - 1),
    # volume
    TaClass("AccDistIndexIndicator", "adi", {"acc_dist_index": "adi"}, ({},)),
    TaClass("ChaikinMoneyFlowIndicator", "cmf", {"chaikin_money_flow": "cmf"}, _windows(4, 50),
            memory=window_of),
    TaClass("EaseOfMovementIndicator", "eom", {"ease_of_movement": "eom", "sma_ease_of_movement": "sma_eom"},
            _windows(4, 50),
            memory=lambda p: window_of(p) + 1),
    TaClass("ForceIndexIndicator", "fi", {"force_index": "fi"}, _windows(4, 50)),
    TaClass("MFIIndicator", "mfi", {"money_flow_index": "mfi"}, _windows(4, 50),
            memory=lambda p: window_of(p) + 1),
    TaClass("NegativeVolumeIndexIndicator", "nvi", {"negative_volume_index": "nvi"}, ({},)),
    TaClass("OnBalanceVolumeIndicator", "obv", {"on_balance_volume": "obv"}, ({},)),
    TaClass("VolumePriceTrendIndicator", "vpt", {"volume_price_trend": "vpt"}, ({},)),
    TaClass("VolumeWeightedAveragePrice", "rolling_vwap", {"volume_weighted_average_price": "rolling_vwap"},
            _windows(4, 50),
            memory=window_of),
    # others
    TaClass("CumulativeReturnIndicator", "cumulative_return", {"cumulative_return": "cumulative_return"}, ({},)),
    TaClass("DailyLogReturnIndicator", "daily_log_return", {"daily_log_return": "daily_log_return"}, ({},)),
    TaClass("DailyReturnIndicator", "daily_return", {"daily_return": "daily_return"}, ({},)),
)  # fmt: skip
