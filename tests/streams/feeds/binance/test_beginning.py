"""Where a feed begins, and why it refuses to."""

import pytest

from schemas.interval import MINUTE_MS
from streams.feeds.binance.beginning import Beginning, CannotBegin, Standing, check_symbols
from tests.streams.feeds.binance.double import START

NOW = START + 100 * MINUTE_MS + 5


def test_a_symbol_that_the_topic_has_goes_on_there_whatever_else_was_asked_for() -> None:
    standing = Standing(START, START + MINUTE_MS, "binance", "1m")
    assert Beginning("binance", "1m", 0).of("AUSDT", standing, NOW).next_ms == START + MINUTE_MS


def test_a_new_one_begins_with_the_first_bar_at_or_after_what_was_asked_for() -> None:
    assert Beginning("binance", "1m", START).of("AUSDT", None, NOW).next_ms == START
    assert Beginning("binance", "1m", START + 1).of("AUSDT", None, NOW).next_ms == START + MINUTE_MS
    assert Beginning("binance", "1m", -(10**18)).of("AUSDT", None, NOW).next_ms == 0


def test_a_new_one_may_begin_with_the_next_bar_but_not_further_in_the_future() -> None:
    coming = START + 101 * MINUTE_MS
    assert Beginning("binance", "1m", coming).of("AUSDT", None, NOW).next_ms == coming
    with pytest.raises(CannotBegin, match=r"AUSDT: it would begin at .*, which the exchange's clock has not"):
        Beginning("binance", "1m", coming + MINUTE_MS).of("AUSDT", None, NOW)


@pytest.mark.parametrize(
    "standing, reason",
    [
        (Standing(START, None, "simulated", "1m"), "from the feed 'simulated', and one feed owns a symbol"),
        (Standing(START, None, "binance", "5m"), "AUSDT: the topic has bars of 5m, not of 1m"),
        (Standing(None, NOW + 10 * MINUTE_MS, "binance", "1m"), "which the exchange's clock has not reached"),
    ],
)
def test_a_topic_that_is_another_feeds_or_ahead_of_time_is_left_alone(
    standing: Standing, reason: str
) -> None:
    with pytest.raises(CannotBegin, match=reason):
        Beginning("binance", "1m", 0).of("AUSDT", standing, NOW)


def test_another_feeds_symbol_may_be_taken_over_on_purpose() -> None:
    standing = Standing(START, None, "file", "1m")
    assert Beginning("binance", "1m", 0, take_over=True).of("AUSDT", standing, NOW).next_ms == START


def test_unknown_symbols_are_all_named_with_what_may_have_been_meant() -> None:
    states = {"BTCUSDT": "TRADING", "ETHUSDT": "BREAK"}
    assert check_symbols(["BTCUSDT", "ETHUSDT"], states) == ["ETHUSDT"]
    with pytest.raises(CannotBegin, match=r"no symbol BTCUSD \(did you mean BTCUSDT\?\), XX$"):
        check_symbols(["BTCUSD", "ETHUSDT", "XX"], states)
