"""Truths over whole arrays against the definition, asked at every bar: all kinds, clocks, gaps, unreadiness."""

import numpy as np
import pytest

from schemas.conditions import Condition
from streams.engine.backtest.candles import Candles
from streams.engine.backtest.truths import BarByBar, TruthTable, values_at
from streams.engine.bars import BarArrays
from streams.engine.conditions.comparisons import Moment
from streams.engine.conditions.expression import parse
from streams.engine.conditions.resolve import resolve
from streams.engine.groups.reports import values
from streams.engine.market.market import Market
from streams.engine.network.network import Network
from tests.streams.engine.candles import MONDAY, klines, walk, with_gaps

CONDITIONS = (
    "close < 100",
    "100 >= close",
    "rsi(14) < 45",
    "not rsi(5) < 40",
    "crosses_above(rsi(14), 50)",
    "crosses(close, ema(10))",
    "crosses_below(ema(5), ema(12))",
    'close > ema(4, "5m") and rsi(9) < 55',
    'crosses_above(ema(3, "5m"), ema(6, "5m"))',
    'rsi(3, "15m") > 50 or close < sma(20)',
    "close > close[3] and volume > volume[1]",
    'rsi(4, "5m")[2] < 60',
    "(high - low) / close > 0.001",
    "close / (open - open) > 1 or close > 100",
    "inside(rsi(14), 40, 60)",
    "enters(rsi(14), 45, 55)",
    "outside(close, sma(10) - 0.1, sma(10) + 0.1)",
    "exits(close, sma(10) - 0.1, sma(10) + 0.1)",
    "moves_up(close, 0.1, 5)",
    "moves_down_percent(ema(5), 0.1, 4)",
    'moves_up(close - ema(3, "5m"), 0.05, 3)',
    "holds(close > sma(5), 4)",
    'holds(rsi(3, "5m") > 40, 3)',
    "vwap() < close",
    "holds(not (close < open or close < sma(3)), 2)",
    "macd(6, 3, 2).macd > macd(6, 3, 2).macd_signal",
)
COUNT = 700


def _parse(text: str) -> Condition:
    return resolve(parse(text), "1m")


def _bars(seed: int) -> BarArrays:
    # Not from a bucket's begin, over midnight, with holes that are filled and holes that are not.
    bars = walk(COUNT, seed, origin_ms=MONDAY - 173 * 60_000)
    return with_gaps(bars, 0.01, 9, seed + 1) if seed % 2 else bars


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_truths_and_values_are_those_of_the_definition_at_every_bar(seed: int) -> None:
    bars = _bars(seed)
    market = Market("BTCUSDT", capacity=10**6)
    network = Network(market)
    table = TruthTable(Candles.of("BTCUSDT", bars))
    for kline in klines(bars):
        market.apply(kline)
    assert market.next == len(table.candles)
    for text in CONDITIONS:
        condition = _parse(text)
        node = network.acquire(condition)
        found = table.of(condition)
        known: set[int] = set()
        for number in range(market.next):
            bar = market.bar(number)
            moment = Moment(number, bar.open_time_ms, bar.close_time_ms, bar.close_time_ms, bar.low, bar.high)
            truth = node.decide(moment)
            assert found[number] == (-1 if truth is None else int(truth)), (text, number)
            known.add(int(found[number]))
            if number % 50 == 0 or number > COUNT - 3:
                assert values_at([condition], table.operands, number) == values([node], moment, "1m"), text
        # Holes leave recursive operands unknown for long: that is for the seeds with gaps.
        assert len(known) > 1 or seed % 2, f"{text}: nothing was tried"


def test_what_depends_on_who_watches_is_refused() -> None:
    table = TruthTable(Candles.of("BTCUSDT", walk(10)))
    for text in ('schedule("0 9 * * *")', "sequence(close > 1, close > 2, within=5)"):
        with pytest.raises(BarByBar):
            table.of(_parse(text))


def test_a_market_lays_the_same_bars_out() -> None:
    bars = _bars(1)
    market = Market("BTCUSDT", capacity=10**6)
    for kline in klines(bars):
        market.apply(kline)
    candles = Candles.of("BTCUSDT", bars)
    for number in range(market.next):
        bar = market.bar(number)
        mine = candles.bar(number)
        assert (bar.open_time_ms, bar.open, bar.high, bar.low, bar.close, bar.volume) == (
            mine.open_time_ms, mine.open, mine.high, mine.low, mine.close, mine.volume,
        )  # fmt: skip
        assert bar.filled == (number in candles.is_filled)
    assert np.array_equal(candles.rows(), market.tape.frame.bars[: market.next])
