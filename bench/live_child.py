"""The process that bench/live.py measures: the evaluator, or an empty or echoing Faust agent with its settings."""

import asyncio
import json
import sys
import time
from typing import Any

import faust

from streams.app import Evaluator, faust_app
from streams.config import WorkerSettings
from streams.guard import StandstillGuard, end_process
from streams.warm import calm_collector, warm_up
from topics.connection import KafkaSettings
from topics.producer import KafkaPublisher

_DEADLINE_S = 120.0


class Child:
    """Counts klines as they are handled; `handled` is read by the measuring task."""

    def __init__(self, settings: WorkerSettings) -> None:
        self.settings = settings
        self.empty_count = 0
        self.evaluator: Evaluator | None = None

    def empty(self) -> faust.App:
        """An agent that does nothing, acks and all."""
        app = faust_app(self.settings, faust.App)

        async def nothing(stream: Any) -> None:
            async for _ in stream:
                self.empty_count += 1

        app.agent(_raw(app, self.settings.topics.klines.name), name="empty", concurrency=1)(nothing)
        return app

    def echo(self) -> faust.App:
        """An agent that sends every record on as it came: the least that a Faust agent with an output does."""
        app = faust_app(self.settings, faust.App)
        out = _raw(app, self.settings.topics.fired.name)

        async def forward(stream: Any) -> None:
            async for event in stream.events():
                await out.send(key=event.key, value=event.value)
                self.empty_count += 1

        app.agent(_raw(app, self.settings.topics.klines.name), name="echo", concurrency=1)(forward)
        return app

    def full(self) -> faust.App:
        """The evaluator as `strikeline worker` runs it."""
        guard = StandstillGuard(self.settings.session_timeout)
        self.evaluator = Evaluator(self.settings, KafkaPublisher(self.settings.kafka), guard, _failed)
        return self.evaluator.app

    def klines(self) -> int:
        """Klines handled."""
        if self.evaluator is None:
            return self.empty_count
        return self._sum(0)

    def commands(self) -> int:
        """Commands handled."""
        return 0 if self.evaluator is None else self._sum(2)

    def _sum(self, source: int) -> int:
        assert self.evaluator is not None
        return sum(lane.evaluator.offsets[source] for lane in self.evaluator.station.lanes.values())


def _raw(app: faust.App, name: str) -> Any:
    return app.topic(name, key_serializer="raw", value_serializer="raw", key_type=bytes, value_type=bytes)


def _failed(error: BaseException) -> None:
    print(repr(error), file=sys.stderr)
    end_process(1)


async def _until(reached: Any) -> None:
    end = time.perf_counter() + _DEADLINE_S
    while not reached():
        if time.perf_counter() > end:
            raise TimeoutError("the records did not come")
        await asyncio.sleep(0.02)


async def measure(child: Child, told: dict[str, Any]) -> None:
    """Wait until the warm-up is handled and the alerts are armed, say so, then time the klines."""
    rate = 0.0
    if told["kind"] == "evaluator":
        await _until(lambda: child.commands() > 0)
        armed, start = child.commands(), time.perf_counter()
        await _until(lambda: child.commands() >= told["commands"])
        rate = (child.commands() - armed) / (time.perf_counter() - start)
    await _until(lambda: child.klines() >= told["warm"])
    print(json.dumps({"commands_per_second": rate}), flush=True)
    warm, records = child.klines(), told["records"]
    await _until(lambda: child.klines() > warm)
    start, cpu, first = time.perf_counter(), time.process_time(), child.klines()
    await _until(lambda: child.klines() >= warm + records)
    seconds, used = time.perf_counter() - start, time.process_time() - cpu
    fired = child.evaluator.station.totals()["Fired"] if child.evaluator else 0
    count = child.klines() - first
    done = {"klines_per_second": count / seconds, "cpu_us": used / count * 1e6, "fired": fired}
    print(json.dumps(done), flush=True)
    await asyncio.sleep(1.5)
    end_process(0)


def main() -> None:
    """Run the kind of worker asked for."""
    told = json.loads(sys.argv[1])
    settings = WorkerSettings(
        namespace=told["namespace"],
        partitions=4,
        keep_history=True,
        kafka=KafkaSettings(bootstrap=told["bootstrap"]),
    )
    warm_up()
    calm_collector()
    child = Child(settings)
    app = {"empty": child.empty, "echo": child.echo, "evaluator": child.full}[told["kind"]]()
    app.task(lambda: measure(child, told))
    app.Worker(loglevel="ERROR", quiet=True, override_logging=False).execute_from_commandline()


if __name__ == "__main__":
    main()
