"""How fast the evaluator is on a real broker, against an empty and an echoing Faust agent with the same settings.

    python bench/live.py [--json] [--klines 60000] [--alerts 10000] [--symbols 20] [--broker host:port]

Throughput: alerts are armed, then klines that were made before are sent all at once, and a worker in a process of its
own reads them to the end. The best of several rounds counts, all are told.
Latency: klines come at a steady rate, and each output is timed from the moment its kline was handed to the
producer to the moment a consumer that was there before has it; the evaluator's output is what fired, the echo's the
kline itself.
"""

import argparse
import asyncio
import json
import math
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from confluent_kafka import Consumer

from schemas.alerts import AlertCommand
from schemas.market import Kline
from streams.config import WorkerSettings
from topics.admin import TopicAdmin
from topics.broker.choose import choose
from topics.codec import encode
from topics.connection import KafkaSettings
from topics.producer import KafkaPublisher
from topics.records import Outgoing
from topics.registry import Topics

MINUTE = 60_000
GOAL_RATIO = 0.8
GOAL_COST = 1.25


def price(bar: int, symbol: int) -> float:
    """A swing that crosses two thresholds of its symbol per bar on average, one of them upwards."""
    return round(1_000 + 200 * math.sin((bar + 37 * symbol) / 80), 2)


def klines(symbols: list[str], first: int, count: int) -> Iterator[Outgoing]:
    """`count` klines of `symbols`, minute by minute from bar `first`."""
    for at in range(count):
        bar, which = first + at // len(symbols), at % len(symbols)
        before, now = price(bar - 1, which), price(bar, which)
        kline = Kline(
            symbol=symbols[which], interval="1m", open_time_ms=bar * MINUTE, open=before,
            high=max(before, now) + 0.5, low=min(before, now) - 0.5, close=now, volume=1.0,
        )  # fmt: skip
        yield Outgoing("klines", kline.symbol.encode(), encode(kline), (bar + 1) * MINUTE)


def alerts(symbols: list[str], count: int) -> Iterator[AlertCommand]:
    """Thresholds spread over the swing: four fifths on the price, one fifth on RSI and averages."""
    each = count // len(symbols)
    for symbol in symbols:
        for n in range(each):
            level = 800 + 400 * (n + 0.5) / each
            text = f"close > {level:.2f}"
            if n % 5 == 0:
                text = f"rsi(14) > {100 * n / each:.2f}" if n % 10 else f"ema(20) > {level:.2f}"
            yield AlertCommand(
                alert_id=f"{symbol}-{n}", user_id=f"user-{n % 100}", symbol=symbol, effective_from_ms=0,
                condition=text, frequency="once_per_bar_close", when_true_at_arming="wait",
            )  # fmt: skip


class Bench:
    """One namespace on one broker."""

    def __init__(self, bootstrap: str, symbols: int, name: str) -> None:
        self.kafka = KafkaSettings(bootstrap=bootstrap)
        self.topics = Topics(name, 4, keep_history=True)
        self.symbols = [f"SYM{n}" for n in range(symbols)]
        TopicAdmin(self.kafka).create(self.topics.all())
        self.publisher = KafkaPublisher(self.kafka)

    def klines(self, first: int, count: int) -> list[Outgoing]:
        """Klines as they go on the topic."""
        name = self.topics.klines.name
        return [kline._replace(topic=name) for kline in klines(self.symbols, first, count)]

    def feed(self, records: list[Outgoing]) -> None:
        """Put records on their topics, all at once."""
        for record in records:
            self.publisher.send(record)
        asyncio.run(self.publisher.flush())

    def arm(self, count: int) -> None:
        """Put alerts on the topic."""
        name = self.topics.user_alerts.name
        self.feed([Outgoing(name, a.symbol.encode(), encode(a), MINUTE) for a in alerts(self.symbols, count)])

    def child(self, kind: str, warm: int, commands: int, records: int) -> subprocess.Popen[str]:
        """A worker process that prints a line when it is ready and one when it has handled `records` more klines."""
        settings = {
            "kind": kind, "namespace": self.topics.namespace, "bootstrap": self.kafka.bootstrap,
            "warm": warm, "commands": commands, "records": records,
        }  # fmt: skip
        arguments = [sys.executable, "-m", "bench.live_child", json.dumps(settings)]
        root = Path(__file__).resolve().parent.parent
        return subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, cwd=root)


def throughput(kind: str, bootstrap: str, options: argparse.Namespace) -> dict[str, float]:
    """Klines per second of wall time and of CPU time, once the alerts are armed."""
    bench = Bench(bootstrap, options.symbols, f"live-{kind}-{os.getpid()}-{time.monotonic_ns()}")
    warm = 40 * options.symbols
    bench.feed(bench.klines(0, warm))
    if kind == "evaluator":
        bench.arm(options.alerts)
    waiting = bench.klines(40, options.klines)
    child = bench.child(kind, warm, options.alerts, options.klines)
    assert child.stdout is not None
    ready = _line(child.stdout)
    bench.feed(waiting)
    done = _line(child.stdout)
    child.wait(60)
    return {**ready, **done}


def _line(stream: IO[str]) -> dict[str, float]:
    told: dict[str, float] = json.loads("{" + stream.readline().partition("{")[2])
    return told


