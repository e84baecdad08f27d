"""What a minute of 1,000 bots on 20 symbols costs: as loops of their own, and behind this pipeline.

    python bench/seed_cost.py [--json] [--bots 1000,10000] [--slice 60] [--broker host:port]

Dedicated: each bot, every second, computes its indicators with `ta` on 100 candles and evaluates its condition.
Here: a real broker, a worker and an executor process of their own, and a feed that sends what 20 symbols send in a
minute, the update of the forming candle each second included. CPU seconds of processes, idle time included, over a
minute of wall time.

Fetching is on neither side: not the loops' requests, not the feed's process, not the broker's. All three are measured
too, and a row adds them up. The loops react within a second to a candle that is not closed yet; here conditions are
evaluated when a candle closes (law 2), so forming candles are read and passed over. On the other hand the loops end
with a true condition, and here triggers, deals and their orders come after it. Linux only.
"""

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench._dedicated import bots, fetching, run
from bench._pipeline import FIRST, WARM, Pipeline, Spent
from topics.broker.choose import choose
from topics.broker.local import LocalKafka

SYMBOLS = [f"SYM{n}" for n in range(20)]
BASE = 1_000
"""Bots whose loops are really run; more are extrapolated, because loops do not share anything."""


def measure(bootstrap: str, pid: int | None, folder: Path, count: int) -> tuple[Spent, float, float, int]:
    """A minute, what worker and executor take in an idle one, the seconds until all were armed, the deals opened."""
    with Pipeline(bootstrap, pid, folder, SYMBOLS, f"seed-{count}-{os.getpid()}") as pipeline:
        armed = pipeline.arm(bots(count, SYMBOLS))
        pipeline.close_minutes(1)  # whatever is true when it is armed fires here
        pipeline.settle()
        half = pipeline.minute(30, idle=True)
        before = pipeline.deals()
        spent = pipeline.minute()
        idle = 2 * (half.worker + half.executor)
        return spent, idle, armed, pipeline.deals() - before


def results(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Dedicated loops first, then the pipeline by number of bots."""
    took = run(bots(BASE, SYMBOLS), SYMBOLS, FIRST + WARM, options.slice)
    loops, request = took.seconds * 60 / options.slice, fetching(FIRST + WARM, options.fetches)
    how = "" if options.slice == 60 else f", scaled from {options.slice} s"
    rows = [
        _row(f"loops, 1,000 bots{how}", loops, "CPU s/min"),
        _row(f"loops, one fetch of 100 candles (mean of {options.fetches:,})", request * 1e3, "CPU ms"),
    ]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with choose(folder / "kafka", options.broker) as broker:
            pid = LocalKafka(folder / "kafka").pid if broker.kind == "local" else None
            for count in options.bots:
                rows += _rows(count, loops, request, *measure(broker.bootstrap, pid, folder, count))
    return rows


def _rows(
    count: int, loops: float, request: float, spent: Spent, idle: float, armed: float, deals: int
) -> list[dict[str, Any]]:
    label = f"{count:,} bots"
    peer, ours = loops * count / BASE, spent.worker + spent.executor
    with_fetch = peer + request * count * 60
    whole = ours + spent.feed + (spent.broker or 0.0)
    extrapolated = "" if count == BASE else " (loops extrapolated)"
    rows = [
        _row(f"{label}: worker + executor{extrapolated}", ours, "CPU s/min", peer),
        _row(f"{label}: with feed, broker, fetches{extrapolated}", whole, "CPU s/min", with_fetch),
        _row(f"{label}: worker", spent.worker, "CPU s/min"),
        _row(f"{label}: executor", spent.executor, "CPU s/min"),
        _row(f"{label}: worker + executor when nothing is sent", idle, "CPU s/min"),
        _row(f"{label}: feed", spent.feed, "CPU s/min"),
        _row(f"{label}: deals opened in the minute", deals, "deals"),
        _row(f"{label}: until all are armed, start of the processes included", armed, "s"),
    ]
    if spent.broker is not None:
        rows.append(_row(f"{label}: broker", spent.broker, "CPU s/min"))
    return rows


def _row(name: str, value: float, unit: str, peer: float | None = None) -> dict[str, Any]:
    ratio = None if peer is None else round(peer / value, 1)
    goal, met = (None, None) if ratio is None else (1.0, ratio >= 1.0)
    peer = None if peer is None else round(peer, 2)
    return {
        "name": name,
        "value": round(value, 3),
        "unit": unit,
        "peer": peer,
        "ratio": ratio,
        "goal": goal,
        "met": met,
    }


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--broker", default=None)
    parser.add_argument(
        "--bots", type=lambda text: [int(n) for n in text.split(",")], default=[1_000, 10_000]
    )
    parser.add_argument("--slice", type=int, default=60, help="seconds of the minute that the loops run")
    parser.add_argument("--fetches", type=int, default=2_000)
    rows = results(options := parser.parse_args())
    if options.json:
        print(json.dumps(rows, indent=1))
        return
    for row in rows:
        peer = f"   loops {row['peer']:,.1f}, {row['ratio']:,.0f} times" if row["peer"] else ""
        print(f"{row['name']:60} {row['value']:>10,.3f} {row['unit']}{peer}")


if __name__ == "__main__":
    main()
