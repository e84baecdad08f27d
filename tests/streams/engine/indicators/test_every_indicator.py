"""What holds for every indicator, whatever it computes. Who is excused, and why, stands in `traits.py`."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest

from schemas.conditions import ANCHOR, MAX_WINDOW, Indicator
from schemas.market import Kline
from streams.engine import indicators
from streams.engine.bars import CLOSE, VOLUME, BarArrays, Floats
from streams.engine.errors import StateTooLarge
from streams.engine.indicators.definition import Definition, Param
from streams.engine.kernels.oracle import SourceProgram
from streams.engine.kernels.program import CompiledProgram, Program
from streams.engine.kernels.sessions import DAY
from streams.engine.market.compute import compute
from streams.engine.market.frames import Frame
from streams.engine.market.market import Market
from streams.engine.market.nodes import Node, State, key_of
from tests.streams.engine.candles import MINUTE, MONDAY, SHARED, kline, klines, recorded, walk
from tests.streams.engine.indicators.traits import GROWS, MISSING_AT_TIMES, RECURSIVE
from tests.streams.engine.regimes import generated


def scaled(definition: Definition, factor: float) -> dict[str, float]:
    """Its windows times `factor`, as far as they may go; other parameters at their defaults."""
    return {
        p.name: min(max(p.low, int(p.default * factor)), p.high) if window(p) else p.default
        for p in definition.params
        if p.name != ANCHOR
    }


def window(param: Param) -> bool:
    return param.whole and param.high == MAX_WINDOW and param.default > 1


def variants(definition: Definition) -> list[dict[str, float]]:
    anchored = (
        [{ANCHOR: DAY}] if any(p.name == ANCHOR and p.default != DAY for p in definition.params) else []
    )
    return [{}, scaled(definition, 0.25), *anchored]


def leaves() -> list[Indicator]:
    """Each indicator with its defaults and with small windows, with every seed that makes a difference."""
    found = {
        indicators.canonical(Indicator(name, tuple(params.items()), seed=seed)): None
        for name in indicators.names()
        for params in variants(indicators.lookup(name))
        for seed in ("auto", "sma", "first")
        if indicators.lookup(name).refuse(params or scaled(indicators.lookup(name), 1.0)) is None
    }
    return list(found)


def ids(leaf: Indicator) -> str:
    return "-".join([leaf.name, *(f"{value:g}" for _, value in leaf.params), leaf.seed])


HOUR = 60 * MINUTE
LEAVES = leaves()
each = pytest.mark.parametrize("leaf", LEAVES, ids=ids)
every = pytest.mark.parametrize("name", indicators.names())


def same(a: Floats, b: Floats) -> bool:
    return a.tobytes() == b.tobytes() or np.array_equal(a, b, equal_nan=True)


def hourly(ohlcv: Floats) -> BarArrays:
    """The bars an hour apart, so that there are days among them."""
    return BarArrays(MONDAY + HOUR * np.arange(len(ohlcv)), ohlcv)


def whole(
    leaf: Indicator, bars: BarArrays, programs: Callable[[], Program] = CompiledProgram
) -> dict[str, Floats]:
    return compute(leaf, bars.ohlcv, programs, bars.open_time_ms)


def long_enough(node: Node, count: int) -> int:
    """`count` bars, or more where an operand is ready later (KAMA, which may be slow to forget)."""
    return max(count, max(node.ready) + 100)


@dataclass(frozen=True)
class Live:
    """A node that saw its bars one by one, and its state before each of them."""

    node: Node
    frame: Frame
    states: list[State]

    @property
    def values(self) -> Floats:
        return self.frame.rows(self.frame.out, 0, self.frame.next)[:, self.node.column :][
            :, : self.node.width
        ]

    def usable(self) -> dict[str, Floats]:
        """What may fire (law 5) at each bar, NaN where nothing may."""
        return {
            name: np.array(
                [self.frame.usable(self.node.column + k, row, 0) for row in range(self.frame.next)]
            )
            for k, name in enumerate(self.node.outputs)
        }


def live(leaf: Indicator, bars: BarArrays) -> Live:
    frame, node = Frame("1h", CompiledProgram), Node(key_of(leaf)[0])
    frame.add(node)
    frame.opens_at(int(bars.open_time_ms[0]))
    states = []
    for row in bars.ohlcv.tolist():
        states.append(node.state())
        frame.append(*row)
    return Live(node, frame, states)


def resumed(leaf: Indicator, bars: BarArrays, cut: int, state: State, stop: int) -> Floats:
    """Values of bars [cut, stop), given only `state` and the columns that the windows reach before `cut`."""
    frame, node = Frame("1h", CompiledProgram), Node(key_of(leaf)[0])
    rows = bars.rows()[max(cut - node.lookback, 0) : cut]
    unread = [column for column in range(rows.shape[1]) if column not in node.reads]
    rows[:, unread] = math.nan
    frame.begin_at(cut, rows, 0)
    frame.opens_at(int(bars.open_time_ms[cut]))
    frame.add(node)
    node.restore(state)
    for row in bars.ohlcv[cut:stop].tolist():
        frame.append(*row)
    return frame.rows(frame.out, cut, stop)[:, node.column : node.column + node.width]


@each
def test_compiled_is_the_source_to_the_bit(leaf: Indicator) -> None:
    bars = hourly(walk(300, seed=3).ohlcv)
    compiled, source = whole(leaf, bars), whole(leaf, bars, SourceProgram)
    assert all(same(compiled[name], source[name]) for name in source)


@each
def test_bar_by_bar_is_the_whole_array_to_the_bit(leaf: Indicator) -> None:
    bars = hourly(walk(700, seed=4, start=0.07, decimals=6).ohlcv)
    one_by_one, at_once = live(leaf, bars), whole(leaf, bars)
    assert all(same(at_once[name], one_by_one.values[:, k]) for k, name in enumerate(one_by_one.node.outputs))


@each
def test_a_restart_at_any_bar_goes_on_to_the_bit(leaf: Indicator) -> None:
    """Also when the first price after it outgrows the unit of exact sums, and they are made afresh."""
    bars = hourly(walk(260, seed=5).ohlcv)
    bars.ohlcv[200:, :VOLUME] *= 1e7
    never_stopped = live(leaf, bars)
    for cut in range(1, len(bars)):
        stop = min(cut + 4, len(bars)) if cut % 40 else len(bars)
        again = resumed(leaf, bars, cut, never_stopped.states[cut], stop)
        assert same(again, never_stopped.values[cut:stop]), f"restart before bar {cut + 1}"


@each
def test_nothing_but_numbers_and_missing_comes_out(leaf: Indicator) -> None:
    flat = np.tile([5.0, 5.0, 5.0, 5.0, 0.0], (120, 1))
    wild = walk(200, seed=6).ohlcv
    wild[50:, :4] *= 1e12
    wild[90:, :4] *= 1e-20
    for ohlcv in (flat, wild, wild[:1], wild[:0], *generated().values()):
        for values in whole(leaf, hourly(ohlcv)).values():
            assert not np.isinf(values).any()


@each
def test_a_ready_operand_is_defined_on_a_moving_market(leaf: Indicator) -> None:
    node = Node(key_of(leaf)[0])
    bars = hourly(walk(long_enough(node, 900), seed=7).ohlcv)
    values, usable = whole(leaf, bars), live(leaf, bars).usable()
    for name, least in zip(node.outputs, node.ready, strict=True):
        first = int(np.flatnonzero(np.isfinite(usable[name]))[0])
        excused = f"{leaf.name}.{name}" in MISSING_AT_TIMES
        assert first >= least - 1 if node.tells_reach or excused else first == least - 1
        if not excused:
            missing = np.isnan(values[name][first:]).sum()
            assert not missing, f"{name} is missing {missing} times"


@each
def test_what_a_ready_operand_is_worth_hardly_depends_on_what_came_before(leaf: Indicator) -> None:
    """Law 5: with another beginning the value is the same, or, where it is recursive, differs by less than a
    thousandth of its range. Sums that never forget are what came before, and say so.
    """
    node = Node(key_of(leaf)[0])
    if indicators.lookup(leaf.name).never_forgets and ANCHOR not in dict(leaf.params):
        assert max(node.ready) <= 2 + max((value for _, value in leaf.params), default=0), "ready at once"
        return
    end, days = (
        hourly(walk(long_enough(node, 600), seed=8).ohlcv),
        10 * 24,
    )  # whole days: sessions begin alike
    times = end.open_time_ms[0] + HOUR * np.arange(-days, len(end))
    other = BarArrays(times, np.vstack([walk(days, seed=9).ohlcv, end.ohlcv]))
    a, b = live(leaf, end).usable(), live(leaf, other).usable()
    for name, x in a.items():
        y = b[name][days:]
        there = np.isfinite(x)
        assert there.any()
        assert np.isfinite(y[there]).all()
        bound = RECURSIVE.get(leaf.name, 1e-9) * (1e-3 if leaf.name in RECURSIVE else 1.0)
        spread = np.ptp(y[there]) if leaf.name in RECURSIVE else max(np.abs(y[there]).max(), 1e-9)
        assert np.abs(x - y)[there].max() <= bound * spread, name


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


def test_excuses_are_for_indicators_that_are_there() -> None:
    outputs = {
        f"{name}.{output}" for name in indicators.names() for output in indicators.lookup(name).outputs
    }
    assert set(MISSING_AT_TIMES) <= outputs
    assert set(RECURSIVE) | set(GROWS) <= set(indicators.names())


@pytest.mark.parametrize("price", [0.07, 1.1, 67_123.45, 108.9, 1 / 3, 3e-8])
def test_a_flat_window_is_exactly_flat(price: float) -> None:
    """Law 13: means equal the close, deviations are 0, whatever came before."""
    ohlcv = walk(160, seed=10, start=price, decimals=12).ohlcv
    ohlcv[100:, :4] = ohlcv[99, CLOSE]
    close = ohlcv[99, CLOSE]
    window = (("window", 20),)
    assert compute(Indicator("sma", window), ohlcv)["sma"][-1] == close
    bands = compute(Indicator("bollinger", window), ohlcv)
    assert [bands[name][-1] for name in ("mavg", "hband", "lband", "wband")] == [close, close, close, 0.0]
    assert math.isnan(bands["pband"][-1])
    assert math.isnan(compute(Indicator("stochastic"), ohlcv)["stoch"][-1])
    ema = compute(Indicator("ema", (("window", 2),), seed="sma"), ohlcv[120:])
    assert ema["ema"][-1] == close


@pytest.mark.parametrize("seed", ["auto", "sma", "first"])
def test_a_market_flat_from_the_start_has_no_strength(seed: str) -> None:
    flat = np.tile([5.0, 5.0, 5.0, 5.0, 1.0], (60, 1))
    assert np.isnan(compute(Indicator("rsi", seed=seed), flat)["rsi"]).all()  # type: ignore[arg-type]
    assert compute(Indicator("atr"), flat)["atr"][-1] == 0.0


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.exists(), reason="the shared recordings are not beside the checkout")
@pytest.mark.parametrize("symbol", ["ADAUSDT", "BTCUSDT"])
def test_recorded_candles_give_the_same_both_ways(symbol: str) -> None:
    ohlcv = recorded(symbol, 400).ohlcv
    for name in indicators.names():
        compiled, source = compute(Indicator(name), ohlcv), compute(Indicator(name), ohlcv, SourceProgram)
        assert all(same(compiled[output], source[output]) for output in source)
