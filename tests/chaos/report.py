"""A run in figures: for the terminal, and for docs/reliability.md between two markers."""

import os
import platform
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Final

from tests.chaos.children import STOOD_STILL
from tests.chaos.points import executor_points, worker_points
from tests.chaos.run import Result
from tests.chaos.troubles import SETTLE_S, Absence, Blow

DOCUMENT: Final = Path(__file__).parents[2] / "docs" / "reliability.md"
BEGIN: Final = "<!-- chaos, {}: begin, written by `make chaos` -->"
END: Final = "<!-- chaos, {}: end -->"

Line = tuple[str, str]


def lines(result: Result) -> list[Line]:
    """What was done and what came of it, as (what, how much)."""
    return [*_inputs(result), *_troubles(result), *_outcome(result)]


def table(result: Result) -> str:
    """For the terminal."""
    width = max(len(what) for what, _ in lines(result))
    return "\n".join(f"{what:<{width}}  {much}" for what, much in lines(result))


def shortfalls(result: Result) -> list[str]:
    """What was not tried often enough, or took too long, for the run to prove what it is meant to."""
    plan, tally = result.plan, result.tally
    kinds = Counter((blow.kind, blow.name.partition("-")[0]) for blow in tally.blows)
    wanted = {
        "kills of workers": (kinds["kill", "worker"], plan.worker_kills),
        "kills of the executor": (kinds["kill", "executor"], plan.executor_kills),
        "stops": (
            kinds["stop", "worker"] + kinds["stop", "executor"],
            plan.worker_stops + plan.executor_stops,
        ),
        "joins": (len(tally.joins), plan.joins),
        "triggers that came again": (result.copies, 100 if plan.copies else 0),
        "outages": (len(tally.absences), plan.outages),
        "triggers applied": (result.counts["triggers applied"], 500),
        "closed deals": (result.counts["closed deals"], 50),
        "deals with three or more safety orders": (
            result.counts["deals with three or more safety orders"],
            1,
        ),
        **{
            f"deaths at {name}": (result.hits[name], plan.hits)
            for name in (*worker_points(), *executor_points())
        },
    }
    found = [f"{what}: {had} of {needed}" for what, (had, needed) in wanted.items() if had < needed]
    found += [
        f"{a.name} for {a.seconds:.0f} s: the executor told {a.told:.0f} s and took {a.cpu:.1f} s of CPU"
        for a in tally.absences
        if a.told < 0.8 * a.seconds or a.cpu > 0.2 * a.seconds
    ]
    slow = [seconds for seconds in (*tally.joins, *tally.leaves) if seconds > SETTLE_S]
    return found + [f"a join or leave took {seconds:.1f} s to settle" for seconds in slow]


def write(part: str, result: Result, found_short: list[str], document: Path = DOCUMENT) -> None:
    """Replace what stands between the part's markers in the document."""
    begin, end = BEGIN.format(part), END.format(part)
    rows = "\n".join(f"| {what} | {much} |" for what, much in lines(result))
    when = f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, Python {platform.python_version()}"
    verdict = "Nothing lost, nothing doubled, nothing different."
    if result.problems:
        verdict = f"{len(result.problems)} laws were broken."
    short = "".join(f"- short of the mark: {what}\n" for what in found_short) + "\n" * bool(found_short)
    table = f"| | |\n|---|---|\n{rows}"
    section = f"{begin}\n\nMeasured {when}. **{verdict}**\n\n{short}{table}\n\n{end}"
    before, found, rest = document.read_text().partition(begin)
    assert found, f"{document} has no place for {part}"
    document.write_text(before + section + rest.partition(end)[2])


def _inputs(result: Result) -> list[Line]:
    scenario, minutes = result.scenario, result.segments * result.scenario.segment_minutes
    return [
        ("seed, database", f"{result.scenario.seed}, {result.plan.database}"),
        (
            "symbols, bots",
            f"{len(scenario.symbols)}, {len(scenario.bots)} ({len(scenario.changed)} changed on the way)",
        ),
        ("event time fed", f"{minutes:,} minutes, about {minutes * len(scenario.symbols):,} klines"),
    ]


def _troubles(result: Result) -> list[Line]:
    tally = result.tally
    kinds = Counter((blow.kind, blow.name.partition("-")[0]) for blow in tally.blows)
    points = [*worker_points(), *executor_points()]
    fewest = min((result.hits[name] for name in points), default=0)
    rebuilt = Counter(end.name.partition("-")[0] for end in result.ended)
    stood = sum(end.code == STOOD_STILL for end in result.ended)
    plan = result.plan
    tried: list[tuple[float, str, str]] = [
        (1, "kill -9 of workers, of the executor", f"{kinds['kill', 'worker']}, {kinds['kill', 'executor']}"),
        (
            plan.hits,
            "SIGKILL at fail-points",
            f"{sum(result.hits.values())} at {len(points)} points, each {fewest} times or more",
        ),
        (
            plan.worker_stops + plan.executor_stops,
            "stops of workers, of the executor",
            f"{kinds['stop', 'worker']}, {kinds['stop', 'executor']}",
        ),
        (plan.outages, "the database was away", _absences(tally.absences)),
        (plan.copies, "triggers that came again", f"{result.copies:,}"),
        (plan.joins, "joins until settled", _seconds(tally.joins)),
        (plan.joins, "leaves until settled", _seconds(tally.leaves)),
    ]
    return [
        *((what, much) for wanted, what, much in tried if wanted),
        ("blows that met work in progress", _met(tally.blows)),
        (
            "lives ended: workers, executor",
            f"{rebuilt['worker']}, {rebuilt['executor']} ({stood} after a standstill)",
        ),
    ]


def _outcome(result: Result) -> list[Line]:
    took = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in result.seconds.items())
    return [
        *((what, f"{count:,}") for what, count in result.counts.items()),
        ("lost, doubled or different", str(len(result.problems))),
        ("took", took),
    ]


def _met(blows: list[Blow]) -> str:
    busy = [blow.work for blow in blows if blow.work.any]
    if not busy:
        return f"0 of {len(blows)}"
    unacked, unapplied = (median(getattr(work, name) for work in busy) for name in ("unacked", "unapplied"))
    return f"{len(busy)} of {len(blows)} (median {unacked:.0f} records not acked, {unapplied:.0f} triggers not applied)"


def _absences(absences: list[Absence]) -> str:
    return "; ".join(
        f"{a.name} for {a.seconds:.0f} s (the executor told {a.told:.0f} s, took {a.cpu:.1f} s of CPU, "
        f"went on after {a.resumed:.1f} s)"
        for a in absences
    )


def _seconds(took: list[float]) -> str:
    return f"{len(took)}: median {median(took):.1f} s, longest {max(took):.1f} s" if took else "none"
