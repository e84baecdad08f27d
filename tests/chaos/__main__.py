"""`python -m tests.chaos --seed N`: make trouble under load, count what was lost or doubled, write it down.

Parts: `mixed` (workers and executor, every fail-point, stops, joins and leaves), `executor` (kill -9 of the executor
200 times while triggers come again, once per database) and `outage` (the database is away for a minute, twice, each).
"""

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from tests.chaos import report
from tests.chaos.cluster import Stuck
from tests.chaos.databases import KINDS
from tests.chaos.run import EXECUTOR, OUTAGE, QUICK, Plan, Say, play
from tests.chaos.scenario import make


def main() -> int:
    """0 when every law held and everything was tried often enough, else 1."""
    options = _options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    began = time.monotonic()

    def say(what: str) -> None:
        print(f"{time.monotonic() - began:6.0f} s  {what}", flush=True)

    folder = Path(tempfile.mkdtemp(prefix="strikeline-chaos-")) if options.folder is None else options.folder
    # A list: one part that fails does not keep the others from being tried.
    passed = [_play(part, plan, options, folder, say) for part, plan in _plans(options)]
    return 0 if all(passed) else 1


def _play(part: str, plan: Plan, options: argparse.Namespace, parent: Path, say: Say) -> bool:
    if options.quick:
        scenario = make(options.seed, symbols=8, segment_minutes=60, segments=60, bots_per_symbol=3)
    else:
        scenario = make(options.seed, segment_minutes=options.minutes, segments=options.segments)
    folder = parent / part.replace(" ", "-")
    folder.mkdir(parents=True, exist_ok=True)
    say(
        f"{part}: seed {options.seed}, {len(scenario.symbols)} symbols, {len(scenario.bots)} bots, logs in {folder}"
    )
    try:
        result = play(scenario, folder, plan, say)
    except Stuck as stuck:  # the other parts are tried all the same
        print(f"PROBLEM: {part}: {stuck}")
        return False
    print(report.table(result))
    short = [] if options.quick else report.shortfalls(result)
    for problem in (*result.problems, *short):
        print(f"PROBLEM: {problem}")
    if not options.quick and options.kills is None:
        report.write(part, result, short)
    return not result.problems and not short


def _plans(options: argparse.Namespace) -> Iterator[tuple[str, Plan]]:
    """What to do, by the name under which it is reported."""
    if options.quick:
        for database in options.database or ["sqlite"]:
            yield f"quick {database}", replace(QUICK, database=database)
        return
    if options.part in {"all", "mixed"}:
        yield "mixed", Plan()
    if options.part in {"all", "executor"}:
        plan = EXECUTOR if options.kills is None else replace(EXECUTOR, executor_kills=options.kills)
        for database in options.database or KINDS:
            yield f"executor {database}", replace(plan, database=database)
    if options.part in {"all", "outage"}:
        for database in options.database or KINDS:
            yield f"outage {database}", replace(OUTAGE, database=database)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--part", choices=("all", "mixed", "executor", "outage"), default="all")
    parser.add_argument(
        "--database", choices=KINDS, action="append", help="but for the mixed part; else both, one by one"
    )
    parser.add_argument("--kills", type=int, help="of the executor's part, other than 200; no report then")
    parser.add_argument("--quick", action="store_true", help="a minute or two, and no report")
    parser.add_argument("--minutes", type=int, default=240, help="length of a segment of klines")
    parser.add_argument("--segments", type=int, default=60, help="segments at most")
    parser.add_argument("--folder", type=Path, help="where broker, database and logs are kept")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
