"""The checks find what they look for, and nothing where there is nothing."""

from collections.abc import Mapping
from random import Random
from typing import Any

import numpy as np
import pytest

from schemas.bots import BotConfig, TakeProfit
from schemas.conditions import Condition
from sinks.executor.decision import Rules
from sinks.venues.paper import Paper
from streams.cli.backtesting.bot import run_bot
from streams.cli.backtesting.checking.all import check
from streams.cli.backtesting.checking.costs import free_of_charge
from streams.cli.backtesting.checking.lookahead import lookahead
from streams.cli.backtesting.checking.warmup import warm_up
from streams.engine.backtest.candles import Candles
from streams.engine.backtest.finder import Finder
from streams.engine.backtest.result import BotResult
from streams.engine.backtest.truths import Truths, TruthTable
from tests.streams.backtest.random_bots import INSTRUMENTS, bot
from tests.streams.engine.candles import walk, with_gaps

RULES = Rules(Paper(), INSTRUMENTS)


class Peeking(TruthTable):
    """Knows at each bar what will be true at the next."""

    def of(self, condition: Condition) -> Truths:
        truths = super().of(condition)
        return np.append(truths[1:], truths[-1:])


def honest(candles: Candles) -> Finder:
    return Finder(candles)


def peeking(candles: Candles) -> Finder:
    finder = Finder(candles)
    finder.truths = Peeking(candles, finder.operands)
    return finder


def results(bots: list[BotConfig], candles: Mapping[str, Candles], made=honest) -> list[BotResult]:
    finders = {symbol: made(one) for symbol, one in candles.items()}
    return [run_bot(one, finders, RULES) for one in bots]


def market(count: int = 700, gaps: bool = True) -> dict[str, Candles]:
    bars = {"CENTS": walk(count, 3), "COARSE": walk(count, 4)}
    if gaps:
        bars["CENTS"] = with_gaps(bars["CENTS"], 0.02, 9)
    end_ms = max(int(one.open_time_ms[-1]) for one in bars.values()) + 60_000
    return {name: Candles.of(name, one, ticks_until_ms=end_ms) for name, one in bars.items()}


def unheard(text: str) -> None:
    """Nobody watches."""


def dip(**changes: Any) -> BotConfig:
    settings: dict[str, Any] = {
        "bot_id": "dip", "user_id": "alice", "pairs": ["CENTS"], "entry": "rsi(14) < 45", "base_order_volume": "15",
        "safety_order_volume": "20", "max_safety_orders": 2, "price_deviation": "0.2",
        "take_profit": TakeProfit(percent="0.3"),
    }  # fmt: skip
    return BotConfig(**(settings | changes))


def test_no_bot_looks_ahead() -> None:
    """20 random bots of every setting, over candles with holes, at 6 cuts each."""
    random, candles = Random(5), market()
    start = int(candles["CENTS"].open_ms[0])
    bots = [
        bot(
            random,
            f"b{k}",
            random.sample(sorted(candles), random.choice([1, 2])),
            INSTRUMENTS["COARSE"],
            start,
        )
        for k in range(20)
    ]
    whole = results(bots, candles)
    assert sum(len(one.fills) for one in whole) > 100
    found = lookahead(whole, candles, lambda some: results(bots, some), start)
    assert (found.differences, len(found.cuts_ms)) == ([], 6)


def test_of_a_single_bar_nothing_can_be_cut_off_and_the_summary_says_so() -> None:
    candles = {"CENTS": Candles.of("CENTS", walk(1, 3))}
    bots = [dip()]
    found = check(
        bots, results(bots, candles), candles, 0, lambda some, other: results(list(some), other), unheard
    )
    assert found.summary()["lookahead"]["passed"] is None
    assert "lookahead: not compared" in found.lines()[0]


