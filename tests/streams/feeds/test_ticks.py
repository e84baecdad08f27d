"""Law 1: one tick per symbol and boundary, only after every bar that closes at or before it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.interval import MINUTE_MS
from schemas.market import Kline, Tick
from streams.feeds.ticks import OutOfOrder, Ticker, boundaries

START = 1_700_000_100_000


def kline(symbol: str, minute: int, interval: str = "1m") -> Kline:
    return Kline(
        symbol=symbol,
        interval=interval,
        open_time_ms=START + minute * MINUTE_MS,
        open=1.0,
        high=2.0,
        low=0.5,
        close=1.5,
        volume=1.0,
    )


def sent(*klines: Kline) -> list[Kline | Tick]:
    ticker = Ticker("test")
    return [event for boundary in boundaries(klines) for event in ticker.events(boundary)]


def told(events: list[Kline | Tick]) -> list[str]:
    """`A0` is symbol A's bar of minute 0, `a1` A's tick at the boundary after one minute."""
    out = []
    for event in events:
        if isinstance(event, Kline):
            out.append(f"{event.symbol}{(event.open_time_ms - START) // MINUTE_MS}")
        else:
            out.append(f"{event.symbol.lower()}{(event.time_ms - START) // MINUTE_MS}")
    return out


@pytest.mark.parametrize(
    "bars, expected",
    [
        ([], []),
        ([("A", 0)], ["A0", "a1"]),
        ([("A", 0), ("B", 0)], ["A0", "B0", "a1", "b1"]),
        ([("A", 0), ("A", 2)], ["A0", "a1", "a2", "A2", "a3"]),
        ([("A", 0), ("B", 1), ("A", 2)], ["A0", "a1", "B1", "a2", "b2", "A2", "a3", "b3"]),
    ],
)
def test_ticks_follow_the_bars_of_their_boundary(bars: list[tuple[str, int]], expected: list[str]) -> None:
    assert told(sent(*(kline(symbol, minute) for symbol, minute in bars))) == expected


def test_a_bar_out_of_order_stops_the_feed() -> None:
    with pytest.raises(OutOfOrder, match="B: bar closing at"):
        sent(kline("A", 5), kline("B", 4))


def test_a_bar_of_another_interval_is_refused() -> None:
    with pytest.raises(ValueError, match="interval 5m in a feed of 1m"):
        sent(kline("A", 0, "5m"))


@given(st.sets(st.tuples(st.integers(0, 40), st.sampled_from("ABC")), min_size=1))
def test_every_symbol_has_one_tick_at_every_boundary_from_its_first_bar_to_the_end(
    bars: set[tuple[int, str]],
) -> None:
    events = sent(*(kline(symbol, minute) for minute, symbol in sorted(bars)))
    last = max(minute for minute, _ in bars) + 1
    for symbol in {symbol for _, symbol in bars}:
        first = min(minute for minute, name in bars if name == symbol) + 1
        ticks = [e.time_ms for e in events if isinstance(e, Tick) and e.symbol == symbol]
        assert ticks == [START + minute * MINUTE_MS for minute in range(first, last + 1)]


@given(st.sets(st.tuples(st.integers(0, 40), st.sampled_from("ABC")), min_size=1))
def test_a_tick_is_a_promise_kept(bars: set[tuple[int, str]]) -> None:
    promised: dict[str, int] = {}
    for event in sent(*(kline(symbol, minute) for minute, symbol in sorted(bars))):
        if isinstance(event, Tick):
            promised[event.symbol] = event.time_ms
        else:
            assert event.close_time_ms > promised.get(event.symbol, 0)
