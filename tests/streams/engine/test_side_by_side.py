"""Symbols side by side are, to the bit, what each is alone: values old and new, rows, snapshots, what is said."""

import math
from dataclasses import dataclass, field
from random import Random

import msgspec
import numpy as np
import pytest

from schemas.alerts import AlertCommand
from schemas.conditions import Indicator
from schemas.market import Kline
from streams.engine.bars import BarArrays, Floats
from streams.engine.groups.reports import Output
from streams.engine.indicators import names
from streams.engine.lanes import steps
from streams.engine.lanes.warm import warm_up
from streams.engine.market.market import Market
from streams.engine.symbol import SymbolEngine
from streams.engine.together import Together

START = 1_700_438_400_000
MINUTE = 60_000
SYMBOLS = 11

# Two plans that several symbols have; one symbol has a plan of its own. What is asked of them differs.
PLANS = (
    (
        "sma(5) > {price}", "not crosses(sma(5), ema(27))", "bollinger(6).hband < {price}", "rsi(14) < 9",
        "atr(5) > 1.2", "stochastic(25).stoch_signal > 99", "macd(9, 4, 3).macd_diff > 0.3", "close > vwap()",
    ),
    (
        "pivots().pivot > {price}", "stochrsi(5).stochrsi_k > 0.9", "highest(8) <= {price}", "wma(4) > {price}",
        "cci(6) > {percent}", 'ema(3, "5m") > {price}', "high > {price}",
    ),
    ("close[3] > {price}", "sma(5) > {price}"),
)  # fmt: skip
LATER = (
    "sma(9) > {price}", "crosses(sma(5), {price})", "low < {price}", "rsi(14) > {percent}", "ema(27) < sma(5)",
    "crosses(bollinger(6).hband, {price})", "close > {price}", "sma(5)[3] > {price}",
)  # fmt: skip


def plan_of(symbol: int) -> tuple[str, ...]:
    return PLANS[0 if symbol < 6 else 1 if symbol < SYMBOLS - 1 else 2]


def candles(minutes: int, seed: int) -> Floats:
    """Walks that stand still now and then."""
    dice = np.random.default_rng(seed)
    price = np.full(SYMBOLS, 100.0)
    found = np.empty((minutes, SYMBOLS, 5))
    for minute, row in enumerate(found):
        calm = minute % 97 < 20
        opened, price = price, np.round(price + (0.0 if calm else dice.normal(0, 0.4, SYMBOLS)), 1)
        row[:, 0], row[:, 3], row[:, 4] = opened, price, 0.0 if calm else 1.0 + minute % 3
        wick = 0.0 if calm else 0.1
        row[:, 1], row[:, 2] = np.maximum(opened, price) + wick, np.minimum(opened, price) - wick
    return found


def alert(dice: Random, symbol: int, name: str, text: str, near: float = 0.0) -> AlertCommand:
    price = near + dice.choice([-0.2, -0.1, 0.0, 0.1, 0.2, 1.0]) if near else dice.uniform(90, 110)
    condition = text.format(price=round(price, 1), percent=dice.randrange(10, 90))
    return AlertCommand(
        alert_id=name, user_id="u", symbol=f"S{symbol}", condition=condition, frequency="once_per_bar_close",
        when_true_at_arming="wait",
    )  # fmt: skip


def kline(symbol: int, open_time_ms: int, row: Floats) -> Kline:
    o, h, low, c, v = row.tolist()
    return Kline(
        symbol=f"S{symbol}", interval="1m", open_time_ms=open_time_ms, open=o, high=h, low=low, close=c, volume=v
    )  # fmt: skip


def said(outputs: list[Output]) -> list[bytes]:
    return [msgspec.json.encode(one) for one in outputs]


@dataclass
class Pair:
    """One symbol twice: alone, and lent."""

    alone: SymbolEngine
    lent: SymbolEngine
    klines: list[Kline] = field(default_factory=list)
    rows: dict[str, bytes] = field(default_factory=dict)

    def command(self, command: AlertCommand, generation: int, since_ms: int) -> None:
        for engine in (self.alone, self.lent):
            if engine.needs_history(command):
                engine.load_history(BarArrays.of(self.klines))
        wanted = self.alone.on_alert(command, generation, since_ms)
        assert said(self.lent.on_alert(command, generation, since_ms)) == said(wanted)

    def same_values(self, dice: Random, bars: int) -> None:
        one, other = self.alone.market, self.lent.market
        assert one.next == other.next
        first = max(one.first, other.first)  # a restart keeps bars from an anchor on
        for place, node in one.operands.nodes.items():
            twin = other.operands.nodes[place]
            assert all(
                np.array_equal(a, b, equal_nan=True) for a, b in zip(node.state(), twin.state(), strict=True)
            )
            frame, theirs = one.operands.frames[place[0]], other.operands.frames[place[0]]
            for index in {one.next - 1, *(dice.randrange(first, one.next) for _ in range(bars))}:
                row, clean = frame.row_seen_at(index), frame.clean_row(index)
                for k in range(node.width):
                    value, twins = (
                        frame.usable(node.column + k, row, clean),
                        theirs.usable(twin.column + k, row, clean),
                    )
                    assert value == twins or (math.isnan(value) and math.isnan(twins)), (place, index)

    def same_rows(self) -> None:
        mine, theirs = (sorted(engine.dirty_groups()) for engine in (self.alone, self.lent))
        assert mine == theirs
        self.rows.update({row.key: row.body for row in theirs})
        assert self.alone.market.snapshot() == self.lent.market.snapshot()

    def restart(self, pos: int) -> None:
        """The lent one from its rows, as after a crash."""
        self.same_rows()
        market = Market.restore(self.lent.market.snapshot(), BarArrays.of(self.klines))
        self.lent = SymbolEngine.restore(
            self.lent.symbol, market, [body for body in self.rows.values() if body], pos, self.lent.stand_ins
        )


