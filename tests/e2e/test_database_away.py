"""The database goes away under a running executor: the process lives on, and nothing is lost or doubled.

Seconds here; a whole minute, under load and on both databases, is part of `make chaos`.
"""

import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import Engine

from sinks.database.engine import open_engine
from sinks.database.migrate import upgrade
from tests.chaos.databases import Postgres
from tests.chaos.vitals import cpu_s, free_port, metric
from tests.e2e.executors import KafkaLog, executors, wait_for
from tests.e2e.test_executor_kafka import dealt, settled
from tests.sinks.bots import bar, config_out, golden
from tests.sinks.evaluator import Evaluator
from tests.sinks.loop import Loop
from tests.sinks.postgres import NoPostgres, cluster
from topics.broker.choose import Broker
from topics.registry import Topics

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

AWAY_S = 4.0
BOTS = [golden(f"dip{n}") for n in range(4)]
WAVE = [100.0, 99.0, 97.4, 102.2, 105.0, 100.0, 98.9, 101.8, 105.0, 100.5]
AWAY_S_METRIC = "strikeline_executor_database_away_seconds"


@pytest.fixture
def log(kafka: Broker) -> Iterator[KafkaLog]:
    opened = KafkaLog(kafka.bootstrap, Topics(f"away-{uuid4().hex[:8]}", 3, keep_history=True))
    yield opened
    opened.close()


@pytest.fixture
def postgres() -> Iterator[Postgres]:
    """A server of its own: others are not to notice."""
    try:
        with cluster() as server:
            yield Postgres(server)
    except NoPostgres as missing:
        pytest.skip(str(missing))


@pytest.fixture
def uninterrupted(tmp_path: Path) -> Iterator[Engine]:
    """The same bots and bars in process."""
    engine = open_engine(str(tmp_path / "reference.db"))
    upgrade(engine)
    loop = Loop(engine)
    loop.put(*BOTS)
    for number, close in enumerate(WAVE):
        loop.feed("BTCUSDT", bar(number, close, opened=WAVE[max(number - 1, 0)]))
        loop.run()
    yield engine
    engine.dispose()


def test_an_executor_outlives_its_database(
    log: KafkaLog, postgres: Postgres, uninterrupted: Engine, tmp_path: Path
) -> None:
    engine = open_engine(postgres.url)
    upgrade(engine)
    evaluator, port = Evaluator(log, log.topics), free_port()
    outages = {2: postgres.outages()[0], 6: postgres.outages()[1]}
    with executors(log, postgres.url, tmp_path, {"STRIKELINE_METRICS_PORT": str(port)}) as running:
        process = running.start()
        for config in BOTS:
            log.append(config_out(config, log.topics))
        for number, close in enumerate(WAVE):
            evaluator.feed("BTCUSDT", bar(number, close, opened=WAVE[max(number - 1, 0)]))
            if (outage := outages.get(number)) is not None:
                outage.begin()
                began, took = time.monotonic(), cpu_s(process.pid)
                evaluator.run()  # triggers come while nobody can apply them
                wait_for("it to be told", lambda: metric(port, AWAY_S_METRIC) > 0, running)
                while time.monotonic() - began < AWAY_S:
                    assert metric(port, AWAY_S_METRIC) > 0
                    assert process.poll() is None
                    time.sleep(0.2)  # to be asked costs the process CPU, too
                assert cpu_s(process.pid) - took < (time.monotonic() - began) / 2
                outage.end()
            wait_for(f"bar {number}", lambda: evaluator.run() == 0 and settled(engine, log) and evaluator.run() == 0,
                     running)  # fmt: skip
        wait_for("it to be over", lambda: metric(port, AWAY_S_METRIC) == 0, running)
        assert process.poll() is None
        running.stop()
    assert dealt(engine) == dealt(uninterrupted)
    assert len(dealt(engine)["deals"]) >= 2 * len(BOTS)
    engine.dispose()