def latency(kind: str, bootstrap: str, options: argparse.Namespace) -> list[float]:
    """Milliseconds from handing a kline to the producer to reading what came of it."""
    bench = Bench(bootstrap, options.symbols, f"live-latency-{kind}-{os.getpid()}-{time.monotonic_ns()}")
    warm, count = 40 * options.symbols, options.rate * options.seconds
    bench.feed(bench.klines(0, warm))
    if kind == "evaluator":
        bench.arm(options.alerts)
    coming = bench.klines(40, count)
    child = bench.child(kind, warm, options.alerts, count)
    assert child.stdout is not None
    outputs = Outputs(bench, child)
    outputs.reader.start()
    _line(child.stdout)
    outputs.there.wait()
    start = time.perf_counter()
    for n, kline in enumerate(coming):
        if (ahead := n / options.rate - (time.perf_counter() - start)) > 0:
            time.sleep(ahead)
        outputs.sent[(kline.key or b"").decode(), kline.timestamp_ms - MINUTE] = time.perf_counter()
        bench.publisher.send(kline)
    outputs.reader.join()
    return outputs.taken


class Outputs:
    """What the worker puts out, read in a thread as it comes: milliseconds since its kline was sent, for each."""

    def __init__(self, bench: Bench, child: "subprocess.Popen[str]") -> None:
        self.sent: dict[tuple[str, int], float] = {}
        """When each kline was handed over, by symbol and open time."""
        self.taken: list[float] = []
        self.there = threading.Event()
        """Set once it reads: what it misses by joining late would count as the worker's delay."""
        self.reader = threading.Thread(target=self._read)
        self._child = child
        self._consumer = Consumer(
            bench.kafka.for_confluent()
            | {
                "group.id": f"bench-{bench.topics.namespace}", "auto.offset.reset": "earliest",
                "fetch.wait.max.ms": 10, "fetch.queue.backoff.ms": 5,
            }
        )  # fmt: skip
        self._consumer.subscribe([bench.topics.fired.name], on_assign=lambda *_: self.there.set())

    def _read(self) -> None:
        while self._child.poll() is None:
            message = self._consumer.poll(0.1)
            if message is None or message.error():
                continue
            now, told = time.perf_counter(), json.loads(message.value() or b"{}")
            at = self.sent.get((told["symbol"], told.get("bar", told)["open_time_ms"]))
            if at is not None:
                self.taken.append((now - at) * 1_000)
        self.there.set()
        self._consumer.close()


def results(bootstrap: str, options: argparse.Namespace) -> list[dict[str, Any]]:
    """Empty agent and evaluator by turns, the best run of each; then latency, echo and evaluator by turns, all runs."""
    runs: dict[str, list[dict[str, float]]] = {"empty": [], "evaluator": []}
    times: dict[str, list[float]] = {"echo": [], "evaluator": []}
    for kind in ("empty", "evaluator") * options.rounds:
        runs[kind].append(throughput(kind, bootstrap, options))
    for kind in ("echo", "evaluator") * options.rounds:
        times[kind] += latency(kind, bootstrap, options)
    rates, peers = ([run["klines_per_second"] for run in runs[kind]] for kind in ("evaluator", "empty"))
    costs, theirs = ([run["cpu_us"] for run in runs[kind]] for kind in ("evaluator", "empty"))
    best = max(runs["evaluator"], key=lambda run: run["klines_per_second"])
    per_kline, ratio = best["fired"] / options.klines, max(rates) / max(peers)
    cost = min(costs) / min(theirs)
    return [
        _row("live throughput", max(rates), "klines/s", max(peers), GOAL_RATIO, ratio >= GOAL_RATIO, rates),
        _row("fires per kline", per_kline, "fires", None, 1.0, per_kline >= 0.5),
        _row("arming", best["commands_per_second"], "commands/s", None, None, True),
        _row("CPU per kline", min(costs), "µs", min(theirs), GOAL_COST, cost <= GOAL_COST, costs),
        *(
            _row(f"latency p{percent} at {options.rate} klines/s", mine, "ms", peer, None, True)
            for percent in (50, 99)
            for mine, peer in [[_percentile(times[kind], percent) for kind in ("evaluator", "echo")]]
        ),
    ]


def _percentile(times: list[float], percent: int) -> float:
    return sorted(times)[len(times) * percent // 100]


def _row(
    name: str,
    value: float,
    unit: str,
    peer: float | None,
    goal: float | None,
    met: bool,
    runs: Sequence[float] = (),
) -> dict[str, Any]:
    return {
        "name": name,
        "value": round(value, 3),
        "unit": unit,
        "peer": peer,
        "ratio": value / peer if peer else None,
        "goal": goal,
        "met": met,
        "runs": [round(run, 1) for run in runs],
    }


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--broker", default=None)
    parser.add_argument("--klines", type=int, default=60_000)
    parser.add_argument("--alerts", type=int, default=10_000)
    parser.add_argument("--symbols", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--rate", type=int, default=1_000)
    parser.add_argument("--seconds", type=int, default=20)
    options = parser.parse_args()
    WorkerSettings()
    with tempfile.TemporaryDirectory() as folder, choose(Path(folder), options.broker) as broker:
        rows = results(broker.bootstrap, options)
    if options.json:
        print(json.dumps(rows, indent=1))
        return
    for row in rows:
        peer = f" ({row['ratio']:.2f} of {row['peer']:.0f})" if row["peer"] else ""
        runs = f"  runs: {', '.join(f'{run:,.0f}' for run in row['runs'])}" if row["runs"] else ""
        met = "met" if row["met"] else "NOT MET"
        print(f"{row['name']:32} {row['value']:>12} {row['unit']}{peer}  {met}{runs}")


if __name__ == "__main__":
    main()
