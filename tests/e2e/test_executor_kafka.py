"""The executor's process on a real broker: end to end, under kill -9, and when it must refuse to run."""

import signal
import subprocess
from collections.abc import Iterator
from itertools import count, islice
from pathlib import Path
from uuid import uuid4

import pytest
from confluent_kafka.admin import AdminClient
from sqlalchemy import Engine, func, select, update

from schemas.events import BotEvent
from schemas.triggers import Bar
from sinks.database.engine import open_engine, reading
from sinks.database.migrate import upgrade
from sinks.database.tables import bots, outbox
from sinks.database.tables import inbox as inbox_table
from tests.deadline import DEADLINE_S
from tests.e2e.executors import Executors, KafkaLog, executors, wait_for
from tests.sinks.bots import bar, config_out, golden
from tests.sinks.evaluator import Evaluator
from tests.sinks.loop import Loop, rows
from topics.admin import TopicAdmin
from topics.broker.choose import Broker
from topics.codec import decode, encode
from topics.records import Outgoing
from topics.registry import Topics

pytestmark = pytest.mark.e2e

BOTS = [golden(f"dip{n}", user_id="alice") for n in (0, 1, 2, 6, 7, 16)]
"""Some on each of the three partitions."""
POINTS = (
    "executor.outbox_saved:2",
    "executor.committed:1",
    "relay.acknowledged:2",
    "executor.bots_saved:2",
    "relay.forgotten:1",
    "executor.claim_committed:2",
)
WAVE = [100.0, 99.0, 97.4, 99.0, 102.2, 105.0, 100.0, 98.9, 101.8, 105.0, 100.5, 96.0, 101.0, 105.0]


@pytest.fixture
def log(kafka: Broker) -> Iterator[KafkaLog]:
    opened = KafkaLog(kafka.bootstrap, Topics(f"executor-{uuid4().hex[:8]}", 3, keep_history=True))
    yield opened
    opened.close()


def bars() -> Iterator[Bar]:
    """Without end: an entry, a safety order or a target on nearly every one."""
    opened = WAVE[0]
    for number in count():
        close = WAVE[number % len(WAVE)]
        yield bar(number, close, opened=opened)
        opened = close


def settled(engine: Engine, log: KafkaLog) -> bool:
    """Everything on the sources is applied, and nothing waits in the outbox."""
    with reading(engine).begin() as connection:
        waiting = connection.scalar(select(func.count()).select_from(outbox))
        taken = connection.scalar(select(func.count()).select_from(inbox_table))
    sources = (log.topics.configs.name, log.topics.triggers.name)
    return waiting == 0 and taken == sum(len(log.records(name)) for name in sources)


def dealt(engine: Engine) -> dict[str, list[tuple[object, ...]]]:
    """What was booked."""
    return rows(engine, "deals", "fills", "ledger", "pairs")


@pytest.fixture
def migrated(tmp_path: Path) -> Iterator[Engine]:
    engine = open_engine(str(tmp_path / "bots.db"))
    upgrade(engine)
    yield engine
    engine.dispose()


def uninterrupted(path: Path, fed: int) -> dict[str, list[tuple[object, ...]]]:
    """What the same bots book on the first `fed` bars in process."""
    engine = open_engine(str(path))
    upgrade(engine)
    loop = Loop(engine)
    loop.put(*BOTS)
    for closed in islice(bars(), fed):
        loop.feed("BTCUSDT", closed)
        loop.run()
    booked = dealt(engine)
    engine.dispose()
    return booked


class Market:
    """Feeds bar after bar, each until nobody has anything left to do; somebody takes over where all died."""

    def __init__(self, log: KafkaLog, engine: Engine, running: Executors) -> None:
        self.fed = 0
        self._bars = bars()
        self._evaluator = Evaluator(log, log.topics)
        self._log, self._engine, self._running = log, engine, running

    def begin(self) -> None:
        """The next bar closes: triggers are on their way."""
        self._evaluator.feed("BTCUSDT", next(self._bars))
        self._evaluator.run()
        self.fed += 1

    def finish(self) -> None:
        """Everything that it causes is done."""
        wait_for(f"bar {self.fed}", self._quiet, self._running)

    def _quiet(self) -> bool:
        self._running.reap()
        if not self._running.running:
            self._running.start()
        run, engine = self._evaluator.run, self._engine
        return run() == 0 and settled(engine, self._log) and run() == 0


def start(running: Executors, point: str) -> "subprocess.Popen[bytes]":
    """A process that dies at that fail-point; it has partitions, or died already."""
    armed, said = running.start(point), running.newest_output
    wait_for("it to begin", lambda: "claimed" in said.read_text() or armed.poll() is not None, running)
    return armed


