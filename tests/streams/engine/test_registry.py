"""Names, parameters and outputs of indicators, and what is refused."""

import itertools
from inspect import Parameter, signature
from types import FunctionType

import pytest
import ta

from schemas.conditions import Compare, ConditionError, Const, Indicator, Price, operand_from_json
from streams.engine import indicators
from streams.engine.conditions.expression import parse, to_text
from streams.engine.errors import BadParameter, StateTooLarge, UnknownIndicator
from streams.engine.market.market import Market
from tests.streams.engine.candles import klines, walk


def test_equal_operands_are_equal_structs() -> None:
    short = indicators.canonical(Indicator("rsi"))
    assert short == indicators.canonical(Indicator("rsi", (("window", 14),), output="rsi", seed="sma"))
    assert short.params == (("window", 14),)
    assert short.seed == "auto"
    assert short != indicators.canonical(Indicator("rsi", seed="first"))


def test_tas_function_names_are_aliases_with_an_output() -> None:
    assert indicators.canonical(Indicator("stoch_signal")).output == "stoch_signal"
    assert indicators.canonical(Indicator("ema_indicator")) == indicators.canonical(Indicator("ema"))
    assert indicators.canonical(Indicator("bollinger_hband")) == indicators.canonical(
        Indicator("bollinger", output="hband")
    )
    assert indicators.lookup("average_true_range").name == "atr"


def test_parameters_stand_in_tas_order() -> None:
    assert [p.name for p in indicators.lookup("macd").params] == ["window_slow", "window_fast", "window_sign"]
    assert {"atr", "bollinger", "ema", "macd", "rsi", "sma", "stochastic"} <= set(indicators.names())


def test_the_momentum_and_volume_indicators_of_ta_are_there() -> None:
    momentum = (
        "awesome_oscillator kama ppo pvo roc rsi stochastic stochrsi tsi ultimate_oscillator williams_r"
    )
    volume = "adi cmf eom fi mfi nvi obv rolling_vwap vpt"
    assert set(f"{momentum} {volume}".split()) <= set(indicators.names())
    for module in (ta.momentum, ta.volume):
        for name, function in vars(module).items():
            if isinstance(function, FunctionType) and function.__module__ == module.__name__:
                _takes_the_same(name, function)


def _takes_the_same(name: str, function: FunctionType) -> None:
    """Our indicator of `ta`'s function has its parameters, in its order and with its defaults (None is 0)."""
    given = [
        (key, parameter.default or 0)
        for key, parameter in signature(function).parameters.items()
        if parameter.default is not Parameter.empty and key not in {"fillna", "dropnans"}
    ]
    ours = [(p.name, p.default) for p in indicators.lookup(name).params if p.name != "anchor"]
    assert ours == given, name


def test_the_trend_and_volatility_indicators_of_ta_and_its_others_are_there() -> None:
    trend = "adx aroon cci dpo ema ichimoku kst macd mass_index psar sma stc trix vortex wma"
    others = "cumulative_return daily_log_return daily_return"
    assert set(f"{trend} {others} atr bollinger donchian keltner ulcer_index".split()) <= set(
        indicators.names()
    )
    for module in (ta.trend, ta.volatility, ta.others):
        for name, function in vars(module).items():
            if isinstance(function, FunctionType) and function.__module__ == module.__name__:
                _takes_no_others(name, function)


def _takes_no_others(name: str, function: FunctionType) -> None:
    """What `ta`'s function takes our indicator takes, in that order; its class may take more. But the future."""
    given = [
        key
        for key, parameter in signature(function).parameters.items()
        if parameter.default is not Parameter.empty and key not in {"fillna", "visual"}
    ]
    assert [p.name for p in indicators.lookup(name).params if p.name in given] == given, name


def test_the_defaults_are_those_of_tas_classes() -> None:
    classes = {
        "adx": ta.trend.ADXIndicator, "aroon": ta.trend.AroonIndicator, "cci": ta.trend.CCIIndicator,
        "donchian": ta.volatility.DonchianChannel, "dpo": ta.trend.DPOIndicator,
        "ichimoku": ta.trend.IchimokuIndicator, "keltner": ta.volatility.KeltnerChannel,
        "kst": ta.trend.KSTIndicator, "mass_index": ta.trend.MassIndex, "psar": ta.trend.PSARIndicator,
        "stc": ta.trend.STCIndicator, "trix": ta.trend.TRIXIndicator, "ulcer_index": ta.volatility.UlcerIndex,
        "vortex": ta.trend.VortexIndicator, "wma": ta.trend.WMAIndicator,
    }  # fmt: skip
    for name, kind in classes.items():
        defaults = {
            key: parameter.default
            for key, parameter in signature(kind).parameters.items()
            if parameter.default is not Parameter.empty and key not in {"fillna", "visual"}
        }
        assert {p.name: p.default for p in indicators.lookup(name).params} == defaults, name


