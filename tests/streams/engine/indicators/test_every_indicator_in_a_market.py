"""What holds for every indicator in a symbol's market: its state is bounded, forming bars leave no trace, a restart
goes on.
"""

from functools import cache

from schemas.conditions import MAX_WINDOW, Indicator
from schemas.market import Kline
from streams.engine import indicators
from streams.engine.bars import BarArrays
from streams.engine.errors import StateTooLarge
from streams.engine.market.market import Market
from tests.streams.engine.candles import kline, klines, walk
from tests.streams.engine.indicators.every import every, scaled
from tests.streams.engine.indicators.traits import GROWS


@every
def test_state_is_bounded_and_grows_only_where_a_window_must_be_kept(name: str) -> None:
    """No state grows with history: arrays have one size. O(1) in the window but for what is listed."""
    definition = indicators.lookup(name)
    sizes = []
    for factor in (2.0, 4.0):
        plan = definition.plan(
            {p.name: p.default for p in definition.params} | scaled(definition, factor), "sma"
        )
        sizes.append(plan.floats + plan.ints)
    assert (sizes[1] > sizes[0]) == (name in GROWS), sizes
    assert sizes[1] <= 2 * sizes[0] + 16, "at most linear in the window"


@every
def test_a_symbols_row_has_room_for_it_or_it_is_refused(name: str) -> None:
    definition = indicators.lookup(name)
    for factor in (1.0, 10.0, float(MAX_WINDOW)):
        params = scaled(definition, factor)
        if definition.refuse(params) is not None:
            continue
        market = Market("BTCUSDT")
        try:
            market.acquire(Indicator(name, tuple(params.items())), "1m")
        except StateTooLarge:
            assert factor > 10.0 or name in GROWS
        for bar in bars_of_a_while():
            market.apply(bar)
        assert len(market.snapshot()) < 65_536


@cache
def bars_of_a_while() -> list[Kline]:
    return klines(walk(40, seed=12))


@every
def test_a_forming_bar_leaves_no_trace(name: str) -> None:
    bars = walk(90, seed=13)
    market, without = Market("BTCUSDT"), Market("BTCUSDT")
    slots = [
        one.acquire(Indicator(name), timeframe) for one in (market, without) for timeframe in ("1m", "3m")
    ]
    for opened, row in zip(bars.open_time_ms.tolist(), bars.ohlcv.tolist(), strict=True):
        o, h, low, _, v = row
        market.apply(kline(opened, [o, h * 1.5, low / 2.0, low / 2.0, v * 9.0], closed=False))
        for one in (market, without):
            one.apply(kline(opened, row))
    without.counters["forming"] = market.counters["forming"]
    assert market.snapshot() == without.snapshot()
    for mine, theirs in zip(slots[:2], slots[2:], strict=True):
        assert (mine.node.f.tobytes(), mine.node.i.tobytes()) == (
            theirs.node.f.tobytes(),
            theirs.node.i.tobytes(),
        )
        assert repr(mine.frame.now) == repr(theirs.frame.now)


@every
def test_a_market_goes_on_after_a_restart(name: str) -> None:
    """Before and past the anchors that it keeps, on the base timeframe and above."""
    bars = walk(800, seed=14)
    messages, market = klines(bars), Market("BTCUSDT")
    slots = [market.acquire(Indicator(name), timeframe) for timeframe in ("1m", "5m")]
    saved = {}
    for number, bar in enumerate(messages):
        if number in {2, 60, 719, 720, 721, 747}:
            saved[number] = market.snapshot()
        market.apply(bar)
    for number, snapshot in saved.items():
        restored = Market.restore(snapshot, BarArrays(bars.open_time_ms[:number], bars.ohlcv[:number]))
        twins = [restored.acquire(Indicator(name), timeframe) for timeframe in ("1m", "5m")]
        for bar in messages[number : number + 40]:
            restored.apply(bar)
        for twin, slot in zip(twins, slots, strict=True):
            for at in range(number, restored.next):
                assert repr(restored.value(twin, at)) == repr(market.value(slot, at)), (number, at)
