"""A whole backtest: files in, results and their files out."""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from schemas.bots import BotConfig
from schemas.interval import interval_ms
from sinks.errors import BadInstruments
from sinks.instruments import load_instruments
from streams.cli.backtesting.candles import Loaded, load
from streams.cli.backtesting.desk import Desk, Refused
from streams.cli.backtesting.pool import Work, run_all
from streams.cli.backtesting.reporting import figures, run_of, write_page
from streams.cli.backtesting.writing import bot_summary, write
from streams.cli.botfile import read_bots
from streams.cli.errors import Invalid, Problem
from streams.engine.backtest.result import BotResult
from streams.engine.dca import decimal_text


@dataclass(frozen=True)
class Settings:
    """What was asked for. `from_ms` None: from the first bar; `jobs` None: one process per core; `capital` (quote, what
    returns are measured against) None: the most that was tied up at once.
    """

    klines: str
    bots: Path
    from_ms: int | None = None
    to_ms: int | None = None
    instruments: Path | None = None
    interval: str = "1m"
    fill_up_to: int = 5
    jobs: int | None = None
    capital: float | None = None
    report: bool = True


@dataclass(frozen=True)
class Report:
    """The summary, as it is written, and remarks for people."""

    summary: dict[str, Any]
    notes: list[str]


@dataclass(frozen=True)
class Done:
    """What was written, and the results that it was written of."""

    report: Report
    results: Sequence[BotResult]


def run(settings: Settings, out: Path, tell: Callable[[float, str], None]) -> Report:
    """Backtest and write. Raises Invalid for anything that is wrong with what was given."""
    bots = bots_of(settings)
    tell(0, "reading candles")
    pairs = {symbol for bot in bots for symbol in bot.pairs}
    loaded = load(settings.klines, pairs, settings.interval, settings.to_ms, settings.fill_up_to)
    return run_loaded(settings, bots, loaded, out, tell).report


def bots_of(settings: Settings) -> list[BotConfig]:
    """The bots to run. Raises Invalid where there are none, or the times make no sense."""
    bots = read_bots(settings.bots)
    if not bots:
        raise Invalid(f"{settings.bots}: no bots")
    _check_times(settings)
    return bots


def run_loaded(
    settings: Settings,
    bots: Sequence[BotConfig],
    loaded: Loaded,
    out: Path,
    tell: Callable[[float, str], None],
) -> Done:
    """The same on candles that were read already. Raises Invalid."""
    from_ms = max(loaded.first_ms, settings.from_ms or 0)
    if from_ms >= loaded.end_ms:
        raise Invalid(f"--from: the candles end before it, at {loaded.end_ms}")
    work = Work(
        [_in_force(bot, from_ms) for bot in bots], _instruments(settings.instruments), settings.interval
    )
    _refuse(work)
    began = time.monotonic()
    jobs = settings.jobs or os.cpu_count() or 1
    try:
        results = run_all(
            work, loaded.candles, jobs, lambda done, name: tell(done, f"{done} of {len(bots)}: {name}")
        )
    except Refused as why:
        raise Problem(f"a defect: the executor would not take what the backtest fired: {why}") from None
    seconds = time.monotonic() - began
    notes = [f"{file}: {row}; left out" for file, row in loaded.broken]
    if loaded.restated:
        notes.append(
            f"{settings.klines}: {loaded.restated:,} bars differ between files; the first file counts"
        )
    profit = sum((result.profit for result in results), Decimal(0))
    summary = {
        **_provenance(settings, loaded, from_ms),
        "seconds": round(seconds, 3),
        "profit": decimal_text(profit),
        "bots": [bot_summary(result) for result in results],
    }
    shown = run_of(results, work.bots, loaded.candles, work.instruments, summary, settings.capital, notes)
    summary["metrics"] = figures(shown)
    write(results, summary, out)
    if settings.report:
        tell(len(bots), "drawing the report")
        if missing := write_page(shown, out / "report.html"):
            notes.append(missing)
    return Done(Report(summary, notes), results)


def _in_force(bot: BotConfig, from_ms: int) -> BotConfig:
    """From the backtest's start on, unless it says later itself."""
    return replace(bot, effective_from_ms=max(from_ms, bot.effective_from_ms or 0))


def _check_times(settings: Settings) -> None:
    try:
        interval_ms(settings.interval)
    except ValueError as wrong:
        raise Invalid(f"--interval: {wrong}") from None
    if None not in (settings.from_ms, settings.to_ms) and settings.from_ms >= settings.to_ms:  # type: ignore[operator]
        raise Invalid("--from: is not before --to")


def _instruments(path: Path | None) -> dict[str, Any]:
    try:
        return {} if path is None else load_instruments(path)
    except BadInstruments as wrong:
        raise Invalid(f"--instruments: {wrong}") from None


def _refuse(work: Work) -> None:
    """Every bot that the executor would refuse, a line each."""
    wrong = []
    for bot in work.bots:
        try:
            Desk(work.rules).accept(bot)
        except Refused as why:
            wrong.append(str(why))
    if wrong:
        raise Invalid("\n".join(wrong))


def _provenance(settings: Settings, loaded: Loaded, from_ms: int) -> dict[str, Any]:
    return {
        "klines": settings.klines,
        "files": [str(file) for file in loaded.files],
        "interval": settings.interval,
        "symbols": sorted(loaded.candles),
        "bars": sum(len(candles) - len(candles.filled) for candles in loaded.candles.values()),
        "filled_bars": sum(len(candles.filled) for candles in loaded.candles.values()),
        "gaps": sum(len(candles.runs) - 1 for candles in loaded.candles.values()),
        "broken_rows": len(loaded.broken),
        "restated_rows": loaded.restated,
        "first_open_ms": loaded.first_ms,
        "from_ms": from_ms,
        "end_ms": loaded.end_ms,
    }
