"""PostgreSQL refuses a transaction that lost a race: it is run again, and the records are applied once."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from time import monotonic

import psycopg
import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from sinks.database.engine import open_engine
from sinks.errors import Fenced
from sinks.executor.core import Applied, Executor
from sinks.executor.owned import Claim
from sinks.patience import Patience, Why, passing
from tests.deadline import DEADLINE_S
from tests.sinks.bots import TOPICS
from tests.sinks.loop import RULES, inbox, rows
from tests.sinks.postgres import Cluster
from tests.sinks.test_lost_connection import HOME, RECORDS, SOURCES

_FAILING = """
CREATE SEQUENCE attempts;
CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF nextval('attempts') <= 2 THEN  -- a sequence counts on through a rollback
    RAISE EXCEPTION 'could not serialize access' USING ERRCODE = '40001';
  END IF;
  RETURN NULL;
END $$;
"""
_AT_ONCE = "CREATE TRIGGER lose AFTER INSERT ON inbox FOR EACH STATEMENT EXECUTE FUNCTION lose()"
_AT_COMMIT = """CREATE CONSTRAINT TRIGGER lose AFTER INSERT ON inbox DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION lose()"""


@pytest.fixture
def engine(postgres: Cluster, migrated: str) -> Iterator[Engine]:
    made = open_engine(postgres.database(migrated))
    yield made
    made.dispose()


def applying(executor: Executor, claim: Claim, failed: list[Why]) -> Applied:
    return Patience(DEADLINE_S, failed.append).run(lambda: executor.apply(claim, RECORDS))


@pytest.mark.parametrize("trigger", [_AT_ONCE, _AT_COMMIT])
def test_a_serialization_failure_is_tried_again(engine: Engine, trigger: str) -> None:
    executor = Executor(engine, TOPICS, RULES)
    claim = executor.claim(HOME, SOURCES)
    with engine.begin() as connection:
        connection.exec_driver_sql(_FAILING)
        connection.exec_driver_sql(trigger)
    failed: list[Why] = []
    assert applying(executor, claim, failed).outcomes == {"accepted": 2}
    assert failed == ["serialization"] * 2
    assert inbox(engine) == [("config", "dip", "accepted")] * 2
    assert len(rows(engine, "outbox")["outbox"]) == 5


def blocked(connection: Connection) -> bool:
    """Somebody waits; `pg_stat_activity` would show the same all through one transaction."""
    query = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    return bool(connection.scalar(query))


def until(done: Callable[[], bool]) -> None:
    deadline = monotonic() + DEADLINE_S
    while not done():
        assert monotonic() < deadline


def test_a_deadlock_is_tried_again(engine: Engine) -> None:
    """Somebody at a console locks the rows the other way round, and is not the one whom the server chooses."""
    executor = Executor(engine, TOPICS, RULES)
    claim = executor.claim(HOME, SOURCES)
    failed: list[Why] = []
    with ThreadPoolExecutor(1) as thread, engine.connect() as beside, engine.begin() as console:
        console.exec_driver_sql("SET LOCAL deadlock_timeout = '600s'")
        console.execute(text("SELECT 1 FROM offsets FOR UPDATE"))
        done = thread.submit(applying, executor, claim, failed)
        until(lambda: blocked(beside))
        console.execute(text("SELECT 1 FROM partitions WHERE partition = :p FOR UPDATE"), {"p": HOME})
        console.rollback()
        assert done.result(DEADLINE_S).outcomes == {"accepted": 2}
    assert failed == ["deadlock"]
    assert inbox(engine) == [("config", "dip", "accepted")] * 2


def test_what_the_server_takes_for_granted_does_not_count(postgres: Cluster, migrated: str) -> None:
    url = postgres.database(migrated)
    name = url.rpartition("/")[2]
    with psycopg.connect(postgres.admin, autocommit=True) as admin:
        admin.execute(f"ALTER DATABASE {name} SET default_transaction_isolation = 'serializable'".encode())
    engine = open_engine(url)
    with engine.begin() as connection:
        assert connection.scalar(text("SHOW transaction_isolation")) == "read committed"
    engine.dispose()


def test_at_a_stricter_level_the_races_are_lost_and_run_again(engine: Engine) -> None:
    """As it would be on a server that knows nothing else: slower, and the same."""
    strict = engine.execution_options(isolation_level="SERIALIZABLE")
    failed: list[Why] = []
    barrier = threading.Barrier(4)

    def work(name: str) -> int:
        executor, patience = Executor(strict, TOPICS, RULES, name), Patience(DEADLINE_S, failed.append)
        barrier.wait(DEADLINE_S)
        for _ in range(20):
            claim = patience.run(partial(executor.claim, HOME, SOURCES))
            try:
                patience.run(partial(executor.apply, claim, RECORDS))
            except Fenced:
                continue
        return 1

    with ThreadPoolExecutor(4) as threads:
        working: list[Future[int]] = [threads.submit(work, f"e{n}") for n in range(4)]
        assert sum(future.result(DEADLINE_S) for future in working) == 4
    assert "serialization" in failed
    assert inbox(engine) == [("config", "dip", "accepted")] * 2
    assert len(rows(engine, "outbox")["outbox"]) == 5


@contextmanager
def suspended(executor: Executor, claim: Claim) -> Iterator[Connection]:
    """A process that stands still in the middle of a transaction, with the lock on its partition."""
    with executor.engine.connect() as connection:
        connection.execute(
            text("SELECT 1 FROM partitions WHERE partition = :p FOR UPDATE"), {"p": claim.partition}
        )
        yield connection


def test_a_process_that_stands_still_in_a_transaction_does_not_keep_its_partition(
    postgres: Cluster, migrated: str
) -> None:
    url = postgres.database(migrated)
    zombie, heir = open_engine(url, idle_limit_s=0.3), open_engine(url)
    still, next_owner = Executor(zombie, TOPICS, RULES, "still"), Executor(heir, TOPICS, RULES, "heir")
    # Not through its own connection: a busy machine may stand still for so long, too.
    claim = Executor(heir, TOPICS, RULES, "still").claim(HOME, SOURCES)
    with ThreadPoolExecutor(1) as thread, suspended(still, claim) as connection:
        taken = thread.submit(next_owner.claim, HOME, SOURCES).result(DEADLINE_S)
        assert taken.epoch == claim.epoch + 1
        with pytest.raises(DBAPIError) as told:
            connection.execute(text("SELECT 1"))
        assert passing(told.value) == "away"
    with pytest.raises(Fenced):
        Patience(DEADLINE_S).run(lambda: still.apply(claim, RECORDS))
    assert next_owner.apply(taken, RECORDS).outcomes == {"accepted": 2}
    zombie.dispose()
    heir.dispose()
