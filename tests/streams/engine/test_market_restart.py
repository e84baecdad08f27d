"""Restart: snapshot, read bars back, go on to the same bits; and values of the past after trimming and
reading back.
"""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.conditions import Indicator, Price
from streams.engine.bars import BarArrays
from streams.engine.errors import HistoryGone, NeedsHistory, OtherState
from streams.engine.market.market import Market, Slot
from streams.engine.market.nodes import Node, key_of
from tests.streams.engine.candles import MINUTE, klines, walk, with_gaps

LEAVES: list[tuple[Price | Indicator, str]] = [
    (Price("close", bars_ago=40), "1m"),
    (Indicator("sma", (("window", 200),)), "1m"),
    (Indicator("bollinger", (("window", 20),), output="pband"), "5m"),
    (Indicator("rsi", bars_ago=3), "5m"),
    (Indicator("stochastic", output="stoch_signal"), "3m"),
    (Indicator("macd", output="macd_diff"), "1m"),
    (Indicator("ema", (("window", 3),)), "1h"),
    (Price("volume"), "1d"),
    (Price("ha_open"), "1m"),
    (Indicator("vwap", bars_ago=2), "3m"),
    (Indicator("hma", (("window", 30),)), "5m"),
    (Indicator("supertrend", output="direction"), "1m"),
    (Indicator("pivots", output="s1"), "1m"),
]
BARS = with_gaps(walk(4_200, seed=21), 0.004, 9)
KLINES = klines(BARS)


def acquired(market: Market) -> list[Slot]:
    return [market.acquire(leaf, timeframe) for leaf, timeframe in LEAVES]


def fast_path(slots: list[Slot]) -> list[tuple[float, float, int]]:
    return [(s.frame.now[s.column], s.frame.prev[s.column], s.frame.version) for s in slots]


def same(a: object, b: object) -> bool:
    return repr(a) == repr(b)  # NaN included, every bit of a float shows


@settings(max_examples=25, deadline=None)
@given(cut=st.integers(1, 3_000), asked_at=st.integers(0, 2_999), extra=st.integers(0, 9))
def test_a_restored_market_goes_on_to_the_same_bits(cut: int, asked_at: int, extra: int) -> None:
    """Whenever its nodes were acquired, before or after the anchor, and whatever was read back besides."""
    market = Market("BTCUSDT", capacity=5_000)
    slots: list[Slot] = []
    for number, bar in enumerate(KLINES[:cut]):
        if number == min(asked_at, cut - 1):
            slots = acquired(market)
        market.apply(bar)
    saved = market.snapshot()
    assert len(saved) < 65_536
    from_ms = Market.read_from_ms(saved)
    assert from_ms == market.anchor_open_time_ms
    inside = BARS.open_time_ms >= (from_ms or 0) - extra * MINUTE
    read_back = BarArrays(BARS.open_time_ms[inside], BARS.ohlcv[inside])
    restored = Market.restore(saved, read_back)
    twins = acquired(restored)
    assert (restored.next, restored.last_open_time_ms) == (market.next, market.last_open_time_ms)
    assert restored.counters == market.counters
    assert same(fast_path(twins), fast_path(slots))
    for bar in KLINES[cut : cut + 800]:
        assert market.apply(bar) == restored.apply(bar)
        assert same(fast_path(twins), fast_path(slots))
    assert restored.snapshot() == market.snapshot()
    for i in range(restored.first, restored.next, 13):
        for slot, twin, (leaf, _) in zip(slots, twins, LEAVES, strict=True):
            for back in {0, leaf.bars_ago, leaf.bars_ago + 1}:
                assert same(restored.value(twin, i, back), market.value(slot, i, back)), (leaf, i, back)
        assert restored.bar(i) == market.bar(i)


@pytest.mark.parametrize("timeframe", ["1m", "5m"])
def test_a_gap_right_before_an_anchor_is_seen_again(timeframe: str) -> None:
    bars = walk(1_600, seed=24)
    bars.open_time_ms[720:] += 60 * MINUTE
    market = Market("BTCUSDT")
    slot = market.acquire(Indicator("ema", (("window", 20),)), timeframe)
    for bar in klines(bars):
        market.apply(bar)
    restored = Market.restore(market.snapshot(), bars)
    assert restored.first == 720
    twin = restored.acquire(Indicator("ema", (("window", 20),)), timeframe)
    for i in range(720, market.next):
        assert same(restored.value(twin, i), market.value(slot, i))
    assert math.isnan(market.value(slot, 721))
    assert restored.snapshot() == market.snapshot()


