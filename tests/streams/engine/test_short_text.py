"""The short cut for the common line says what the grammar says, or nothing."""

import pytest
from hypothesis import given, settings

from schemas.conditions import All, AnyOf, Condition, ConditionError
from streams.engine.conditions.expression import parse
from streams.engine.conditions.expression_text import to_text
from streams.engine.conditions.resolve import resolve
from streams.engine.conditions.short_text import read_short
from tests.streams.engine.test_network_properties import TREES


def by_grammar(text: str) -> Condition | None:
    try:
        return resolve(parse(text), "5m", "1m")
    except ConditionError:
        return None


SHORT = [
    "close < 95",
    'rsi(14) >= 70.5 and close<100 and  ema(200, "1h") > -2.5e1',
    "macd(26, 12, 9).macd_diff > .3 or close[2] <= 5.",
    " high > 1 and high > 1 ",
]
NOT_SHORT = [
    "95 > close",
    "close < 95 and rsi(14) < 30 or close > 200",
    "not close < 95 and rsi(14) < 30",
    "(close < 95 and rsi(14) < 30) or close > 200",
    "close < 95 and (rsi(14) < 30 or close > 200)",
    "all(close < 95 and rsi(14) < 30)",
    "close < 95 AND rsi(14) < 30",
    "close - 1 < 95",
    "close < open and close < 5",
    "close < 1e400",
    "close < 5m",
    "close < --5",
    "1 < close < 3",
    "1 < 2",
    "obv() > 5",
    "no_such(3) < 4 and close < 5",
    "close < 5 and",
    "and close < 5",
    "close << 5",
    "",
    " and ".join(["close < 95"] * 9),
    "close < 95" + " " * 5_000,
]


@pytest.mark.parametrize("text", SHORT)
def test_the_common_line_is_read_as_the_grammar_reads_it(text: str) -> None:
    found = read_short(text, "5m", "1m")
    assert found is not None
    assert found == by_grammar(text)


@pytest.mark.parametrize("text", NOT_SHORT)
def test_everything_else_is_left_to_the_grammar(text: str) -> None:
    assert read_short(text, "5m", "1m") is None


@settings(max_examples=80, deadline=None)
@given(TREES)
def test_no_line_is_read_differently(condition: Condition) -> None:
    text = to_text(condition)
    assert read_short(text, "5m", "1m") in (None, by_grammar(text))
    if isinstance(condition, All | AnyOf):
        short = " and ".join(to_text(item) for item in condition.items)
        assert read_short(short, "5m", "1m") in (None, by_grammar(short))
