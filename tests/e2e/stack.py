"""The real thing for end-to-end tests: topics on a broker, a database, and processes as users start them."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from uuid import uuid4

from sqlalchemy import Engine, func, select

from sinks.database.engine import open_engine
from sinks.database.migrate import upgrade
from sinks.database.tables import outbox
from streams.cli.health import Reader, readers
from streams.cli.kafka import KafkaCluster
from streams.cli.stack import LocalProcess, StackFile, stop_all
from streams.cli.starting import require_alive
from tests.deadline import DEADLINE_S
from topics.admin import TopicAdmin
from topics.broker.choose import Broker
from topics.connection import KafkaSettings
from topics.records import Record
from topics.registry import Topics
from topics.spec import TopicSpec

_LOOK_EVERY_S: Final = 0.4


class Stack:
    """One namespace on `broker` and one database, a SQLite file in `folder` unless another URL is given. `start` runs
    `strikeline NAME …` as users do.
    """

    def __init__(
        self, broker: Broker, folder: Path, partitions: int = 4, database: str | None = None
    ) -> None:
        self.topics = Topics(f"e2e-{uuid4().hex[:8]}", partitions, keep_history=True)
        self.settings = KafkaSettings(bootstrap=broker.bootstrap)
        self.database = database or f"sqlite:///{folder / 'strikeline.db'}"
        self.engine: Engine = open_engine(self.database)
        self.cluster = KafkaCluster(self.settings)
        self._folder = folder
        self._place = StackFile(
            broker.bootstrap,
            self.database,
            self.topics.namespace,
            partitions,
            keep_history=True,
            own_broker=False,
        )
        self._processes: dict[str, LocalProcess] = {}
        TopicAdmin(self.settings).create(self.topics.all())
        upgrade(self.engine)

    def start(self, name: str, *arguments: str) -> int:
        """Start a process; its pid."""
        process = self._processes[name] = LocalProcess(self._folder, name)
        return process.start(self._place, arguments or (name,))

    def pids(self) -> Mapping[str, int | None]:
        """Who runs, under which pid; None for one that ended."""
        return {name: process.pid for name, process in self._processes.items()}

    def log(self, name: str) -> str:
        """What the process said."""
        return self._processes[name].log.read_text(errors="replace")

    def wait_ended(self, name: str) -> int:
        """Wait for a process that ends by itself; its exit code."""
        process = self._processes[name]
        self._until(lambda: process.ended() is not None, f"{name} still runs")
        code = process.ended()
        assert code is not None
        return code

    def wait_settled(self, *going: str) -> None:
        """Wait until nobody has anything left to do; the processes called `going` must live meanwhile."""
        before: tuple[list[Reader], int] | None = None

        def settled() -> bool:
            nonlocal before
            require_alive(self._processes[name] for name in going)
            last, before = before, self._standing()
            found, unsent = before
            return last == before and not unsent and not any(reader.lag for reader in found)

        self._until(settled, "not settled", lambda: before)

    def records(self, spec: TopicSpec) -> list[Record]:
        """Everything that a topic holds, in the order of partitions."""
        start = dict.fromkeys(self.cluster.bounds(spec.name), 0)
        return sorted(
            self.cluster.read(spec.name, start), key=lambda record: (record.partition, record.offset)
        )

    def close(self) -> None:
        """End every process, and let go of the database."""
        stop_all(self._processes.values())
        self.cluster.close()
        self.engine.dispose()

    def _standing(self) -> tuple[list[Reader], int]:
        """How far everything has come, and how many rows the outbox has. The same twice in a row, and nothing lags: all
        are done.

        A record in flight shows as lag of whoever will commit it, or as a row of the outbox.
        """
        found = readers(self.cluster, self.topics, self.database)
        with self.engine.connect() as connection:
            unsent = connection.execute(select(func.count()).select_from(outbox)).scalar_one()
        return found, unsent

    def _until(
        self, done: Callable[[], bool], complaint: str, progress: Callable[[], object] = lambda: None
    ) -> None:
        """Wait for as long as `progress` goes on changing, and for the deadline after it did."""
        deadline, seen = time.monotonic() + DEADLINE_S, progress()
        while not done():
            if (now := progress()) != seen:
                deadline, seen = time.monotonic() + DEADLINE_S, now
            assert time.monotonic() < deadline, (
                f"{complaint}: nothing for {DEADLINE_S:.0f} s: {self._report()}"
            )
            time.sleep(_LOOK_EVERY_S)

    def _report(self) -> str:
        lags = [(r.topic, r.done, r.lag) for r in readers(self.cluster, self.topics, self.database)]
        tails = {name: process.log_tail(20) for name, process in self._processes.items()}
        return f"{lags}, {self.pids()}\n" + "\n".join(f"{name}:\n{tail}" for name, tail in tails.items())


@contextmanager
def stack(broker: Broker, folder: Path, partitions: int = 4, database: str | None = None) -> Iterator[Stack]:
    """A stack that is gone afterwards, whatever happens inside."""
    made = Stack(broker, folder, partitions, database)
    try:
        yield made
    finally:
        made.close()