@pytest.mark.parametrize("asked_at", [0, 700, 2_500])
def test_what_a_bar_was_worth_when_it_came_is_what_it_is_worth_later(asked_at: int) -> None:
    market = Market("BTCUSDT", capacity=900)
    lived: dict[int, list[float]] = {}
    slots: list[Slot] = []
    for number, bar in enumerate(KLINES[:3_500]):
        if number == asked_at:
            if market.tape.frame.first:
                market.load_history(BARS)
            slots = acquired(market)
        market.apply(bar)
        lived[market.next - 1] = [slot.frame.now[slot.column] for slot in slots]
    assert market.first > 1_500, "old bars have been trimmed"
    for i in range(market.first, market.next):
        if lived.get(i):
            assert same([market.value(slot, i) for slot in slots], lived[i])


def test_an_operand_that_comes_late_needs_the_bars_from_the_origin() -> None:
    market, early = Market("BTCUSDT", capacity=300), Market("BTCUSDT", capacity=300)
    early_slots = acquired(early)
    for bar in KLINES[:3_000]:
        market.apply(bar)
        early.apply(bar)
    with pytest.raises(NeedsHistory):
        acquired(market)
    market.load_history(BARS)
    slots = acquired(market)
    assert market.first == 0
    assert market.seeded_from_ms is None
    assert all(slot.seeded_from_ms is None for slot in slots)
    for bar in KLINES[3_000:]:
        assert market.apply(bar) == early.apply(bar)
        assert same(fast_path(slots), fast_path(early_slots))
    assert market.snapshot() == early.snapshot()


def test_reading_back_makes_old_values_of_old_operands_known_again() -> None:
    market, whole = Market("BTCUSDT", capacity=300), Market("BTCUSDT", capacity=9_999)
    slots, others = acquired(market), acquired(whole)
    for bar in KLINES[:2_600]:
        market.apply(bar)
        whole.apply(bar)
    before = market.snapshot()
    with pytest.raises(HistoryGone):
        market.index_at(int(BARS.open_time_ms[10]))
    market.load_history(BARS)
    assert market.index_at(int(BARS.open_time_ms[0])) == 0
    assert market.snapshot() == before
    for i in range(0, market.next, 11):
        assert same([market.value(s, i) for s in slots], [whole.value(s, i) for s in others])


def test_where_the_first_bars_are_gone_an_operand_says_from_when_it_is_seeded() -> None:
    market = Market("BTCUSDT", capacity=300)
    early = market.acquire(Indicator("ema"), "1m")
    for bar in KLINES[:3_000]:
        market.apply(bar)
    known = [market.value(early, i) for i in range(market.first, market.next)]
    first = market.first
    gone_before = BARS.open_time_ms >= BARS.open_time_ms[400]
    market.load_history(BarArrays(BARS.open_time_ms[gone_before], BARS.ohlcv[gone_before]))
    late = market.acquire(Indicator("rsi"), "5m")
    assert market.seeded_from_ms == late.seeded_from_ms == int(BARS.open_time_ms[400])
    assert early.seeded_from_ms is None
    assert same([market.value(early, i) for i in range(first, market.next)], known)
    assert any(math.isfinite(market.value(late, i)) for i in range(first, market.next))
    again = Market.restore(market.snapshot(), BARS)
    assert again.seeded_from_ms == market.seeded_from_ms
    assert again.acquire(Indicator("rsi"), "5m").seeded_from_ms == late.seeded_from_ms


def test_bars_that_are_not_the_ones_it_was_made_of_are_refused() -> None:
    market = Market("BTCUSDT", capacity=300)
    for bar in KLINES[:2_000]:
        market.apply(bar)
    saved = market.snapshot()
    with pytest.raises(HistoryGone):
        Market.restore(saved, BarArrays.empty())
    with pytest.raises(HistoryGone):
        Market.restore(saved, BarArrays(BARS.open_time_ms[1_990:], BARS.ohlcv[1_990:]))
    with pytest.raises(
        HistoryGone
    ):  # ten bars of the oldest are missing: other numbers would stand at other places
        market.load_history(
            BarArrays(np.delete(BARS.open_time_ms, range(20, 30)), np.delete(BARS.ohlcv, range(20, 30), 0))
        )


def test_a_market_without_bars_is_saved_and_restored_too() -> None:
    market = Market("BTCUSDT", fill_up_to=3)
    acquired(market)
    saved = market.snapshot()
    assert Market.read_from_ms(saved) is None
    restored = Market.restore(saved, BarArrays.empty())
    slots, twins = acquired(market), acquired(restored)
    for bar in KLINES[:300]:
        assert market.apply(bar) == restored.apply(bar)
    assert same(fast_path(slots), fast_path(twins))


