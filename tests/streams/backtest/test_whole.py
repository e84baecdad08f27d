"""Kernels over columns give the bits that they give over rows: on the stack, in memory, with a reach of their own."""

import numpy as np
import pytest

from schemas.conditions import Indicator, Price
from streams.engine.backtest.candles import Candles
from streams.engine.backtest.extremes import BLOCK, Extremes
from streams.engine.backtest.whole import over
from streams.engine.indicators import names
from streams.engine.market.compute import compute
from streams.engine.market.nodes import Node, key_of
from tests.streams.engine.candles import walk

FEW = (
    Indicator("rsi"),
    Indicator("ema", (("window", 21),)),
    Indicator("sma", (("window", 7),)),
    Indicator("highest", (("window", 90),)),
    Indicator("macd"),
    Indicator("vwap"),
    Indicator("psar"),
)


def _same_bits(leaf: Indicator) -> None:
    bars = walk(900, 3)
    node = Node(key_of(leaf)[0])
    found = over(node, Candles.of("BTCUSDT", bars))
    rows = compute(leaf, bars.ohlcv, open_time_ms=bars.open_time_ms)
    for number, output in enumerate(node.outputs):
        assert np.array_equal(found[number], rows[output], equal_nan=True), (leaf.name, output)


@pytest.mark.parametrize("leaf", FEW, ids=lambda leaf: str(leaf.name))
def test_columns_give_the_bits_of_rows(leaf: Indicator) -> None:
    _same_bits(leaf)


@pytest.mark.slow
def test_columns_give_the_bits_of_rows_for_every_indicator() -> None:
    for name in names():
        _same_bits(Indicator(name))


def test_prices_of_heikin_ashi_too() -> None:
    bars = walk(300, 4)
    candles = Candles.of("BTCUSDT", bars)
    closes = over(Node(key_of(Price("ha_close"))[0]), candles)[0]
    assert closes[0] == pytest.approx(bars.ohlcv[0, :4].mean())


@pytest.mark.parametrize("seed", range(6))
def test_blocks_find_the_bar_that_looking_at_each_finds(seed: int) -> None:
    bars = walk(3 * BLOCK * BLOCK + 5, seed)
    high, low = np.ascontiguousarray(bars.ohlcv[:, 1]), np.ascontiguousarray(bars.ohlcv[:, 2])
    extremes = Extremes(low, high)
    rng = np.random.default_rng(seed)
    for start in rng.integers(0, len(low), 60).tolist():
        level = float(low[start] * rng.choice([0.97, 0.995, 1.0, 1.01]))
        met = np.flatnonzero(low[start:] <= level)
        assert extremes.below(start, level) == (start + met[0] if len(met) else len(low))
        met = np.flatnonzero(high[start:] >= level)
        assert extremes.above(start, level) == (start + met[0] if len(met) else len(low))