@pytest.mark.parametrize(
    "raw",
    [
        {"indicator": "williams_r", "lbp": 7},
        {"indicator": "stochrsi_d", "window": 9, "smooth1": 2, "smooth2": 4, "seed": "first"},
        {"indicator": "kama", "pow1": 3, "pow2": 20},
        {"indicator": "ultimate_oscillator", "window1": 5, "weight1": 4.5, "weight2": 2},
        {"indicator": "vpt", "smoothing_factor": 10},
        {"indicator": "obv"},
        {"indicator": "keltner_channel_hband", "original_version": 0, "multiplier": 1.5},
        {"indicator": "psar_up", "step": 0.01, "max_step": 0.1},
        {"indicator": "cci", "constant": 0.02},
        {"indicator": "kst_sig", "roc1": 5, "window4": 7, "nsig": 3},
    ],
)
def test_every_kind_of_parameter_comes_through_json_and_text(raw: dict[str, object]) -> None:
    leaf = operand_from_json(raw)
    assert isinstance(leaf, Indicator)
    condition = Compare("gt", leaf, Const(1.0))
    assert parse(to_text(condition)) == condition
    full = dict(indicators.canonical(leaf).params)
    assert {key: full[key] for key in raw if key in full} == dict(leaf.params)


def test_those_that_never_forget_say_so() -> None:
    assert {name for name in indicators.names() if indicators.lookup(name).never_forgets} >= {
        "adi", "cumulative_return", "nvi", "obv", "vpt",
    }  # fmt: skip


@pytest.mark.parametrize(
    "leaf, path, error",
    [
        (Indicator("wibble"), "left", UnknownIndicator),
        (Indicator("rsi", output="macd"), "left.output", UnknownIndicator),
        (Indicator("bollinger_hband", output="lband"), "left.output", BadParameter),
        (Indicator("rsi", (("length", 14),)), "left.length", BadParameter),
        (Indicator("rsi", (("window", 0),)), "left.window", BadParameter),
        (Indicator("rsi", (("window", 5_001),)), "left.window", BadParameter),
        (Indicator("rsi", (("window", 14.5),)), "left.window", BadParameter),
        (Indicator("macd", (("window_slow", 12), ("window_fast", 26))), "left.window_fast", BadParameter),
        (Indicator("bollinger", (("window_dev", -1.0),)), "left.window_dev", BadParameter),
        (Indicator("vwap", (("anchor", 0),)), "left.anchor", BadParameter),
        (Indicator("vwap", (("anchor", 4),)), "left.anchor", BadParameter),
        (Indicator("vwap", (("anchor", 1.5),)), "left.anchor", BadParameter),
        (Indicator("rsi", (("anchor", 1),)), "left.anchor", BadParameter),
        (Indicator("williams_r", (("lbp", 14.5),)), "left.lbp", BadParameter),
        (Indicator("stochrsi", (("smooth1", 0),)), "left.smooth1", BadParameter),
        (Indicator("kama", (("pow1", 40),)), "left.pow1", BadParameter),
        (Indicator("ultimate_oscillator", (("weight3", -0.5),)), "left.weight3", BadParameter),
        (Indicator("vpt", (("smoothing_factor", 5_001),)), "left.smoothing_factor", BadParameter),
        (Indicator("obv", (("window", 14),)), "left.window", BadParameter),
        (Indicator("donchian", (("offset", -1),)), "left.offset", BadParameter),
        (Indicator("ichimoku", (("visual", 1),)), "left.visual", BadParameter),
        (Indicator("keltner", (("original_version", 2),)), "left.original_version", BadParameter),
        (Indicator("psar", (("step", 0.5),)), "left.step", BadParameter),
        (Indicator("stc", (("window_fast", 50),)), "left.window_fast", BadParameter),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_place(
    leaf: Indicator, path: str, error: type[ConditionError]
) -> None:
    with pytest.raises(error) as refused:
        Market("BTCUSDT").acquire(leaf, "1m", "left")
    assert refused.value.path == path


def test_a_timeframe_must_be_a_multiple_of_the_base() -> None:
    market = Market("BTCUSDT", "5m")
    for timeframe in ("1m", "7m", "12m"):
        with pytest.raises(BadParameter, match="no multiple"):
            market.acquire(Price("close"), timeframe)
    assert market.acquire(Price("close"), "1w").frame.timeframe == "1w"


def test_a_symbol_holds_only_so_much_state() -> None:
    market = Market("BTCUSDT")
    market.acquire(Indicator("stochastic", (("window", 2_500),)), "1m")
    with pytest.raises(StateTooLarge):
        market.acquire(Indicator("stochastic", (("window", 2_500), ("smooth_window", 5))), "1m")
    assert len(market.operands.nodes) == 1


def test_a_symbols_row_stays_below_its_limit_whatever_it_is_made_of() -> None:
    """State, values that `bars_ago` reaches, rows of higher timeframes that windows reach, stand-ins."""
    market = Market("BTCUSDT")
    refused = 0
    asked = [
        (Indicator("sma", (("window", window),)), timeframe)
        for timeframe, window in itertools.product(("3m", "2m"), (2_000, 3_000))
    ]
    asked.append((Indicator("stochastic", (("window", 900),)), "3m"))
    asked += [
        (Indicator("macd", (("window_fast", fast),), bars_ago=bars_ago), "1m")
        for fast, bars_ago in itertools.product(range(2, 22), (0, 500))
    ]
    for leaf, timeframe in asked:
        try:
            market.acquire(leaf, timeframe)
        except StateTooLarge:
            refused += 1
    for kline in klines(walk(11_000)):
        market.apply(kline)
    assert refused
    assert 40_000 < len(market.snapshot()) < 56_000
