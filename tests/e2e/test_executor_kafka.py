"""The executor's process on a real broker: end to end, under kill -9, and when it must refuse to run."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from confluent_kafka.admin import AdminClient
from sqlalchemy import Engine, func, select, update

from schemas.events import BotEvent
from sinks.database.engine import open_engine, reading
from sinks.database.migrate import upgrade
from sinks.database.tables import bots, outbox
from sinks.database.tables import inbox as inbox_table
from tests.e2e.executors import KafkaLog, executors, wait_for
from tests.sinks.bots import bar, config_out, golden
from tests.sinks.evaluator import Evaluator
from tests.sinks.loop import Loop, rows
from topics.admin import TopicAdmin
from topics.broker.choose import Broker
from topics.codec import decode, encode
from topics.records import Outgoing
from topics.registry import Topics

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

BOTS = [golden(f"dip{n}", user_id="alice") for n in range(6)]
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


def bars():
    return [bar(n, close, opened=WAVE[max(n - 1, 0)]) for n, close in enumerate(WAVE)]


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


@pytest.fixture
def uninterrupted(tmp_path: Path) -> Iterator[Engine]:
    """The same bots and bars in process."""
    engine = open_engine(str(tmp_path / "reference.db"))
    upgrade(engine)
    loop = Loop(engine)
    loop.put(*BOTS)
    for closed in bars():
        loop.feed("BTCUSDT", closed)
        loop.run()
    yield engine
    engine.dispose()


@pytest.mark.slow
def test_deals_are_booked_once_however_often_it_is_killed(
    log: KafkaLog, migrated: Engine, uninterrupted: Engine, tmp_path: Path
) -> None:
    """Two executors at a time; they are killed outright, or kill themselves between two steps of a transaction."""
    evaluator = Evaluator(log, log.topics)
    points = list(POINTS)
    deaths = 0
    with executors(log, str(tmp_path / "bots.db"), tmp_path) as running:
        running.start()
        for config in BOTS:
            log.append(config_out(config, log.topics))
        for number, closed in enumerate(bars()):
            evaluator.feed("BTCUSDT", closed)
            if number % 2 == 0 and points:
                while len(running.running) > 1:
                    running.kill()
                    deaths += 1
                running.start(points.pop(0))

            def quiet() -> bool:
                nonlocal deaths
                gone = running.reap()
                deaths += gone
                if not running.running:
                    running.start()
                return evaluator.run() == 0 and settled(migrated, log) and evaluator.run() == 0

            wait_for(f"bar {number}", quiet, running)
        running.stop()
    assert deaths >= len(POINTS)
    assert dealt(migrated) == dealt(uninterrupted)
    assert len(dealt(migrated)["deals"]) >= 3 * len(BOTS)


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
        wait_for("all accepted", lambda: len(log.records(log.topics.events.name)) == 12, running)
        first, second = running.running
        running.stop()
        assert (first.returncode, second.returncode) == (0, 0)
    assert "ended in order" in running.output(1).read_text()
    assert len(log.records(log.topics.alerts.name)) == 12


def test_garbage_goes_to_the_dead_letters_and_stops_nothing(log: KafkaLog, tmp_path: Path) -> None:
    name = log.topics.configs.name
    with executors(log, str(tmp_path / "bots.db"), tmp_path) as running:
        for value in (b"{", b"\xff\xfe", b'{"type": "nobody"}'):
            log.append(Outgoing(name, b"dip", value, 1))
        log.append(Outgoing(name, b"dip", encode(golden("dip")), 1))
        running.start()
        wait_for("accepted", lambda: len(log.records(log.topics.events.name)) == 1, running)
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
        client.delete_topics([log.topics.configs.name])[log.topics.configs.name].result(30)
        admin = TopicAdmin(log.settings)
        wait_for("deleted", lambda: log.topics.configs.name not in admin.names(), running)
        admin.create(log.topics.all())
        again = running.start()
        wait_for("it stops", lambda: again.poll() is not None, running)
    assert again.returncode != 0
    assert "created anew" in running.output(2).read_text()
