"""A whole pipeline of processes on a broker of its own, with a feed that never lets the work run out."""

import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from schemas.bots import BotConfig
from tests.chaos.children import Child, Supervisor, environment
from tests.chaos.duplicates import Duplicator
from tests.chaos.scenario import Scenario, write
from tests.chaos.sight import Sight
from tests.chaos.vitals import free_port
from tests.deadline import DEADLINE_S
from topics.admin import TopicAdmin
from topics.broker.local import LocalKafka
from topics.codec import cloud_headers, encode
from topics.connection import KafkaSettings
from topics.producer import KafkaPublisher
from topics.records import Outgoing
from topics.registry import Topics

_LOOK_S: Final = 0.2
_COLD_S: Final = 1_200.0
"""Where kernels were never compiled before, workers do that first, perhaps on a machine that has other work too."""
_QUIET_LOOKS: Final = 3


class Stuck(AssertionError):
    """Something that must happen did not happen in time."""


class Cluster:
    """Broker, topics, two workers, an executor and a feed over `scenario`, in `folder`; the deals go to `database`.

    `workers` and `executor` are started by `start`; everything ends when it is left. `copies`: the share of triggers
    that come again.
    """

    def __init__(
        self,
        scenario: Scenario,
        folder: Path,
        database: str,
        *,
        partitions: int = 12,
        delay_max: float = 2.0,
        copies: float = 0.0,
    ) -> None:
        self.scenario = scenario
        self.folder = folder
        self.topics = Topics(partitions=partitions, keep_history=True)
        self.database = database
        self._copies = copies
        self.failpoint_log = folder / "failpoints.log"
        self.klines, self.inputs = write(scenario, folder)
        self.broker = LocalKafka(folder / "kafka")
        self.fed = self.announced = 0
        """Segments that were fed, and segments whose changes were published."""
        settings = {
            "STRIKELINE_KAFKA_BOOTSTRAP": self.broker.bootstrap,
            "STRIKELINE_DATABASE_URL": self.database,
            "STRIKELINE_PARTITIONS": str(partitions),
            "STRIKELINE_KEEP_HISTORY": "true",
            "STRIKELINE_STATE_DIR": str(folder / "state"),
            "STRIKELINE_EXECUTOR_DELAY_MAX": str(delay_max),
            "STRIKELINE_SESSION_TIMEOUT": "6",
            "STRIKELINE_RECONCILE_SECONDS": "3",
        }
        self._env = environment(settings, self.failpoint_log)
        self.workers = [
            Child(f"worker-{n}", ["worker"], "assigned partitions", folder, self._env) for n in (1, 2)
        ]
        self.metrics_port = free_port()
        watched = self._env | {"STRIKELINE_METRICS_PORT": str(self.metrics_port)}
        self.executor = Child("executor", ["executor"], "claimed partitions", folder, watched)
        self._enough = threading.Event()
        self._feed_error: BaseException | None = None
        self._feeder = threading.Thread(target=self._feed, name="feeder", daemon=True)
        self._owned = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as owned:
            owned.enter_context(self.broker)
            self.settings = KafkaSettings(bootstrap=self.broker.bootstrap)
            TopicAdmin(self.settings).create(self.topics.all())
            self._publisher = KafkaPublisher(self.settings)
            self._command("executor", "--migrate-only")
            self.sight = Sight(self.broker.bootstrap, self.topics, self.database)
            owned.callback(self.sight.close)
            name, partitions = self.topics.triggers.name, self.topics.partitions
            self.duplicator = Duplicator(
                self.broker.bootstrap, name, partitions, self._copies, self.scenario.seed
            )
            owned.enter_context(Supervisor(*self.workers, self.executor))
            owned.enter_context(self.duplicator)
            owned.callback(self._stop_feeding)
            self._owned = owned.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._owned.close()

    def start(self) -> None:
        """Start everything and return when work is under way."""
        for child in (*self.workers, self.executor):
            child.start()
        self.publish(self.scenario.bots)
        self._feeder.start()
        self.wait(
            "the first triggers",
            _COLD_S,
            lambda: bool(sum(self.sight.ends(self.topics.triggers.name).values())),
        )

    def drain(self, deadline: float = 600.0) -> None:
        """Feed no more, and return when everything that was fed is done and told; nothing is delayed any more.

        It takes as long as it takes: an executor that was killed often is answered trigger by trigger, over many bars.
        Raises Stuck where nothing was applied for `deadline` seconds.
        """
        self._stop_feeding()
        self.duplicator.stop()
        self.executor.leave()
        self.executor.set("STRIKELINE_EXECUTOR_DELAY_MAX", "0")
        self.executor.start()
        quiet = 0

        def done() -> bool:
            nonlocal quiet
            quiet = 0 if self.sight.work().any else quiet + 1
            return quiet >= _QUIET_LOOKS

        self.wait("the pipeline to finish what was fed", deadline, done, self.sight.applied)

    def wait(
        self,
        what: str,
        deadline: float,
        done: Callable[[], bool],
        progress: Callable[[], object] = lambda: None,
    ) -> float:
        """Return, with the seconds it took, once `done`. Raises Stuck where `progress` has not changed for `deadline`
        seconds, or what broke the feed.
        """
        began = moved = time.monotonic()
        seen = progress()
        while not done():
            if self._feed_error is not None:
                raise Stuck(f"the feed broke while waiting for {what}") from self._feed_error
            if (now := progress()) != seen:
                seen, moved = now, time.monotonic()
            if time.monotonic() - moved > deadline:
                raise Stuck(f"waited {deadline:.0f} s for {what}; work: {self.sight.work()}")
            time.sleep(_LOOK_S)
        return time.monotonic() - began

    def publish(self, configs: Iterable[BotConfig]) -> None:
        """Put configs on their topic, as a user's program does."""
        for config in configs:
            time_ms = config.effective_from_ms or 0
            headers = cloud_headers(config, "chaos", f"{config.bot_id}/{config.revision}", time_ms)
            name = self.topics.configs.name
            self._publisher.send(Outgoing(name, config.bot_id.encode(), encode(config), time_ms, headers))
        asyncio.run(self._publisher.flush())

    def _feed(self) -> None:
        """Segment after segment, the next one's changes while most of the last one is still to be worked on."""
        half = len(self.scenario.symbols) * self.scenario.segment_minutes // 2
        try:
            while self.fed < self.scenario.segments:
                self.publish(self.scenario.changes[self.fed])
                self.announced += 1
                accepted = self._await(lambda: not self.sight.unaccepted())
                if not accepted or not self._await(lambda: sum(self.sight.lag().values()) < half):
                    return
                self._feed_segment(self.fed)
                self.fed += 1
        except BaseException as error:  # whoever waits is told, in its own thread; and this one still ends
            self._feed_error = error
            raise

    def _feed_segment(self, segment: int) -> None:
        first, after = self.scenario.start_of(segment), self.scenario.start_of(segment + 1)
        self._command(
            "feed",
            "file",
            str(self.klines),
            "--speed",
            "max",
            "--from",
            str(first),
            "--to",
            str(after),
            "--json",
        )

    def _await(self, done: Callable[[], bool]) -> bool:
        """Wait for as long as it takes; False when there is enough."""
        while not done():
            if self._enough.wait(_LOOK_S):
                return False
        return True

    def _stop_feeding(self) -> None:
        self._enough.set()
        if self._feeder.is_alive():
            self._feeder.join(DEADLINE_S)

    def _command(self, *arguments: str) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "streams.cli", *arguments],
            env=self._env,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise Stuck(
                f"strikeline {' '.join(arguments[:2])} ended with {done.returncode}: {done.stderr[-2_000:]}"
            )
