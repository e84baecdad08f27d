"""A whole sweep: a bot file and candles in; a ranked table, parquet, the best bot and its report out."""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from pathlib import Path
from typing import Any

from streams.cli.backtesting.asked import Settings, begin_of, check_times, instruments_of
from streams.cli.backtesting.candles import Loaded, load
from streams.cli.backtesting.checking.costs import unknown_instruments
from streams.cli.backtesting.checking.readiness import warm_up_ms
from streams.cli.backtesting.pool import rules_of
from streams.cli.backtesting.provenance import remarks
from streams.cli.backtesting.run import run_loaded
from streams.cli.backtesting.sweeping.figures import OBJECTIVES, OF_EQUITY
from streams.cli.backtesting.sweeping.forward import Forward, walk_forward
from streams.cli.backtesting.sweeping.outcome import Outcome
from streams.cli.backtesting.sweeping.pool import Terms, evaluate
from streams.cli.backtesting.sweeping.sweepfile import SweepFile, read_sweep
from streams.cli.backtesting.sweeping.trials import Trial, rank, trials, with_figures
from streams.cli.backtesting.sweeping.walkforward import Span, Window, windows
from streams.cli.backtesting.sweeping.writing import RESERVED, bot_file, write
from streams.cli.errors import Invalid

Show = Callable[[float, str], None]
"""Takes the share of the work that is done, and a few words."""


@dataclass(frozen=True)
class Asked:
    """`base`: candles, file, times and the rest as of a backtest. `draws` None: the whole grid. `windows` 0: none."""

    base: Settings
    objective: str = "profit"
    draws: int | None = None
    seed: int = 0
    top: int = 10
    windows: int = 0
    in_sample: float = 3.0
    anchored: bool = False


def run(asked: Asked, out: Path, show: Show) -> tuple[Outcome, dict[str, Any]]:
    """Sweep and write; the summary too, as it is written. Raises Invalid for anything wrong with what was given."""
    base, objective = asked.base, asked.objective
    if objective not in OBJECTIVES:
        raise Invalid(f"--objective: {objective!r} is none of {', '.join(OBJECTIVES)}")
    check_times(base)
    assert base.bots is not None  # a sweep is of a file
    file, instruments = read_sweep(base.bots), instruments_of(base.instruments)
    if taken := RESERVED & set(file.names):
        raise Invalid(f"{file.place}: sweep.{min(taken)}: is a column of the table; call it otherwise")
    show(0, "reading the bot file")
    found = trials(file, asked.draws, asked.seed, rules_of(instruments, base.interval))
    show(0, "reading candles")
    loaded, whole = _candles(base, found.fit)
    cuts = _windows(asked, whole, loaded, found.fit)
    terms = Terms(instruments, base.interval, base.capital, objective in OF_EQUITY)
    began = time.monotonic()
    ranked, forward = _tried(asked, found.fit, whole, cuts, loaded, terms, show)
    candles = (
        *remarks(base.klines, loaded),
        *unknown_instruments(base.instruments, instruments, loaded.candles),
    )
    outcome = Outcome(file.names, objective, ranked, found.unfit, found.repeated, forward, candles)
    summary = {
        "bots": str(base.bots), "klines": base.klines, "from_ms": whole.from_ms, "end_ms": whole.to_ms,
        "broken_rows": len(loaded.broken), "restated_rows": loaded.restated,
        "drawn": asked.draws, "seed": None if asked.draws is None else asked.seed,
        "seconds": round(time.monotonic() - began, 3), **outcome.summary(asked.top),
    }  # fmt: skip
    show(1, "the best one's report")
    try:
        write(outcome, summary, out)
        _best(base, loaded, file, outcome, out)
    except OSError as problem:
        raise Invalid(f"--out: {out}: {problem.strerror or problem}") from None
    return outcome, summary


def _tried(
    asked: Asked, fit: Sequence[Trial], whole: Span, cuts: Sequence[Window], loaded: Loaded, terms: Terms, show: Show
) -> tuple[list[Trial], Forward | None]:  # fmt: skip
    bots, jobs = [trial.bot for trial in fit], asked.base.jobs or os.cpu_count() or 1
    work = len(bots) * (1 + 2 * len(cuts))

    def tell(done: int) -> None:
        show(done / work, f"{done:,} of {work:,} backtests")

    spans = [whole, *(span for window in cuts for span in window)]
    first, *others = evaluate(bots, spans, loaded.candles, terms, jobs, tell)
    ranked = rank(with_figures(fit, first), asked.objective)
    if not terms.equity:
        ranked[: asked.top] = _with_equity(ranked[: asked.top], whole, loaded, terms)
    settings = [trial.setting for trial in fit]
    return ranked, walk_forward(asked.objective, settings, cuts, others) if cuts else None


def _with_equity(first: list[Trial], whole: Span, loaded: Loaded, terms: Terms) -> list[Trial]:
    """With the figures that need the equity of every bar: more than the backtest itself, so for those shown only."""
    terms = replace(terms, equity=True)
    (found,) = evaluate([trial.bot for trial in first], [whole], loaded.candles, terms, 1, lambda done: None)
    return with_figures(first, found)


def _candles(base: Settings, fit: Sequence[Trial]) -> tuple[Loaded, Span]:
    symbols = {symbol for trial in fit for symbol in trial.bot.pairs}
    loaded = load(base.klines, symbols, base.interval, base.to_ms, base.fill_up_to)
    return loaded, Span(begin_of(base, loaded), loaded.end_ms)


def _windows(asked: Asked, whole: Span, loaded: Loaded, fit: Sequence[Trial]) -> list[Window]:
    if not asked.windows:
        return []
    if not isfinite(asked.in_sample):
        raise Invalid(f"--in-sample: {asked.in_sample} is no multiple")
    step_ms = next(iter(loaded.candles.values())).step_ms
    try:
        cuts = windows(whole, asked.windows, asked.in_sample, step_ms, anchored=asked.anchored)
    except ValueError as wrong:
        raise Invalid(f"--walk-forward: {wrong}") from None
    _refuse_unready(cuts[0].inside, loaded, fit, asked.base.interval, step_ms)
    return cuts


def _refuse_unready(first: Span, loaded: Loaded, fit: Sequence[Trial], interval: str, step_ms: int) -> None:
    """Raises Invalid where the first window is over before any setting could fire: its best would be chosen blindly."""
    told = (first.to_ms - loaded.first_ms) // step_ms
    needed = min(warm_up_ms(trial.bot, interval) for trial in fit) // step_ms
    if told < needed:
        raise Invalid(
            f"--walk-forward: the first in-sample window ends {told:,} bars after the first candle, and no setting "
            f"is ready before {needed:,}: fewer windows, a larger --in-sample, or more candles before --from"
        )


def _best(base: Settings, loaded: Loaded, file: SweepFile, outcome: Outcome, out: Path) -> None:
    """The best bot as a file of its own, and its backtest with a report that says how it was found."""
    place, best = out / "best.yaml", outcome.ranked[0]
    place.write_text(bot_file(file.written(best.setting), outcome.notes), encoding="utf-8")
    own = replace(loaded, candles={symbol: loaded.candles[symbol] for symbol in best.bot.pairs})
    asked = replace(base, bots=place)
    run_loaded(asked, [best.bot], own, out / "best", lambda done, text: None, outcome.notes)