@pytest.mark.slow
def test_deals_are_booked_once_however_often_it_is_killed(
    log: KafkaLog, migrated: Engine, tmp_path: Path
) -> None:
    """Two executors at a time: one is killed outright, the other kills itself between two steps of a transaction."""
    with executors(log, str(tmp_path / "bots.db"), tmp_path) as running:
        market = Market(log, migrated, running)
        running.start()
        for config in BOTS:
            log.append(config_out(config, log.topics))
        market.begin()
        market.finish()
        for point in POINTS:
            armed = start(running, point)
            market.begin()
            running.kill()  # the other one: now or soon every partition is the armed one's
            market.finish()
            last = market.fed + len(WAVE)
            while armed.poll() is None and market.fed < last:
                market.begin()
                market.finish()
            assert armed.returncode == -signal.SIGKILL, f"it never came to {point}"
        while market.fed < len(WAVE):
            market.begin()
            market.finish()
        running.stop()
    booked = dealt(migrated)
    assert booked == uninterrupted(tmp_path / "reference.db", market.fed)
    assert len(booked["deals"]) >= 3 * len(BOTS)


def distinct(log: KafkaLog, topic: str) -> set[tuple[bytes | None, bytes | None]]:
    """What a topic says, without how often: a partition that changes hands may be told of twice."""
    return {(record.key, record.value) for record in log.records(topic)}


def test_two_processes_share_the_partitions_and_end_in_order(log: KafkaLog, tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path / 'bots.db'}"
    with executors(log, database, tmp_path) as running:
        running.start()
        running.start()
        wait_for(
            "both claim", lambda: all("claimed" in running.output(n).read_text() for n in (1, 2)), running
        )
        for number in range(12):
            log.append(config_out(golden(f"bot{number}"), log.topics))
        told = (log.topics.events.name, log.topics.alerts.name)
        wait_for("all accepted", lambda: [len(distinct(log, name)) for name in told] == [12, 12], running)
        first, second = running.running
        running.stop()
        assert (first.returncode, second.returncode) == (0, 0)
    assert "ended in order" in running.output(1).read_text()
    assert [len(distinct(log, name)) for name in told] == [12, 12]


def test_garbage_goes_to_the_dead_letters_and_stops_nothing(log: KafkaLog, tmp_path: Path) -> None:
    name = log.topics.configs.name
    with executors(log, str(tmp_path / "bots.db"), tmp_path) as running:
        for value in (b"{", b"\xff\xfe", b'{"type": "nobody"}'):
            log.append(Outgoing(name, b"dip", value, 1))
        log.append(Outgoing(name, b"dip", encode(golden("dip")), 1))
        running.start()
        wait_for("accepted", lambda: len(log.records(log.topics.events.name)) == 1, running)
        wait_for("dead-lettered", lambda: len(log.records(log.topics.dlq(name).name)) == 3, running)
        running.stop()
    letters = [dict(record.headers) for record in log.records(log.topics.dlq(name).name)]
    assert [(told["dlq.offset"], told["dlq.error_class"]) for told in letters] == [
        (b"0", b"NotJson"),
        (b"1", b"NotUtf8"),
        (b"2", b"Invalid"),
    ]


def differences(log: KafkaLog) -> list[BotEvent]:
    """What the reconciler told."""
    told = [decode(record, log.topics.events) for record in log.records(log.topics.events.name)]
    return [event for event in told if isinstance(event, BotEvent) and event.event.startswith("difference")]


def test_what_does_not_agree_is_told_once_and_when_it_is_over(
    log: KafkaLog, migrated: Engine, tmp_path: Path
) -> None:
    def profit(is_now: str) -> None:
        with migrated.begin() as connection:
            connection.execute(update(bots).where(bots.c.bot_id == "dip").values(realized_profit=is_now))

    with executors(log, str(tmp_path / "bots.db"), tmp_path) as running:
        running.start()
        log.append(config_out(golden(), log.topics))
        wait_for("accepted", lambda: len(log.records(log.topics.events.name)) == 1, running)
        profit("5")
        wait_for("told", lambda: len(differences(log)) == 1, running)
        profit("0")
        wait_for("told to be over", lambda: len(differences(log)) == 2, running)
        running.stop()
    name = "difference:bot_differs:dip:totals"
    assert [(event.event, event.event_id) for event in differences(log)] == [
        ("difference", name),
        ("difference_gone", f"{name}:gone"),
    ]
    assert "ended in order" in running.output(1).read_text()


def test_a_topic_that_was_created_anew_stops_it_with_a_message(log: KafkaLog, tmp_path: Path) -> None:
    database = str(tmp_path / "bots.db")
    with executors(log, database, tmp_path) as running:
        running.start()
        log.append(config_out(golden(), log.topics))
        wait_for("accepted", lambda: len(log.records(log.topics.events.name)) == 1, running)
        running.stop()
        client = AdminClient(log.settings.for_confluent())
        client.delete_topics([log.topics.configs.name])[log.topics.configs.name].result(DEADLINE_S)
        admin = TopicAdmin(log.settings)
        wait_for("deleted", lambda: log.topics.configs.name not in admin.names(), running)
        admin.create(log.topics.all())
        again = running.start()
        wait_for("it stops", lambda: again.poll() is not None, running)
    assert again.returncode != 0
    assert "created anew" in running.output(2).read_text()
