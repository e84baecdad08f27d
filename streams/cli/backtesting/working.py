"""Bots over candles, and the files of what came of it; the same for files and for topics."""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import replace as replaced
from decimal import Decimal
from pathlib import Path
from typing import Any

from schemas.bots import BotConfig
from schemas.triggers import Fired
from streams.cli.backtesting.asked import Settings, begin_of
from streams.cli.backtesting.candles import Loaded
from streams.cli.backtesting.checking.all import Checks, check
from streams.cli.backtesting.checking.costs import free_of_charge, unknown_instruments
from streams.cli.backtesting.checking.readiness import never_ready
from streams.cli.backtesting.desk import Refused
from streams.cli.backtesting.pool import Work, run_all
from streams.cli.backtesting.provenance import provenance, remarks
from streams.cli.backtesting.reporting import figures, run_of, write_page
from streams.cli.backtesting.writing import bot_summary, never_opened, write
from streams.cli.errors import Problem
from streams.cli.replaying.window import carried, within
from streams.engine.backtest.candles import Candles
from streams.engine.backtest.result import BotResult
from streams.engine.dca import decimal_text


@dataclass(frozen=True)
class Report:
    """The summary, as it is written, remarks for people, and what the checks found in words."""

    summary: dict[str, Any]
    notes: list[str]
    checks: list[str]

    @property
    def sound(self) -> bool:
        """Were all rows and records usable, and did no check find that the future was seen?"""
        checks = self.summary.get("checks")
        usable = not (self.summary["broken_rows"] or self.summary["undecodable_records"])
        return usable and (checks is None or checks["lookahead"]["passed"] is not False)


@dataclass(frozen=True)
class Recorded:
    """What a replay of recorded bots has besides them: what users' alerts fired, its part of the summary, and from when
    on the first bot was in force.
    """

    fires: Sequence[Fired]
    summary: Mapping[str, Any]
    since_ms: int


@dataclass(frozen=True)
class Done:
    """What was written, and the results that it was written of."""

    report: Report
    results: Sequence[BotResult]
    fires: Sequence[Fired] = ()


def run_work(
    settings: Settings, work: Work, loaded: Loaded, out: Path, tell: Callable[[float, str], None],
    notes: Sequence[str] = (), recorded: Recorded | None = None,
) -> Done:  # fmt: skip
    """Run bots that the executor takes, and write what came of it. Raises Invalid."""
    bots, from_ms = work.bots, begin_of(settings, loaded)
    began = time.monotonic()
    jobs = settings.jobs or os.cpu_count() or 1
    try:
        whole = run_all(
            work, loaded.candles, jobs, lambda done, name: tell(done, f"{done} of {len(bots)}: {name}")
        )
    except Refused as why:
        raise Problem(f"a defect: the executor would not take what the backtest fired: {why}") from None
    seconds = time.monotonic() - began
    results = whole if recorded is None else within(whole, from_ms)
    said = [
        *notes,
        *remarks(settings.klines, loaded),
        *never_ready(bots, loaded.candles),
        *unknown_instruments(settings.instruments, work.instruments, loaded.candles),
        *free_of_charge(bots, settings.funding),
        *never_opened(results),
    ]
    notes = list(dict.fromkeys(said))
    if recorded is not None:
        notes = [*carried(whole, from_ms), *notes]
    summary = {
        "klines": settings.klines,
        **provenance(loaded, settings.interval, from_ms),
        "funding_percent": settings.funding,
        "seconds": round(seconds, 3),
        "profit": decimal_text(sum((result.profit for result in results), Decimal(0))),
        "bots": [bot_summary(result) for result in results],
        **({} if recorded is None else recorded.summary),
    }
    found: list[str] = []
    if settings.check and bots:
        since_ms = from_ms if recorded is None else min(from_ms, recorded.since_ms)
        checks = _checks(work, whole, loaded, since_ms, jobs, lambda text: tell(len(bots), text))
        summary["checks"], found = checks.summary(), checks.lines()
    shown = run_of(
        results, bots, loaded.candles, work.instruments, summary, settings.capital, [*found, *notes],
        title=_title(settings, bots), changed=work.changes,
    )  # fmt: skip
    shown = replaced(shown, funding=settings.funding)
    summary["metrics"] = figures(shown)
    fires = () if recorded is None else recorded.fires
    write(results, summary, out, fires)
    if settings.report:
        tell(len(bots), "drawing the report")
        if missing := write_page(shown, out / "report.html"):
            notes.append(missing)
    else:
        (out / "report.html").unlink(missing_ok=True)  # one of an earlier run would say other figures
    return Done(Report(summary, notes, found), results, fires)


def _title(settings: Settings, bots: Sequence[BotConfig]) -> str:
    names = ", ".join(bot.bot_id for bot in bots[:3]) + (" …" if len(bots) > 3 else "")
    return f"Backtest of {names}" if settings.bots is not None else f"Replay of {names or 'alerts'}"


def _checks(
    work: Work,
    results: Sequence[BotResult],
    loaded: Loaded,
    from_ms: int,
    jobs: int,
    tell: Callable[[str], None],
) -> Checks:
    def again(bots: Sequence[BotConfig], candles: Mapping[str, Candles]) -> list[BotResult]:
        return run_all(work.of(bots), candles, jobs, lambda done, name: None)

    return check(work.bots, results, loaded.candles, from_ms, again, tell)
