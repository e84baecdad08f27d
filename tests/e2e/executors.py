"""Executor processes on a real broker, and the small evaluator that answers them there."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from confluent_kafka import OFFSET_BEGINNING, Consumer, Message, Producer, TopicPartition

from tests.deadline import DEADLINE_S
from topics.admin import TopicAdmin
from topics.connection import KafkaSettings
from topics.partitioner import partition_for
from topics.records import Headers, Outgoing, Record
from topics.registry import Topics


class KafkaLog:
    """A namespace's topics on a broker, read whole: what the in-process bus offers, on Kafka."""

    def __init__(self, bootstrap: str, topics: Topics) -> None:
        self.topics = topics
        self.settings = KafkaSettings(bootstrap=bootstrap)
        TopicAdmin(self.settings).create(topics.all())
        specs = [spec for spec in topics.all() if "changelog" not in spec.name]
        client = self.settings.for_confluent()
        self._producer = Producer(client | {"partitioner": "murmur2_random", "acks": "all"})
        self._consumer = Consumer(client | {"group.id": "reader", "enable.auto.commit": False})
        places = [
            TopicPartition(spec.name, p, OFFSET_BEGINNING) for spec in specs for p in range(spec.partitions)
        ]
        self._consumer.assign(places)
        self._records: dict[str, list[Record]] = {spec.name: [] for spec in specs}

    def append(self, outgoing: Outgoing) -> None:
        """Produce one record and wait for the broker."""
        self._producer.produce(
            outgoing.topic, value=outgoing.value, key=outgoing.key, timestamp=outgoing.timestamp_ms,
            partition=partition_for(outgoing.key or b"", self.topics.partitions), headers=list(outgoing.headers),
        )  # fmt: skip
        assert self._producer.flush(DEADLINE_S) == 0

    def records(self, topic: str) -> list[Record]:
        """What has been read of a topic so far, partition by partition."""
        self._fetch()
        return sorted(self._records[topic], key=lambda record: (record.partition, record.offset))

    def read(self, topic: str, partition: int, offset: int, limit: int) -> list[Record]:
        """As the bus does."""
        mine = [r for r in self.records(topic) if r.partition == partition and r.offset >= offset]
        return mine[:limit]

    def close(self) -> None:
        """Let go of the broker."""
        self._consumer.close()

    def _fetch(self) -> None:
        while messages := self._consumer.consume(1_000, timeout=0.05):
            for message in messages:
                assert message.error() is None, message.error()
                topic = message.topic() or ""
                self._records[topic].append(
                    Record(
                        topic, message.partition() or 0, message.offset() or 0, message.timestamp()[1],
                        message.key(), message.value(), _headers(message),
                    )
                )  # fmt: skip


def _headers(message: Message) -> Headers:
    found = message.headers() or []
    assert isinstance(found, list)
    return tuple((name, value if isinstance(value, bytes) else b"") for name, value in found)


class Executors:
    """Executor processes of one namespace on one database."""

    def __init__(
        self, log: KafkaLog, database: str, folder: Path, settings: Mapping[str, str] | None = None
    ) -> None:
        self._settings = dict(settings or {})
        self._log = log
        self._database = database
        self._folder = folder
        self._started = 0
        self.running: list[subprocess.Popen[bytes]] = []

    def start(self, failpoints: str = "") -> "subprocess.Popen[bytes]":
        """One more process; its log is in the test's folder."""
        self._started += 1
        environment = os.environ | {
            "STRIKELINE_KAFKA_BOOTSTRAP": self._log.settings.bootstrap,
            "STRIKELINE_NAMESPACE": self._log.topics.namespace,
            "STRIKELINE_PARTITIONS": str(self._log.topics.partitions),
            "STRIKELINE_DATABASE_URL": self._database,
            "STRIKELINE_SESSION_TIMEOUT": "6",
            "STRIKELINE_RECONCILE_SECONDS": "0.5",
            "STRIKELINE_KEEP_HISTORY": "true",  # the bars of these tests are years old
            "STRIKELINE_FAILPOINTS": failpoints,
            "PYTHONPATH": str(Path(__file__).parents[2]),
            **self._settings,
        }
        command = [sys.executable, "-m", "tests.e2e.executor_child"]
        with self.output(self._started).open("wb") as log:
            process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        self.running.append(process)
        return process

    def output(self, number: int) -> Path:
        """Log of the `number`-th process, from 1."""
        return self._folder / f"executor-{number}.log"

    @property
    def newest_output(self) -> Path:
        """Log of the process that was started last."""
        return self.output(self._started)

    def logs(self) -> str:
        """All logs, for a test that failed."""
        return "\n".join(self.output(n).read_text() for n in range(1, self._started + 1))

    def reap(self) -> int:
        """Forget processes that ended; how many there were."""
        ended = [process for process in self.running if process.poll() is not None]
        self.running = [process for process in self.running if process.poll() is None]
        return len(ended)

    def kill(self) -> None:
        """kill -9 for the oldest."""
        process = self.running.pop(0)
        process.send_signal(signal.SIGKILL)
        process.wait(DEADLINE_S)

    def stop(self) -> None:
        """End all in order."""
        for process in self.running:
            process.terminate()
        for process in self.running:
            process.wait(DEADLINE_S)
        self.running.clear()


@contextmanager
def executors(
    log: KafkaLog, database: str, folder: Path, settings: Mapping[str, str] | None = None
) -> Iterator[Executors]:
    """Processes that end with the test, by force if they must. `settings`: further variables."""
    started = Executors(log, database, folder, settings)
    try:
        yield started
    finally:
        for process in started.running:
            process.kill()
            process.wait(DEADLINE_S)


def wait_for(
    what: str, condition: Callable[[], bool], executors: Executors, deadline_s: float = DEADLINE_S
) -> None:
    """Poll until `condition` holds; fails with the processes' logs."""
    deadline = time.monotonic() + deadline_s
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not in {deadline_s:.0f} s\n{executors.logs()}"
        time.sleep(0.05)
