"""A whole backtest: files in, results and their files out."""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import replace as replaced
from decimal import Decimal
from math import isfinite
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from schemas.bots import BotConfig
from schemas.interval import interval_ms
from sinks.errors import BadInstruments
from sinks.instruments import load_instruments
from streams.cli.backtesting.candles import Loaded, load
from streams.cli.backtesting.checking.all import Checks, check
from streams.cli.backtesting.checking.costs import free_of_charge, unknown_instruments
from streams.cli.backtesting.checking.readiness import never_ready
from streams.cli.backtesting.desk import Desk, Refused
from streams.cli.backtesting.pool import Work, run_all
from streams.cli.backtesting.provenance import provenance, remarks
from streams.cli.backtesting.reporting import figures, run_of, write_page
from streams.cli.backtesting.writing import bot_summary, write
from streams.cli.botfile import read_bots
from streams.cli.errors import Invalid, Problem
from streams.engine.backtest.candles import Candles
from streams.engine.backtest.result import BotResult
from streams.engine.dca import decimal_text


@dataclass(frozen=True)
class Settings:
    """What was asked for. `from_ms` None: from the first bar; `jobs` None: one process per core; `capital` (quote, what
    returns are measured against) None: the most that was tied up at once. `check`: run all of `checking` as
    well. `funding`: percent per 8 hours on open positions.
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
    check: bool = False
    funding: float = 0.0


@dataclass(frozen=True)
class Report:
    """The summary, as it is written, remarks for people, and what the checks found in words."""

    summary: dict[str, Any]
    notes: list[str]
    checks: list[str]

    @property
    def sound(self) -> bool:
        """Were all rows usable, and did no check find that the future was seen?"""
        checks = self.summary.get("checks")
        return not self.summary["broken_rows"] and (checks is None or checks["lookahead"]["passed"])


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
    check_times(settings)
    return bots


def run_loaded(
    settings: Settings, bots: Sequence[BotConfig], loaded: Loaded, out: Path, tell: Callable[[float, str], None],
    notes: Sequence[str] = (),
) -> Done:  # fmt: skip
    """The same on candles that were read already. Raises Invalid. `notes` come before all others."""
    from_ms = begin_of(settings, loaded)
    work = Work(
        [_in_force(bot, from_ms) for bot in bots], instruments_of(settings.instruments), settings.interval
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
    said = [
        *notes,
        *remarks(settings.klines, loaded),
        *never_ready(bots, loaded.candles),
        *unknown_instruments(settings.instruments, work.instruments, loaded.candles),
        *free_of_charge(bots, settings.funding),
    ]
    notes = list(dict.fromkeys(said))
    summary = {
        "klines": settings.klines,
        **provenance(loaded, settings.interval, from_ms),
        "funding_percent": settings.funding,
        "seconds": round(seconds, 3),
        "profit": decimal_text(sum((result.profit for result in results), Decimal(0))),
        "bots": [bot_summary(result) for result in results],
    }
    found: list[str] = []
    if settings.check:
        checks = _checks(work, results, loaded, from_ms, jobs, lambda text: tell(len(bots), text))
        summary["checks"], found = checks.summary(), checks.lines()
    shown = run_of(
        results, work.bots, loaded.candles, work.instruments, summary, settings.capital, [*found, *notes]
    )
    shown = replaced(shown, funding=settings.funding)
    summary["metrics"] = figures(shown)
    write(results, summary, out)
    if settings.report:
        tell(len(bots), "drawing the report")
        if missing := write_page(shown, out / "report.html"):
            notes.append(missing)
    else:
        (out / "report.html").unlink(missing_ok=True)  # one of an earlier run would say other figures
    return Done(Report(summary, notes, found), results)


def _checks(
    work: Work,
    results: Sequence[BotResult],
    loaded: Loaded,
    from_ms: int,
    jobs: int,
    tell: Callable[[str], None],
) -> Checks:
    def again(bots: Sequence[BotConfig], candles: Mapping[str, Candles]) -> list[BotResult]:
        return run_all(replaced(work, bots=bots), candles, jobs, lambda done, name: None)

    return check(work.bots, results, loaded.candles, from_ms, again, tell)


def _in_force(bot: BotConfig, from_ms: int) -> BotConfig:
    """From the backtest's start on, unless it says later itself."""
    return replace(bot, effective_from_ms=max(from_ms, bot.effective_from_ms or 0))


def begin_of(settings: Settings, loaded: Loaded) -> int:
    """From when on bots are in force. Raises Invalid where the candles end before."""
    from_ms = max(loaded.first_ms, settings.from_ms or 0)
    if from_ms >= loaded.end_ms:
        raise Invalid(f"--from: the candles end before it, at {loaded.end_ms}")
    return from_ms


def check_times(settings: Settings) -> None:
    """Raises Invalid for an interval, a span, an amount or a rate that is none."""
    try:
        interval_ms(settings.interval)
    except ValueError as wrong:
        raise Invalid(f"--interval: {wrong}") from None
    if settings.capital is not None and not isfinite(settings.capital):
        raise Invalid(f"--capital: {settings.capital} is no amount")
    if not isfinite(settings.funding):
        raise Invalid(f"--funding: {settings.funding} is no percent")
    if None not in (settings.from_ms, settings.to_ms) and settings.from_ms >= settings.to_ms:  # type: ignore[operator]
        raise Invalid("--from: is not before --to")


def instruments_of(path: Path | None) -> dict[str, Any]:
    """Of the file, if one is given. Raises Invalid."""
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