@pytest.mark.parametrize("way", ["compiled", "from event to event"])
def test_a_glance_at_the_next_bar_is_found(way: str) -> None:
    candles = {"CENTS": Candles.of("CENTS", walk(700, 3))}
    trailing = "0.1" if way != "compiled" else None
    bots = [dip(take_profit=TakeProfit(percent="0.3", trailing=trailing))]
    whole = results(bots, candles, peeking)
    assert whole[0].walked.startswith(way)
    start = int(candles["CENTS"].open_ms[0])
    found = lookahead(whole, candles, lambda some: results(bots, some, peeking), start)
    assert found.differences
    assert "with all candles only" in found.differences[0]
    assert found.differences[0].startswith("dip: 2023-11-2")


def test_a_bot_that_needs_more_of_a_past_than_there_is_is_named() -> None:
    candles = {"CENTS": Candles.of("CENTS", walk(900, 3))}
    start = int(candles["CENTS"].open_ms[150])
    slow = dip(bot_id="slow", entry="rsi(14) < 45 and close < ema(60)", effective_from_ms=start)
    bots = [dip(effective_from_ms=start), slow]
    found = warm_up(results(bots, candles), bots, candles, lambda some: results(bots, some), start)
    # rsi(14) is ready after 95 bars: of 150 yes, of 75 no; ema(60) needs 208.
    assert [(one.bot_id, one.operand) for one in found.unready] == [("slow", "ema(60)")]
    assert found.unready[0].ready_ms == start + (208 - 150) * 60_000
    assert (found.bars_before, found.compared) == (150, True)
    assert found.differences
    assert found.differences[0].startswith("dip: ")


def test_a_past_that_is_long_enough_changes_nothing() -> None:
    candles = {"CENTS": Candles.of("CENTS", walk(1_200, 3))}
    start = int(candles["CENTS"].open_ms[600])
    bots = [dip(effective_from_ms=start)]
    whole = results(bots, candles)
    assert len(whole[0].fills) > 5
    found = warm_up(whole, bots, candles, lambda some: results(bots, some), start)
    assert (found.unready, found.compared, found.differences) == ([], True, [])
    assert found.summary()["passed"] is True


def test_without_a_past_nothing_is_compared_and_the_summary_says_so() -> None:
    candles = market(300, gaps=False)
    start = int(candles["CENTS"].open_ms[0])
    bots = [dip(effective_from_ms=start)]
    found = check(
        bots, results(bots, candles), candles, start, lambda some, other: results(list(some), other), unheard
    )
    summary, lines = found.summary(), "\n".join(found.lines())
    assert summary["warm_up"]["passed"] is None
    assert summary["lookahead"]["passed"] is True
    assert "warm-up: dip: rsi(14) of CENTS has no value at the beginning" in lines
    assert "not compared: 0 bars before --from" in lines


def test_both_ways_along_a_bar_stand_side_by_side() -> None:
    """A stop and a target within a bar's reach: pessimistic loses, the nearer extreme first may win."""
    candles = market(gaps=False)
    start = int(candles["CENTS"].open_ms[0])
    bots = [dip(entry="close < sma(3)", take_profit=TakeProfit(percent="0.06"), price_deviation="0.03", fee="0",
                slippage="0", same_bar_exit=True, effective_from_ms=start)]  # fmt: skip
    whole = results(bots, candles)
    found = check(bots, whole, candles, start, lambda some, other: results(list(some), other), unheard)
    (one,) = found.policies
    assert one.outcomes["pessimistic"].profit == whole[0].profit
    assert one.outcomes["pessimistic"].ambiguous_bars > 0
    assert one.outcomes["pessimistic"].profit != one.outcomes["ohlc"].profit
    assert set(found.summary()["intrabar"][0]) == {"bot_id", "intrabar", "pessimistic", "ohlc"}


def test_what_costs_nothing_is_named() -> None:
    assert list(free_of_charge([dip(slippage="0.01")])) == []
    said = list(free_of_charge([dip(fee="0", slippage="0.0")]))
    assert [line.split(":")[1] for line in said] == [" fee is 0", " slippage is 0"]
