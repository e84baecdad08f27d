"""Laws 2 to 5 on random streams, against the naive market."""

import math
from collections.abc import Callable

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.conditions import Indicator, Price
from schemas.market import Kline
from streams.engine.market.market import Market
from streams.engine.market.outcomes import Applied
from tests.streams.engine.candles import MINUTE, MONDAY, kline
from tests.streams.engine.naive import NaiveMarket

LEAVES: list[tuple[Price | Indicator, str]] = [
    (Price("close"), "1m"),
    (Price("hlc3"), "3m"),
    (Price("volume"), "5m"),
    (Indicator("sma", (("window", 3),)), "1m"),
    (Indicator("ema", (("window", 2),)), "5m"),
    (Indicator("stochastic", (("smooth_window", 2), ("window", 3))), "2m"),
    (Indicator("bollinger", (("window", 4),), output="hband"), "3m"),
    (Indicator("rsi", (("window", 2),)), "1m"),
    (Price("ha_close"), "1m"),
    (Price("ha_low"), "2m"),
    (Indicator("vwap"), "1m"),
    (Indicator("obv", (("anchor", 1),)), "1m"),
    (Indicator("vwap", (("anchor", 2),), output="lower"), "5m"),
]
PROFILE = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def streams(draw: Callable[..., int]) -> list[Kline]:
    """Bars with gaps of any length, repeats, restated, late and forming ones in between."""
    opened = MONDAY + MINUTE * draw(st.integers(-30, 61))
    price, out = 100, []
    for _ in range(draw(st.integers(1, 40))):
        opened += MINUTE * draw(st.sampled_from([0] * 12 + [1, 2, 4, 5, 6, 7, 30]))
        low, high = sorted((price, price := max(price + draw(st.integers(-2, 2)), 1)))
        bar = kline(opened, (low, high + draw(st.integers(0, 1)), low, price, draw(st.integers(0, 3))))
        match draw(st.integers(0, 15)):
            case 0:
                out += [bar, bar]
            case 1:
                out += [bar, kline(opened, (low, high + 5, low, price, 1))]
            case 2:
                out += [bar, kline(max(opened - MINUTE * draw(st.integers(1, 70)), 0), (9, 9, 9, 9, 9))]
            case 3:
                out += [kline(opened, (low, high + 9, low, price, 7), closed=False), bar]
            case _:
                out += [bar]
        opened += MINUTE
    return out


def equal(a: float, b: float) -> bool:
    return a == b or (math.isnan(a) and math.isnan(b))


@PROFILE
@given(streams(), st.integers(0, 6), st.integers(0, 40))
def test_every_bar_and_every_value_is_what_the_laws_say(
    stream: list[Kline], fill_up_to: int, acquired_at: int
) -> None:
    market, naive = Market("BTCUSDT", fill_up_to=fill_up_to), NaiveMarket(fill_up_to)
    slots = []
    for number, bar in enumerate(stream):
        if number == min(acquired_at, len(stream) - 1):
            slots = [market.acquire(leaf, timeframe) for leaf, timeframe in LEAVES]
        before = market.next
        outcome = market.apply(bar)
        assert type(outcome).__name__ == naive.apply(bar)
        assert market.next == len(naive.bars)
        if isinstance(outcome, Applied):
            assert (outcome.first, outcome.next) == (before, market.next)
            for slot, (leaf, timeframe) in zip(slots, LEAVES, strict=bool(slots)):
                assert equal(slot.frame.now[slot.column], naive.value(leaf, timeframe, market.next - 1)), (
                    leaf,
                    timeframe,
                )
    for i, (opened, numbers, filled) in enumerate(naive.bars):
        assert market.bar(i) == (i, opened, opened + MINUTE, *numbers, filled)
        assert market.index_at(opened) == i
    for slot, (leaf, timeframe) in zip(slots, LEAVES, strict=True):
        for i in range(market.next):
            for back in (0, 1, 3):
                assert equal(market.value(slot, i, back), naive.value(leaf, timeframe, i, back)), (
                    leaf,
                    timeframe,
                    i,
                )
            assert market.closes(timeframe, i) == any(row.seen_at == i for row in naive.rows(timeframe, i))


@PROFILE
@given(streams())
def test_a_forming_bar_leaves_no_trace(stream: list[Kline]) -> None:
    market, without = Market("BTCUSDT"), Market("BTCUSDT")
    for each in (market, without):
        for leaf, timeframe in LEAVES:
            each.acquire(leaf, timeframe)
    for bar in stream:
        market.apply(bar)
        if bar.closed:
            without.apply(bar)
    without.counters["forming"] = market.counters["forming"]
    assert market.snapshot() == without.snapshot()
    assert market.operands.nodes.keys() == without.operands.nodes.keys()
    for place, node in market.operands.nodes.items():
        twin = without.operands.nodes[place]
        assert (node.f.tobytes(), node.i.tobytes()) == (twin.f.tobytes(), twin.i.tobytes())
