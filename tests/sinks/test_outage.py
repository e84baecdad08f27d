"""The database is away in the middle of the day: nothing lost, nothing doubled, and nobody spins.

A minute of it, on the real pipeline, is part of `make chaos`; here it is away for half a second at a time, three times.
"""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import NamedTuple

import pytest
from sqlalchemy import Engine, event

from sinks.executor.core import Executor
from sinks.executor.relay import Relay
from sinks.patience import Patience, Why
from tests.deadline import DEADLINE_S
from tests.sinks.bots import TOPICS
from tests.sinks.claimant import SOURCES
from tests.sinks.conftest import Day
from tests.sinks.loop import RULES, outcomes, rows
from tests.sinks.postgres import Cluster
from tests.sinks.test_concurrent_executors import all_told, told

AWAY_S = 0.6
TIMES = 3


class Outage(NamedTuple):
    """How the database goes, and what it takes to come back."""

    name: str
    begin: Callable[[], object]
    end: Callable[[], object]


def locked(engine: Engine) -> Outage:
    """Another process holds SQLite's write lock for longer than SQLite itself waits for it."""
    event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA busy_timeout=50"))
    engine.dispose()
    holder = sqlite3.connect(str(engine.url.database), isolation_level=None, check_same_thread=False)
    return Outage("locked", lambda: holder.execute("BEGIN IMMEDIATE"), lambda: holder.execute("ROLLBACK"))


@pytest.fixture
def outages(engine: Engine, request: pytest.FixtureRequest) -> list[Outage]:
    """Every way in which this kind of database goes away."""
    if engine.dialect.name == "sqlite":
        return [locked(engine)]
    server: Cluster = request.getfixturevalue("postgres")
    return [
        Outage("crashed", server.crash, server.start),
        Outage("suspended", server.suspend, server.resume),
    ]


@contextmanager
def happening(outage: Outage, patience: Patience) -> Iterator[None]:
    """Away for a while from when somebody notices; it comes back by itself, and nobody spins until then."""
    told: list[float] = []
    took: list[float] = []

    def come_back() -> None:
        deadline = time.monotonic() + DEADLINE_S
        noticeable = outage.name != "suspended"  # what hangs so shortly might only be slow
        while noticeable and not patience.away_s and time.monotonic() < deadline:
            time.sleep(0.01)
        began = time.process_time()
        time.sleep(AWAY_S)
        took.append(time.process_time() - began)
        told.append(patience.away_s if noticeable else AWAY_S)
        outage.end()

    outage.begin()
    thread = threading.Thread(target=come_back)
    thread.start()
    try:
        yield
    finally:
        thread.join(DEADLINE_S)
    assert told[0] > 0
    assert took[0] < AWAY_S / 2
    assert patience.away_s == 0


def test_nothing_is_lost_and_nothing_doubled(engine: Engine, outages: list[Outage], day: Day) -> None:
    failed: list[Why] = []
    patience = Patience(DEADLINE_S, failed.append)
    executor = Executor(engine, TOPICS, RULES)
    plan = iter(outages * TIMES)
    for partition, records in day.records.items():
        claim = patience.run(partial(executor.claim, partition, SOURCES))
        for start in range(0, len(records), 10):
            with ExitStack() as away:
                if (outage := next(plan, None)) is not None:
                    away.enter_context(happening(outage, patience))
                patience.run(partial(executor.apply, claim, records[start : start + 10]))
    assert next(plan, None) is None
    assert rows(engine) == day.rows
    assert outcomes(engine) == day.outcomes
    assert told(engine) == all_told(day)
    assert failed
    assert len(failed) < 40 * TIMES


def test_what_was_told_is_told_again_after_it(engine: Engine, outages: list[Outage], day: Day) -> None:
    """It goes after the broker's acknowledgement, before the rows are forgotten: they go once it is back."""
    patience = Patience(DEADLINE_S)
    executor = Executor(engine, TOPICS, RULES)
    records = max(day.records.values(), key=len)
    claim = executor.claim(records[0].partition, SOURCES)
    executor.apply(claim, records)
    relay = Relay(engine, claim, 10_000)
    for outage in outages:
        sent = relay.waiting()
        assert sent
        half = sent[: len(sent) // 2]
        with happening(outage, patience):
            patience.run(partial(relay.forget, half))
        assert relay.waiting() == sent[len(half) :]