def fresh(symbol: int) -> SymbolEngine:
    return SymbolEngine(f"S{symbol}", Market(f"S{symbol}", capacity=300))


def pairs(dice: Random) -> list[Pair]:
    found = []
    for symbol in range(SYMBOLS):
        pair = Pair(fresh(symbol), fresh(symbol))
        for number, text in enumerate(plan_of(symbol)):
            pair.command(alert(dice, symbol, f"a{number}", text), number, START)
        found.append(pair)
    return found


def lend(all_pairs: list[Pair]) -> Together:
    return Together([pair.lent for pair in all_pairs])


@pytest.mark.parametrize("seed", range(8))
def test_side_by_side_each_is_what_it_is_alone(seed: int) -> None:
    """900 minutes, so that an anchor is taken and bars go; minutes missing for all, histories of different lengths."""
    dice, bars = Random(seed), candles(900, seed)
    all_pairs = pairs(dice)
    begins = [dice.choice([0, 0, dice.randrange(1, 40)]) for _ in all_pairs]
    at_ms, pos, packed = START, 0, 0
    together: Together | None = None
    for minute, rows in enumerate(bars):
        at_ms += MINUTE if dice.random() < 0.99 else dice.choice([3, 9]) * MINUTE
        pos += 1
        if minute == 50:
            together = lend(all_pairs)
        wanted = {}
        for symbol, pair in enumerate(all_pairs):
            if minute >= begins[symbol]:
                bar = kline(symbol, at_ms, rows[symbol])
                pair.klines.append(bar)
                wanted[symbol] = said(pair.alone.on_kline(bar, pos))
                if together is None:
                    assert said(pair.lent.on_kline(bar, pos)) == wanted[symbol]
        if together is None:
            continue
        spoken = {one.place: said(one.outputs) for one in together.on_bars(at_ms, rows, pos)}
        assert spoken == {symbol: outputs for symbol, outputs in wanted.items() if outputs}
        packed += together.side_by_side
        if dice.random() < 0.1:
            symbol = dice.randrange(SYMBOLS)
            pair = all_pairs[symbol]
            assert together.engine(symbol) is pair.lent
            pair.same_values(dice, 30)
            if dice.random() < 0.5:
                late = alert(dice, symbol, f"late{dice.randrange(4)}", dice.choice(LATER), rows[symbol, 3])
                pair.command(late, 1_000 + minute, at_ms - dice.randrange(5) * MINUTE)
        if dice.random() < 0.004:
            for symbol, pair in enumerate(all_pairs):
                together.engine(symbol)
                pair.restart(pos)
            together = lend(all_pairs)
    assert together is not None
    assert packed > 2_000
    for symbol, pair in enumerate(all_pairs):
        together.engine(symbol)
        pair.same_values(dice, 200)
        pair.same_rows()


def test_values_that_nobody_asked_for_while_bars_came_and_went_are_there_when_somebody_does() -> None:
    """2,300 minutes: anchors and old bars go by while nothing is due, and outputs are made up for from their states."""
    dice, bars = Random(3), candles(2_300, 3)
    all_pairs = [Pair(fresh(symbol), fresh(symbol)) for symbol in range(5)]
    for symbol, pair in enumerate(all_pairs):
        for number, text in enumerate(("sma(5) > 900", "stochastic(5).stoch_signal > 900", "close > 900")):
            pair.command(alert(dice, symbol, f"a{number}", text), number, START)
    together = lend(all_pairs)
    packed = 0
    for minute, rows in enumerate(bars):
        at_ms = START + minute * MINUTE
        assert together.on_bars(at_ms, rows[:5], minute) == []
        for symbol, pair in enumerate(all_pairs):
            assert pair.alone.on_kline(kline(symbol, at_ms, rows[symbol]), minute) == []
        packed += together.side_by_side
        if minute in {1_430, 1_500, 2_170}:
            symbol = minute % 5
            together.engine(symbol)
            all_pairs[symbol].same_values(dice, 100)
            all_pairs[symbol].same_rows()
    assert packed > 5 * 2_290
    for symbol, pair in enumerate(all_pairs):
        together.engine(symbol)
        assert pair.alone.market.first > 700
        pair.same_values(dice, 300)
        pair.same_rows()


def test_every_indicator_runs_side_by_side() -> None:
    """300 minutes of four symbols that have all of them, at their defaults. Once warm, nothing is left to compile."""
    warm_up()
    warm = dict(steps._compiled)
    dice, bars = Random(5), candles(300, 5)
    all_pairs = [Pair(fresh(symbol), fresh(symbol)) for symbol in range(4)]
    for pair in all_pairs:
        for engine in (pair.alone, pair.lent):
            for name in names():
                engine.market.acquire(Indicator(name), "1m")
    together = lend(all_pairs)
    for minute, rows in enumerate(bars):
        at_ms = START + minute * MINUTE
        assert together.on_bars(at_ms, rows[:4], minute) == []
        for symbol, pair in enumerate(all_pairs):
            assert pair.alone.on_kline(kline(symbol, at_ms, rows[symbol]), minute) == []
    assert together.side_by_side == 4
    assert steps._compiled == warm
    for symbol, pair in enumerate(all_pairs):
        together.engine(symbol)
        pair.same_values(dice, 60)
        pair.same_rows()
