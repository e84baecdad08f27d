"""Many bots over many symbols on all cores: the same results, in the bots' order, however many processes there are.

Processes are begun anew, not forked: the libraries that read the files have threads. Each takes bots of the same
symbols together, so that indicators are computed once for all of them.
"""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Final

import numpy as np

from schemas.bots import BotConfig
from sinks.executor.decision import Rules
from sinks.venues.paper import Paper
from streams.cli.backtesting.bot import run_bot, run_changed
from streams.cli.replaying.configs import Change, all_intrabar, symbols_of
from streams.engine.backtest.candles import Candles
from streams.engine.backtest.finder import Finder
from streams.engine.backtest.result import BotResult
from streams.engine.dca import Instrument
from streams.garbage import only_new
from topics.tiers import Tiers

WORTH_A_PROCESS: Final = 20_000_000
"""Bars times bots: what one process does in about the second that another takes to begin."""
_CHUNK: Final = 32
_FINDERS: Final = 8
"""Symbols whose arrays are kept for the next bot; each may take hundreds of megabytes for a year of minutes."""

Tell = Callable[[int, str], None]
"""Takes the number of bots done and the name of the newest one."""


@dataclass(frozen=True)
class Work:
    """Bots with what they need to know beside the candles. `changes`: all configs of those that had several, by name;
    `bots` then has the newest.
    """

    bots: Sequence[BotConfig]
    instruments: Mapping[str, Instrument]
    interval: str = "1m"
    tiers: Tiers = Tiers()  # noqa: RUF009 (frozen)
    changes: Mapping[str, Sequence[Change]] = field(default_factory=dict)

    @property
    def rules(self) -> Rules:
        """The executor's, on the paper venue."""
        return rules_of(self.instruments, self.interval)._replace(tiers=self.tiers)

    def symbols(self, bot: BotConfig) -> list[str]:
        """Of all its configs."""
        changes = self.changes.get(bot.bot_id)
        return bot.pairs if changes is None else symbols_of(changes)

    def of(self, bots: Sequence[BotConfig]) -> "Work":
        """The same for some bots, or for bots that go another way along bars: all their configs do, then."""
        given = {bot.bot_id: bot for bot in self.bots}
        changes = {
            bot.bot_id: all_intrabar(own, bot.intrabar) if bot.intrabar != given[bot.bot_id].intrabar else own
            for bot in bots
            if (own := self.changes.get(bot.bot_id)) is not None
        }
        return replace(self, bots=bots, changes=changes)


def rules_of(instruments: Mapping[str, Instrument], interval: str) -> Rules:
    """The executor's, on the paper venue."""
    return Rules(Paper(), instruments, interval)


def run_all(
    work: Work, candles: Mapping[str, Candles], jobs: int, tell: Tell, worth: int = WORTH_A_PROCESS
) -> list[BotResult]:
    """Every bot's result, in their order; further processes from `worth` bars times bots on. Raises Refused."""
    size = sum(len(candles[symbol]) for bot in work.bots for symbol in work.symbols(bot) if symbol in candles)
    chunks = _chunks(work.bots, jobs)
    if jobs <= 1 or len(chunks) == 1 or size < worth:
        with only_new():
            return _here(work, candles, tell)
    results: dict[str, BotResult] = {}
    with tempfile.TemporaryDirectory() as folder:
        for symbol in candles:
            save(candles[symbol], Path(folder))
        with ProcessPoolExecutor(min(jobs, len(chunks)), get_context("spawn")) as pool:
            waiting = [pool.submit(_there, work.of(chunk), folder, sorted(candles)) for chunk in chunks]
            for done in as_completed(waiting):
                found = done.result()
                results.update((result.bot_id, result) for result in found)
                tell(len(results), found[-1].bot_id)
    return [results[bot.bot_id] for bot in work.bots]


def _here(work: Work, candles: Mapping[str, Candles], tell: Tell) -> list[BotResult]:
    walked = run_changed(work.changes, candles, work.rules) if work.changes else {}
    finders: dict[str, Finder] = {}
    results = []
    for number, bot in enumerate(work.bots):
        result = walked.get(bot.bot_id)
        if result is None:
            _make_room(finders, bot.pairs)
            for symbol in bot.pairs:
                if symbol not in finders and symbol in candles:
                    finders[symbol] = Finder(candles[symbol])
            result = run_bot(bot, finders, work.rules)
        results.append(result)
        tell(number + 1, bot.bot_id)
    return results


def _make_room(finders: dict[str, Finder], wanted: Sequence[str]) -> None:
    for symbol in [old for old in finders if old not in wanted][: len(finders) - _FINDERS]:
        del finders[symbol]


def _there(work: Work, folder: str, saved: Sequence[str]) -> list[BotResult]:
    symbols = {symbol for bot in work.bots for symbol in work.symbols(bot)}.intersection(saved)
    return _here(work, {symbol: load(symbol, Path(folder)) for symbol in symbols}, lambda done, name: None)


def _chunks(bots: Sequence[BotConfig], jobs: int) -> list[list[BotConfig]]:
    """Bots of the same symbols together, in parts small enough that all processes have work."""
    groups: dict[tuple[str, ...], list[BotConfig]] = {}
    for bot in bots:
        groups.setdefault(tuple(sorted(bot.pairs)), []).append(bot)
    size = max(1, min(_CHUNK, -(-len(bots) // (4 * max(jobs, 1)))))
    return [group[start : start + size] for group in groups.values() for start in range(0, len(group), size)]


def save(candles: Candles, folder: Path) -> None:
    """For another process."""
    np.savez(
        folder / f"{_name(candles.symbol)}.npz", columns=candles.columns, open_ms=candles.open_ms,
        runs=np.array(candles.runs, np.int64), filled=candles.filled,
        words=np.array([candles.symbol, candles.interval]),
        numbers=np.array([candles.ticks_until_ms, candles.fill_up_to]),
    )  # fmt: skip


def load(symbol: str, folder: Path) -> Candles:
    """What `save` wrote."""
    with np.load(folder / f"{_name(symbol)}.npz") as saved:
        runs = tuple((int(row), int(opened)) for row, opened in saved["runs"])
        name, interval = saved["words"].tolist()
        until_ms, fill_up_to = saved["numbers"].tolist()
        return Candles(
            name, interval, saved["columns"], saved["open_ms"], runs, saved["filled"], until_ms, fill_up_to
        )


def _name(symbol: str) -> str:
    return symbol.encode().hex()
