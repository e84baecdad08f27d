"""Many configurations over one or more spans on all cores: the same figures, in the same order, whatever does them.

Every process has the candles once, and per span one finder per symbol; configurations with equal conditions come one
after the other, so an indicator that several need is computed once and its truths are met while they are kept.
"""

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from schemas.bots import BotConfig
from sinks.executor.decision import Rules
from streams.cli.backtesting.cutting import until
from streams.cli.backtesting.pool import WORTH_A_PROCESS, load, rules_of, save
from streams.cli.backtesting.sweeping.figures import Figures, figures, with_equity
from streams.cli.backtesting.sweeping.traded import nothing, traded
from streams.cli.backtesting.sweeping.walkforward import Span
from streams.engine.backtest.candles import Candles
from streams.engine.backtest.finder import Finder
from streams.engine.backtest.sprint import Room
from streams.engine.dca import Instrument

_MOST_AT_ONCE: Final = 128
_FINDERS: Final = 8
"""Symbols whose arrays a process keeps: each may take hundreds of megabytes for a year of minutes."""

Tell = Callable[[int], None]
"""Takes how many backtests are done."""


@dataclass(frozen=True)
class Terms:
    """What all configurations share. `equity`: figures that need the equity of every bar are wanted too."""

    instruments: Mapping[str, Instrument]
    interval: str
    capital: float | None
    equity: bool


@dataclass(frozen=True)
class Task:
    """Configurations by number over one span."""

    span: Span
    bots: tuple[tuple[int, BotConfig], ...]


class Bench:
    """Where one process backtests: its candles, and the finders of the span that it is at."""

    def __init__(self, candles: Mapping[str, Candles], terms: Terms) -> None:
        self._candles = candles
        self._terms = terms
        self._rules: Rules = rules_of(terms.instruments, terms.interval)
        self._room = Room()
        self._to_ms = -1
        self._cut: dict[str, Candles] = {}
        self._finders: dict[str, Finder] = {}

    def figures(self, task: Task) -> list[tuple[int, Figures]]:
        """Of every configuration of a task."""
        if task.span.to_ms != self._to_ms:
            self._to_ms, self._cut, self._finders = task.span.to_ms, until(self._candles, task.span.to_ms), {}
        return [(number, self._of(bot, task.span)) for number, bot in task.bots]

    def _of(self, bot: BotConfig, span: Span) -> Figures:
        pairs = [symbol for symbol in bot.pairs if symbol in self._cut]
        for symbol in [old for old in self._finders if old not in pairs][: len(self._finders) - _FINDERS]:
            del self._finders[symbol]
        for symbol in pairs:
            if symbol not in self._finders:
                self._finders[symbol] = Finder(self._cut[symbol])
        held = replace(bot, effective_from_ms=max(span.from_ms, bot.effective_from_ms or 0), pairs=pairs)
        found = traded(held, self._finders, self._rules, self._room) if pairs else nothing()
        end_ms = max(one.ticks_until_ms for one in self._cut.values())
        plain = figures(found, end_ms, self._terms.capital)
        return with_equity(plain, found, self._cut, span.from_ms) if self._terms.equity else plain


def evaluate(
    bots: Sequence[BotConfig], spans: Sequence[Span], candles: Mapping[str, Candles], terms: Terms, jobs: int,
    tell: Tell, worth: int = WORTH_A_PROCESS,
) -> list[list[Figures]]:  # fmt: skip
    """By span, the figures of every bot in their order; further processes from `worth` bars times bots on."""
    size = sum(len(candles[symbol]) for bot in bots for symbol in bot.pairs) * len(spans)
    alone = jobs <= 1 or size < worth
    tasks = list(_tasks(bots, spans, 1 if alone else jobs))
    found: list[dict[int, Figures]] = [{} for _ in spans]
    place = {span: number for number, span in enumerate(spans)}
    done = 0
    for task, made in _here(tasks, candles, terms) if alone else _there(tasks, candles, terms, jobs):
        found[place[task.span]].update(made)
        done += len(made)
        tell(done)
    return [[by_number[number] for number in range(len(bots))] for by_number in found]


def _tasks(bots: Sequence[BotConfig], spans: Sequence[Span], jobs: int) -> Iterator[Task]:
    order = sorted(range(len(bots)), key=lambda number: (bots[number].pairs, str(bots[number].entry), number))
    size = max(1, min(_MOST_AT_ONCE, -(-len(bots) // (4 * jobs))))
    for span in spans:
        for start in range(0, len(order), size):
            yield Task(span, tuple((number, bots[number]) for number in order[start : start + size]))


Made = tuple[Task, list[tuple[int, Figures]]]


def _here(tasks: Sequence[Task], candles: Mapping[str, Candles], terms: Terms) -> Iterator[Made]:
    bench = Bench(candles, terms)
    for task in tasks:
        yield task, bench.figures(task)


def _there(tasks: Sequence[Task], candles: Mapping[str, Candles], terms: Terms, jobs: int) -> Iterator[Made]:
    with tempfile.TemporaryDirectory() as folder:
        for one in candles.values():
            save(one, Path(folder))
        with ProcessPoolExecutor(
            min(jobs, len(tasks)), get_context("spawn"), _begin, (folder, tuple(candles), terms)
        ) as pool:
            waiting = {pool.submit(_figures, task): task for task in tasks}
            for done in as_completed(waiting):
                yield waiting[done], done.result()


_bench: list[Bench] = []
"""Of this process, if it is one of the pool's."""


def _begin(folder: str, symbols: tuple[str, ...], terms: Terms) -> None:
    _bench.append(Bench({symbol: load(symbol, Path(folder)) for symbol in symbols}, terms))


def _figures(task: Task) -> list[tuple[int, Figures]]:
    return _bench[-1].figures(task)
