"""Databases for the sinks' tests: every test that asks for `engine` runs on SQLite and on PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from sqlalchemy import Engine

from sinks.database.engine import open_engine
from sinks.database.migrate import upgrade
from tests.sinks.bots import TOPICS
from tests.sinks.loop import Loop, Told, outcomes, rows
from tests.sinks.postgres import Cluster, NoPostgres, cluster
from tests.sinks.scenario import play
from topics.records import Record


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """A private server, started when a test first asks."""
    try:
        with cluster() as running:
            yield running
    except NoPostgres as missing:
        pytest.skip(str(missing))


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """A database without tables."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'strikeline.db'}"
    else:
        server: Cluster = request.getfixturevalue("postgres")
        url = server.database()
    engine = open_engine(url)
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def migrated(postgres: Cluster) -> str:
    """Name of a migrated database on the private server, to be copied."""
    engine = open_engine(postgres.database())
    upgrade(engine)
    engine.dispose()
    return str(engine.url.database)


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """A migrated database."""
    if request.param == "sqlite":
        engine = open_engine(f"sqlite:///{tmp_path / 'strikeline.db'}")
        upgrade(engine)
    else:
        server: Cluster = request.getfixturevalue("postgres")
        engine = open_engine(server.database(request.getfixturevalue("migrated")))
    yield engine
    engine.dispose()


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Engine]:
    """A migrated SQLite file, where the kind of database does not matter."""
    engine = open_engine(f"sqlite:///{tmp_path / 'beside.db'}")
    upgrade(engine)
    yield engine
    engine.dispose()


class Day(NamedTuple):
    """The scenario, played once without a mishap: its records in the order of the inbox, and what came of them."""

    records: dict[int, list[Record]]
    rows: dict[str, list[tuple[Any, ...]]]
    outcomes: dict[tuple[str, int, int], tuple[Any, ...]]
    told: Told


@pytest.fixture(scope="session")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    """The uninterrupted run that others are compared with."""
    engine = open_engine(f"sqlite:///{tmp_path_factory.mktemp('day') / 'day.db'}")
    upgrade(engine)
    loop = Loop(engine)
    play(loop)
    by_address = {
        (record.topic, record.partition, record.offset): record
        for topic in loop.worker.executor.sources
        for record in loop.bus.records(topic)
    }
    order: dict[int, list[Record]] = {partition: [] for partition in range(TOPICS.partitions)}
    for row in sorted(rows(engine, "inbox")["inbox"], key=lambda row: int(row[0])):
        order[row[3]].append(by_address[row[1], row[3], row[4]])
    yield Day(order, rows(engine), outcomes(engine), loop.told())
    engine.dispose()
