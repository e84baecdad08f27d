"""The demo on a real broker: every part a process of its own, all of them ended, however it ends."""

import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from uuid import uuid4

from streams.cli import alerting
from streams.cli.applying import Answer, await_answers, ends, send
from streams.cli.demo.glance import Glance, glance
from streams.cli.demo.interrupts import Interrupts
from streams.cli.demo.plan import Plan
from streams.cli.demo.view import View
from streams.cli.errors import Invalid, Problem
from streams.cli.kafka import KafkaCluster, settings_for
from streams.cli.stack import LocalProcess, StackFile, stop_all, write_stack
from streams.cli.starting import create_topics, migrate, require_alive
from topics.broker.choose import Broker, choose
from topics.registry import Topics

PARTITIONS: Final = 4
_MARK: Final = "DEMO"
_LOOK_EVERY_S: Final = 0.5
_ACCEPT_S: Final = 180.0
_ASK_S: Final = 5.0
"""How long answers are waited for before it is seen whether everybody lives."""
_STANDSTILL_S: Final = 90.0
"""How long nothing may move while there is something to do; a slow machine may take its time."""
_QUIET_LOOKS: Final = 4
"""Looks in a row without lag and without anything new, after which nothing more is to come."""


def fresh_folder(folder: Path) -> Path:
    """The demo's own folder, emptied of the last demo. Raises Invalid, and Problem while one runs."""
    path = folder / "demo"
    if path.exists() and any(path.iterdir()):
        if not (path / _MARK).exists():
            raise Invalid(f"{path} is not a demo's folder: move it away, or choose another --dir")
        running = [name for name in ("executor", "worker", "feed") if LocalProcess(path, name).pid]
        if running:
            raise Problem(f"a demo is running in {path} ({', '.join(running)}): end it first")
        shutil.rmtree(path)
    path.mkdir(parents=True, exist_ok=True)
    (path / _MARK).write_text("Made by `strikeline demo`, which empties this folder when it runs again.\n")
    return path


class KafkaDemo:
    """One run: `broker` is chosen already. Use `processes` around `run`."""

    def __init__(self, plan: Plan, folder: Path, broker: Broker, view: View, interrupts: Interrupts) -> None:
        self._plan = plan
        self._folder = folder
        self._view = view
        self._interrupts = interrupts
        namespace = f"demo-{uuid4().hex[:6]}" if broker.kind == "address" else ""
        database = f"sqlite:///{folder / 'strikeline.db'}"
        own = broker.kind == "local"
        self.stack = StackFile(
            broker.bootstrap, database, namespace, PARTITIONS, keep_history=True, own_broker=own
        )
        self.topics = Topics(namespace, PARTITIONS, keep_history=True)
        self.cluster = KafkaCluster(settings_for(broker.bootstrap))
        self._processes: dict[str, LocalProcess] = {}

    @contextmanager
    def processes(self) -> Iterator[None]:
        """Whatever happens inside, every process that `run` started is gone afterwards."""
        try:
            yield
        finally:
            with self._interrupts.shield(final=True):
                stop_all(self._processes.values())
                self.cluster.close()

    def run(self) -> Glance:
        """Start everything, feed, wait until all is processed; what there is then."""
        write_stack(self._folder, self.stack)
        create_topics(self.stack, self._view.say)
        migrate(self.stack, self._folder)
        self._start("worker", ["worker"])
        self._start("executor", ["executor"])
        self._apply()
        self._start("feed", ["feed", *self._plan.feed])
        self._watch_feed()
        return self._catch_up()

    def _start(self, name: str, arguments: list[str]) -> None:
        process = LocalProcess(self._folder, name)
        with self._interrupts.shield():
            self._processes[name] = process
            pid = process.start(self.stack, arguments)
        self._view.say(f"{name} started, pid {pid}")

    def _apply(self) -> None:
        bots = self._plan.bots()
        since = ends(self.cluster, self.topics.events.name)
        send(self.cluster, self.topics, bots)
        answers = self._answers([bot.bot_id for bot in bots], since)
        for bot_id, answer in answers.items():
            if answer.event != "accepted":
                raise Problem(
                    f"bot {bot_id} was not accepted: {answer.event} {answer.field or ''} {answer.reason}"
                )
        self._view.say(f"{len(bots)} bots accepted: {', '.join(answers)}")
        alerts = self._plan.alerts()
        alerting.send(self.cluster, self.topics, alerts)
        self._view.say(f"{len(alerts)} alert sent: {', '.join(alert.alert_id for alert in alerts)}")

    def _answers(self, bots: list[str], since: Mapping[int, int]) -> dict[str, Answer]:
        deadline = time.monotonic() + _ACCEPT_S
        while True:
            answers = await_answers(self.cluster, self.topics, bots, since, _ASK_S)
            self._interrupts.check()
            self._require_alive()
            if time.monotonic() > deadline or all(answer.event != "sent" for answer in answers.values()):
                return answers

    def _require_alive(self) -> None:
        require_alive([process for name, process in self._processes.items() if name != "feed"])

    def _watch_feed(self) -> None:
        feed = self._processes["feed"]
        while (code := feed.ended()) is None:
            self._look()
            time.sleep(_LOOK_EVERY_S)
        if code not in (0, 1):
            require_alive([feed])

    def _look(self) -> Glance:
        self._interrupts.check()
        self._require_alive()
        seen = glance(self.cluster, self.topics, self.stack.database)
        span = self._plan.last_ms - self._plan.first_ms
        self._view.show(seen, 0.0 if seen.now_ms is None else (seen.now_ms - self._plan.first_ms) / span)
        return seen

    def _catch_up(self) -> Glance:
        moved, quiet = time.monotonic(), 0
        before = self._look()
        while quiet < _QUIET_LOOKS:
            time.sleep(_LOOK_EVERY_S)
            seen = self._look()
            if (seen.lag, seen.written) != (before.lag, before.written):
                moved = time.monotonic()
            elif time.monotonic() - moved > _STANDSTILL_S and not seen.idle:
                raise Problem(f"nothing was processed for {_STANDSTILL_S:.0f} s: lag {seen.lag}")
            quiet = quiet + 1 if seen.idle and seen.written == before.written else 0
            before = seen
        return before


def choose_broker(folder: Path, bootstrap: str | None) -> Broker:
    """A broker for the demo, by the first way that works. Raises NoBroker, BrokerUnreachable."""
    return choose(folder / "kafka", bootstrap)
