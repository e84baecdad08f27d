"""A connection is lost: whatever became of the COMMIT, the records are applied once."""

import pytest
from sqlalchemy import Engine, event
from sqlalchemy.exc import DBAPIError, OperationalError, ProgrammingError

from sinks.database.engine import open_engine
from sinks.executor.core import Applied, Executor
from sinks.executor.owned import Source
from sinks.patience import patiently
from tests.sinks.bots import TOPICS, config_out, golden, record_of
from tests.sinks.loop import RULES, inbox, rows
from tests.sinks.postgres import Cluster
from tests.sinks.proxy import lossy_proxy

SOURCES = [Source(name, name, 0, 100) for name in (TOPICS.configs.name, TOPICS.triggers.name)]
RECORDS = [record_of(config_out(golden()), 0), record_of(config_out(golden(name="again")), 1)]
HOME = RECORDS[0].partition


@pytest.mark.parametrize("lost", [b"COMMIT\0", b"INSERT INTO outbox"])
def test_the_answer_to_a_statement_is_lost(postgres: Cluster, migrated: str, lost: bytes) -> None:
    direct = postgres.database(migrated)
    with lossy_proxy(postgres.port) as proxy:
        engine = open_engine(direct.replace(f":{postgres.port}/", f":{proxy.port}/"))
        executor = Executor(engine, TOPICS, RULES)
        claim = executor.claim(HOME, SOURCES)
        proxy.lose_answer_to = lost
        applied = patiently(lambda: executor.apply(claim, RECORDS), 20.0)
        engine.dispose()
        assert proxy.lost == 1
    beside = open_engine(direct)
    assert applied.next_offsets[TOPICS.configs.name] == 2
    assert inbox(beside) == [("config", "dip", "accepted")] * 2
    assert len(rows(beside, "outbox")["outbox"]) == 5
    # Where the COMMIT had happened, the second look found it done and decided nothing again.
    assert applied.outcomes == ({} if lost == b"COMMIT\0" else {"accepted": 2})
    beside.dispose()


def failing(errors: list[DBAPIError]) -> int:
    if errors:
        raise errors.pop()
    return 7


def lost_connection() -> DBAPIError:
    return OperationalError("SELECT 1", None, Exception("server closed the connection unexpectedly"))


def test_patience_ends() -> None:
    assert patiently(lambda: failing([]), 0.0) == 7
    errors = [lost_connection(), lost_connection()]
    assert patiently(lambda: failing(errors), 5.0) == 7
    with pytest.raises(OperationalError):
        patiently(lambda: failing([lost_connection()]), -1.0)


def test_a_defect_is_not_waited_for() -> None:
    errors: list[DBAPIError] = [ProgrammingError("SELECT", None, Exception("no such table"))]
    with pytest.raises(ProgrammingError):
        patiently(lambda: failing(errors), 5.0)


def test_a_locked_sqlite_file_is_waited_for(sqlite: Engine) -> None:
    """Another process holds the write lock for longer than SQLite itself waits."""
    event.listen(sqlite, "connect", lambda connection, _: connection.execute("PRAGMA busy_timeout=10"))
    executor = Executor(sqlite, TOPICS, RULES)
    claim = executor.claim(HOME, SOURCES)
    attempts = []
    with sqlite.connect() as holder:
        holder.begin()

        def attempt() -> Applied:
            attempts.append("again")
            if len(attempts) == 2:
                holder.rollback()
            return executor.apply(claim, RECORDS)

        assert patiently(attempt, 20.0).outcomes == {"accepted": 2}
    assert len(attempts) == 2
