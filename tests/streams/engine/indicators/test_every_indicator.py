"""What holds for every indicator, whatever it computes."""

import math

import numpy as np
import pytest

from schemas.conditions import Indicator
from streams.engine import indicators
from streams.engine.bars import CLOSE, Floats
from streams.engine.kernels.oracle import SourceProgram
from streams.engine.kernels.program import CompiledProgram
from streams.engine.market.compute import compute
from streams.engine.market.frames import Frame
from streams.engine.market.nodes import Node, key_of
from tests.streams.engine.candles import SHARED, recorded, walk

SMALL = {
    name: {p.name: max(1, int(p.default) // 4) for p in indicators.lookup(name).params if p.whole}
    for name in indicators.names()
}
LEAVES = [
    Indicator(name, tuple(params.items()), seed=seed)
    for name in indicators.names()
    for params in ({}, SMALL[name])
    for seed in ("auto", "sma", "first")
]
# A small version of a switch is the same version; the other one is another indicator.
LEAVES += [Indicator("keltner", (("original_version", 0),), seed=seed) for seed in ("auto", "sma", "first")]
# Sums that never forget are what came before, and say so (law 5).
FORGETTING = [leaf for leaf in LEAVES if not indicators.lookup(leaf.name).never_forgets]
# Missing on a moving market too, where a short window did not move: 0/0.
ZERO_BY_ZERO = {"pband", "williams_r", "ultimate_oscillator"}
# Missing in the other trend; a line or its average that has not moved in a cycle, which of two bars is common: 0/0.
SOMETIMES = {"psar_up", "psar_down", "stc"}
LINEAR = {"ema", "atr", "macd", "macd_signal", "macd_diff", "awesome_oscillator", "kama", "rolling_vwap"}


def ids(leaf: Indicator) -> str:
    return "-".join([leaf.name, *(str(value) for _, value in leaf.params), leaf.seed])


def same(a: Floats, b: Floats) -> bool:
    return a.tobytes() == b.tobytes() or np.array_equal(a, b, equal_nan=True)


def long_enough(node: Node, count: int) -> int:
    """`count` bars, or more where an operand is ready later (KAMA, which may be slow to forget)."""
    return max(count, max(node.ready) + 100)


def live(leaf: Indicator, ohlcv: Floats) -> tuple[Frame, Node]:
    """The node after the bars came one by one."""
    frame, node = Frame("1m", CompiledProgram), Node(key_of(leaf)[0])
    frame.add(node)
    for row in ohlcv.tolist():
        frame.append(*row)
    return frame, node


@pytest.mark.parametrize("leaf", LEAVES, ids=ids)
def test_compiled_is_the_source_to_the_bit(leaf: Indicator) -> None:
    ohlcv = walk(300, seed=3).ohlcv
    compiled, source = compute(leaf, ohlcv), compute(leaf, ohlcv, SourceProgram)
    assert all(same(compiled[name], source[name]) for name in source)
    assert any(np.isfinite(values).any() for values in source.values())


@pytest.mark.parametrize("leaf", LEAVES, ids=ids)
def test_bar_by_bar_is_the_whole_array_to_the_bit(leaf: Indicator) -> None:
    ohlcv = walk(700, seed=4, start=0.07, decimals=6).ohlcv
    frame, node = live(leaf, ohlcv)
    whole = compute(leaf, ohlcv)
    assert all(same(whole[name], frame.values(node.column + k)) for k, name in enumerate(node.outputs))


@pytest.mark.parametrize("leaf", LEAVES, ids=ids)
def test_a_copied_state_goes_on_to_the_bit(leaf: Indicator) -> None:
    ohlcv = walk(400, seed=5).ohlcv
    frame, node = live(leaf, ohlcv[:250])
    state = node.state()
    for row in ohlcv[250:].tolist():
        frame.append(*row)
    resumed, twin = live(leaf, ohlcv[:250])
    twin.reset()
    twin.restore(state)
    for row in ohlcv[250:].tolist():
        resumed.append(*row)
    for k in range(node.width):
        assert same(resumed.values(twin.column + k), frame.values(node.column + k))


@pytest.mark.parametrize("leaf", LEAVES, ids=ids)
def test_state_and_the_columns_that_windows_reach_are_all_a_restart_needs(leaf: Indicator) -> None:
    """Also when the first price after it outgrows the unit of the sums and they are made afresh."""
    ohlcv = walk(400, seed=5).ohlcv
    for outgrown in (False, True):
        if outgrown:
            ohlcv[250:, :4] *= 1e7
        frame, node = live(leaf, ohlcv)
        state = live(leaf, ohlcv[:250])[1].state()
        resumed, twin = Frame("1m", CompiledProgram), Node(key_of(leaf)[0])
        rows = np.full((twin.lookback, 5), np.nan)
        rows[:, list(twin.reads)] = ohlcv[250 - twin.lookback : 250, list(twin.reads)]
        resumed.begin_at(250, rows, 0)
        resumed.add(twin)
        twin.restore(state)
        for row in ohlcv[250:].tolist():
            resumed.append(*row)
        for k in range(node.width):
            assert same(resumed.values(twin.column + k)[-150:], frame.values(node.column + k)[-150:])


@pytest.mark.parametrize("leaf", LEAVES, ids=ids)
def test_nothing_but_numbers_and_missing_comes_out(leaf: Indicator) -> None:
    flat = np.tile([5.0, 5.0, 5.0, 5.0, 0.0], (120, 1))
    wild = walk(200, seed=6).ohlcv
    wild[50:, :4] *= 1e12
    wild[90:, :4] *= 1e-20
    for ohlcv in (flat, wild, wild[:1], wild[:0]):
        for values in compute(leaf, ohlcv).values():
            assert not np.isinf(values).any()


@pytest.mark.parametrize("leaf", LEAVES, ids=ids)
def test_a_ready_operand_is_defined_on_a_moving_market(leaf: Indicator) -> None:
    node = Node(key_of(leaf)[0])
    values = compute(leaf, walk(long_enough(node, 900), seed=7).ohlcv)
    for name, ready in zip(node.outputs, node.ready, strict=True):
        if name in SOMETIMES:
            assert np.isfinite(values[name][ready - 1 :]).any()
            continue
        assert math.isfinite(values[name][ready - 1])
        undefined = np.flatnonzero(np.isnan(values[name]))
        assert (undefined < ready).all() or name in ZERO_BY_ZERO or name.startswith("stoch")


@pytest.mark.parametrize("leaf", FORGETTING, ids=ids)
def test_what_a_ready_operand_is_worth_hardly_depends_on_what_came_before(leaf: Indicator) -> None:
    """Law 5: with another beginning the value differs by less than the bound times how far the beginnings
    differ.
    """
    node = Node(key_of(leaf)[0])
    end = walk(long_enough(node, 600), seed=8).ohlcv
    other = np.vstack([walk(30, seed=9).ohlcv, end])
    a, b = compute(leaf, end), compute(leaf, other)
    for name, ready in zip(node.outputs, node.ready, strict=True):
        x, y = a[name][ready - 1 :], b[name][30 + ready - 1 :]
        both = np.isfinite(x) & np.isfinite(y)
        linear = name in LINEAR
        spread = max(np.ptp(end[:, CLOSE]), 1.0) if linear else 1000.0  # a ratio magnifies in quiet markets
        assert np.all(np.abs(x - y)[both] <= 1e-3 * spread)


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