def test_a_node_outlives_its_last_user_by_a_day() -> None:
    bars = klines(walk(3_200, seed=23))
    market = Market("BTCUSDT", capacity=9_999)
    kept = market.acquire(Price("close"), "1m")
    slot = market.acquire(Indicator("rsi"), "5m")
    assert market.acquire(Indicator("rsi", (("window", 14),)), "5m").node is slot.node
    released_ms = 0
    for number, bar in enumerate(bars):
        if number == 1_000:
            released_ms = bar.open_time_ms
            market.release(slot, released_ms)
            market.release(slot, released_ms)
        market.apply(bar)
        alive = ("5m", slot.node.key) in market.operands.nodes
        assert alive == (released_ms == 0 or bar.open_time_ms < released_ms + 1_440 * MINUTE)
    assert market.restore(market.snapshot(), BarArrays.of(bars)).operands.nodes.keys() == {
        ("1m", kept.node.key)
    }
    again = market.acquire(Indicator("rsi"), "5m")
    fresh = Market("BTCUSDT")
    other = fresh.acquire(Indicator("rsi"), "5m")
    for bar in bars:
        fresh.apply(bar)
    assert same(again.frame.now[again.column], other.frame.now[other.column])


def test_a_state_of_another_shape_is_refused() -> None:
    """Numpy alone would spread a single number over all of them."""
    node, other = Node(key_of(Indicator("macd"))[0]), Node(key_of(Indicator("ema"))[0])
    with pytest.raises(OtherState, match="macd"):
        node.restore(other.state())


def test_after_a_restart_bars_that_are_all_there_are_asked_for_with_their_values() -> None:
    """A long window has all bars since the origin read back, but values are kept from the anchor on only."""
    leaves: list[tuple[Price | Indicator, str]] = [
        (Indicator("sma", (("window", 800),)), "1m"),
        (Price("close"), "1h"),
    ]
    market = Market("BTCUSDT")
    slots = [market.acquire(leaf, timeframe) for leaf, timeframe in leaves]
    for bar in KLINES[:1_500]:
        market.apply(bar)
    restored = Market.restore(market.snapshot(), BARS)
    twins = [restored.acquire(leaf, timeframe) for leaf, timeframe in leaves]
    assert (restored.first, restored.tape.frame.first) == (720, 0)
    assert restored.snapshot() == market.snapshot()
    restored.load_history(BARS)
    assert restored.first == 0
    late = Indicator("ema", (("window", 3),))
    slots.append(market.acquire(late, "1h"))
    twins.append(restored.acquire(late, "1h"))
    for i in range(restored.next):
        for slot, twin in zip(slots, twins, strict=True):
            assert same(restored.value(twin, i), market.value(slot, i)), (twin.node.key, i)
    assert same(fast_path(twins), fast_path(slots))
    assert restored.snapshot() == market.snapshot()


@pytest.mark.parametrize(
    "kept", [Indicator("sma", (("window", 20),)), Price("close")], ids=["closes kept", "nothing kept"]
)
def test_where_the_first_bars_are_gone_a_late_operand_of_a_folded_timeframe_begins_at_whole_bars(
    kept: Price | Indicator,
) -> None:
    """A restart has of its older bars only what kernels read: values of them would be wrong, or unknown for ever."""
    bars, needed = walk(14_000, seed=3), 95
    market, twin = Market("BTCUSDT"), Market("BTCUSDT")
    market.acquire(kept, "1h")
    rsi = twin.acquire(Indicator("rsi"), "1h")
    for bar in klines(bars)[:7_000]:
        market.apply(bar)
        twin.apply(bar)
    restored = Market.restore(market.snapshot(), bars)
    restored.acquire(kept, "1h")
    restored.load_history(BarArrays(bars.open_time_ms[4_000:], bars.ohlcv[4_000:]))
    slot = restored.acquire(Indicator("rsi"), "1h")
    began = slot.node.start_row
    assert slot.seeded_from_ms == bars.open_time_ms[0] + began * 60 * MINUTE
    for bar in klines(bars)[7_000:]:
        restored.apply(bar)
        twin.apply(bar)
        known = slot.frame.newest(slot.column)
        assert math.isnan(known) == (slot.frame.version - began < needed)
        if not math.isnan(known):
            assert known == pytest.approx(rsi.frame.newest(rsi.column), abs=0.5)
    assert slot.frame.version - began > needed
    again = Market.restore(restored.snapshot(), bars)
    assert same(
        again.value(again.acquire(Indicator("rsi"), "1h"), again.next - 1),
        restored.value(slot, restored.next - 1),
    )
