"""A namespace on a real broker, worker processes on it, and an executor that answers every trigger."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest
from confluent_kafka import Consumer

from schemas.triggers import Trigger
from streams.inprocess import EvaluatorWorker
from tests.deadline import DEADLINE_S
from tests.streams.evaluator import scenario
from topics.admin import TopicAdmin
from topics.bus import MemoryBus
from topics.codec import decode
from topics.connection import KafkaSettings
from topics.partitioner import partition_for
from topics.producer import KafkaPublisher
from topics.records import Outgoing, Record
from topics.registry import Topics

SESSION_S = 10
_START = f"""
import sys
from streams.config import WorkerSettings
from streams.worker import run_worker
from topics.connection import KafkaSettings
kafka = KafkaSettings(bootstrap=sys.argv[2])
run_worker(
    WorkerSettings(
        namespace=sys.argv[1], partitions=2, keep_history=True, checkpoint_interval=0.3, kafka=kafka,
        session_timeout={SESSION_S},
    )
)
"""


class Stage:
    """A namespace on the broker, the processes on it, and an executor that answers every trigger."""

    def __init__(self, bootstrap: str, logs: Path) -> None:
        self.topics = Topics(f"e2e-{uuid4().hex[:12]}", 2, keep_history=True)
        self.kafka = KafkaSettings(bootstrap=bootstrap)
        self.seen: dict[str, bytes] = {}
        self.repeats = 0
        self.heard: dict[int, float] = {}
        """When each partition was last heard (monotonic seconds)."""
        self.workers: list[subprocess.Popen[bytes]] = []
        self._logs = logs
        TopicAdmin(self.kafka).create(self.topics.all())
        self._publisher = KafkaPublisher(self.kafka)
        self._triggers = Consumer(
            self.kafka.for_confluent() | {"group.id": self.topics.namespace, "auto.offset.reset": "earliest"}
        )
        self._triggers.subscribe([self.topics.triggers.name])

    def worker(self, **environment: str) -> "subprocess.Popen[bytes]":
        """Start a worker process."""
        arguments = [sys.executable, "-c", _START, self.topics.namespace, self.kafka.bootstrap]
        with (self._logs / f"worker-{len(self.workers)}.log").open("wb") as log:
            process = subprocess.Popen(arguments, stdout=log, stderr=log, env=os.environ | environment)
        self.workers.append(process)
        return process

    @property
    def newest_log(self) -> Path:
        """Of the worker that was started last."""
        return self._logs / f"worker-{len(self.workers) - 1}.log"

    def send(self, *outgoing: Outgoing) -> None:
        """Put records on their topics and wait for the broker."""
        for one in outgoing:
            self._publisher.send(one)
        asyncio.run(self._publisher.flush())

    def arm(self, symbols: tuple[str, ...] = scenario.SYMBOLS) -> None:
        """The first command of every symbol."""
        self.send(*first_commands(self.topics, symbols))

    def feed(self, first: int, end: int, symbols: tuple[str, ...] = scenario.SYMBOLS) -> None:
        """Bars [first, end)."""
        self.send(*scenario.klines(first, end, symbols, self.topics))

    def answer_until(self, done: Callable[[], bool], deadline: float = DEADLINE_S) -> None:
        """Answer triggers until `done`."""
        end = time.monotonic() + deadline
        while not done():
            if time.monotonic() > end:
                logs = [path.read_text()[-2_000:] for path in sorted(self._logs.glob("*.log"))]
                pytest.fail(f"not done in {deadline:.0f} s; {len(self.seen)} triggers\n" + "\n".join(logs))
            message = self._triggers.poll(0.1)
            if message is not None and message.error() is None:
                self._answer(message.key(), message.value() or b"")

    def _answer(self, key: bytes | None, value: bytes) -> None:
        record = Record(self.topics.triggers.name, 0, 0, 0, key, value)
        trigger = decode(record, self.topics.triggers)
        assert isinstance(trigger, Trigger), trigger
        self.heard[partition_for(trigger.symbol.encode(), 2)] = time.monotonic()
        if trigger.trigger_id in self.seen:
            self.repeats += 1
            assert self.seen[trigger.trigger_id] == value, "a repeat must be byte-identical"
            return
        self.seen[trigger.trigger_id] = value
        again = scenario.group(trigger.symbol, trigger.generation + 1, trigger.bar.close_time_ms)
        self.send(scenario.group_record(again, self.topics))

    def close(self) -> None:
        """End the processes that are still there."""
        for process in self.workers:
            if process.poll() is None:
                process.kill()
                process.wait(DEADLINE_S)
        self._triggers.close()


def first_commands(topics: Topics, symbols: tuple[str, ...]) -> list[Outgoing]:
    """Arms every symbol's group from the beginning."""
    return [scenario.group_record(scenario.group(symbol, 1, 0), topics) for symbol in symbols]


def undisturbed(bars: int, symbols: tuple[str, ...] = scenario.SYMBOLS) -> dict[str, bytes]:
    """The triggers of the same bars and commands, in process and without any death."""

    async def run() -> dict[str, bytes]:
        bus = MemoryBus(*scenario.TOPICS.all())
        executor, worker = scenario.Executor(bus), EvaluatorWorker(bus, scenario.TOPICS)
        for record in (*first_commands(scenario.TOPICS, symbols), *scenario.klines(0, bars, symbols)):
            bus.append(record)
        moved = 1
        while moved:
            moved = await worker.run_until_idle() + executor.answer()
        return executor.seen

    return asyncio.run(run())
