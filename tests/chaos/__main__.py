"""`python -m tests.chaos --seed N`: kill processes under load, count what was lost or doubled, write it down."""

import argparse
import signal
import sys
import tempfile
import time
from pathlib import Path

from tests.chaos import report
from tests.chaos.run import QUICK, Plan, play
from tests.chaos.scenario import make


def main() -> int:
    """0 when every law held and everything was tried often enough, else 1."""
    options = _options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    began = time.monotonic()

    def say(what: str) -> None:
        print(f"{time.monotonic() - began:6.0f} s  {what}", flush=True)

    plan = QUICK if options.quick else Plan()
    if options.quick:
        scenario = make(options.seed, symbols=8, segment_minutes=60, segments=6, bots_per_symbol=3)
    else:
        scenario = make(options.seed, segment_minutes=options.minutes, segments=options.segments)
    folder = Path(tempfile.mkdtemp(prefix="strikeline-chaos-")) if options.folder is None else options.folder
    folder.mkdir(parents=True, exist_ok=True)
    say(f"seed {options.seed}, {len(scenario.symbols)} symbols, {len(scenario.bots)} bots, logs in {folder}")
    result = play(scenario, folder, plan, say)
    print(report.table(result))
    short = [] if options.quick else report.shortfalls(result)
    for problem in (*result.problems, *short):
        print(f"PROBLEM: {problem}")
    if not options.quick:
        report.write(result, short)
    return 1 if result.problems or short else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="a minute or two, and no report")
    parser.add_argument("--minutes", type=int, default=240, help="length of a segment of klines")
    parser.add_argument("--segments", type=int, default=40, help="segments at most")
    parser.add_argument("--folder", type=Path, help="where broker, database and logs are kept")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
