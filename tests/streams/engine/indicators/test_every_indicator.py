"""What holds for every indicator, whatever it computes. Who is excused, and why, stands in `traits.py`."""

import math

import numpy as np
import pytest

from schemas.conditions import ANCHOR, Indicator
from streams.engine import indicators
from streams.engine.bars import CLOSE, VOLUME, BarArrays
from streams.engine.kernels.oracle import SourceProgram
from streams.engine.market.compute import compute
from streams.engine.market.nodes import Node, key_of
from tests.streams.engine.candles import SHARED, recorded, walk
from tests.streams.engine.indicators.every import HOUR, each, hourly, live, long_enough, resumed, same, whole
from tests.streams.engine.indicators.traits import GROWS, MISSING_AT_TIMES, RECURSIVE, magnification
from tests.streams.engine.regimes import generated


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
        fading = magnification(leaf)
        bound = 1e-9 if fading is None else fading * 1e-3
        spread = max(np.abs(y[there]).max(), 1e-9) if fading is None else np.ptp(y[there])
        assert np.abs(x - y)[there].max() <= bound * spread, name


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
