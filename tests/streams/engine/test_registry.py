"""Names, parameters and outputs of indicators, and what is refused."""

import itertools

import pytest

from schemas.conditions import ConditionError, Indicator, Price
from streams.engine import indicators
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
    assert indicators.names() == ["atr", "bollinger", "ema", "macd", "rsi", "sma", "stochastic", "vwap"]


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
