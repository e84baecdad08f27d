"""Warm-up: does it matter how many candles there were before the bots began?

Operands that are not ready when a bot begins are named, with when they are. Where there is a past, the first half of
it is cut off and the bots run again: what is otherwise then would be otherwise with more of a past, too.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from schemas.bots import BotConfig
from schemas.conditions import Const
from schemas.interval import grid
from streams.cli.backtesting.checking.likeness import differences
from streams.cli.backtesting.checking.lookahead import Runner
from streams.cli.backtesting.cutting import since
from streams.engine.backtest.candles import Candles
from streams.engine.backtest.operands import Operands
from streams.engine.backtest.result import BotResult
from streams.engine.backtest.truths import asked
from streams.engine.conditions.resolve import label
from streams.engine.dca.entry import condition_tree


class Unready(NamedTuple):
    """An operand without a value when its bot begins; `ready_ms`: the close of the bar that has one, None: none has."""

    bot_id: str
    symbol: str
    operand: str
    ready_ms: int | None


class WarmUp(NamedTuple):
    """`bars_before`: the fewest candles of a symbol before the bots begin. `compared`: was there a past to cut?"""

    bars_before: int
    unready: list[Unready]
    compared: bool
    differences: list[str]

    def summary(self) -> dict[str, Any]:
        """For `summary.json`."""
        told = [one._asdict() for one in self.unready]
        passed = not self.differences if self.compared else None
        return {"passed": passed, **self._asdict(), "unready": told}


def warm_up(
    whole: Sequence[BotResult], bots: Sequence[BotConfig], candles: Mapping[str, Candles], run: Runner, from_ms: int
) -> WarmUp:  # fmt: skip
    """Look at the operands where bots begin, and run once more with half of the past."""
    before = min(one.row_from(from_ms) for one in candles.values())
    names = [one for bot in bots for one in _unready(bot, candles, from_ms)]
    first_ms = min(int(one.open_ms[0]) for one in candles.values())
    short = since(candles, first_ms + (from_ms - first_ms) // 2)
    if before < 2 or len(short) < len(candles):
        return WarmUp(before, names, compared=False, differences=[])
    found = differences(whole, run(short), ("with all of the past", "with half of it"))
    return WarmUp(before, names, compared=True, differences=found)


def _unready(bot: BotConfig, candles: Mapping[str, Candles], from_ms: int) -> list[Unready]:
    found = []
    for symbol in bot.pairs:
        if symbol not in candles:
            continue
        one = candles[symbol]
        begin = one.row_from(max(from_ms, bot.effective_from_ms or 0))
        operands = Operands(one)
        for raw, field in conditions_of(bot):
            tree = condition_tree(raw, field, bot.timeframe, one.interval)
            for sides, timeframe in asked(tree):
                clock = operands.base if timeframe is None else grid(timeframe)
                for side in sides:
                    if isinstance(side, Const) or begin >= len(one):
                        continue
                    values = operands.read(side, clock)[begin:]
                    if np.isnan(values[0]):
                        known = np.flatnonzero(~np.isnan(values))
                        ready = int(one.close_ms[begin + known[0]]) if len(known) else None
                        found.append(Unready(bot.bot_id, symbol, label(side, one.interval), ready))
    return list(dict.fromkeys(found))


def conditions_of(bot: BotConfig) -> list[tuple[Any, str]]:
    """What a bot asks, as written, each with its field."""
    every = [(bot.entry, "entry"), (bot.safety_condition, "safety_condition")]
    if bot.close is not None:
        every.append((bot.close.when, "close.when"))
    return [(raw, field) for raw, field in every if raw not in ("", {})]
