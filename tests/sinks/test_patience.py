"""What is tried again, how often, for how long; and what is seen of it meanwhile."""

import sqlite3
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from sqlalchemy.exc import DBAPIError, OperationalError, ProgrammingError

from sinks.metrics import Metrics
from sinks.patience import Patience, Why, passing


def of_sqlite(code: int) -> DBAPIError:
    error = sqlite3.OperationalError("no")
    error.sqlite_errorcode = code
    return OperationalError("SELECT 1", None, error)


def of_postgresql(state: str) -> DBAPIError:
    error = psycopg.errors.lookup(state)("no")
    return OperationalError("SELECT 1", None, error)


@pytest.mark.parametrize(
    "error, why",
    [
        (of_postgresql("40001"), "serialization"),
        (of_postgresql("40P01"), "deadlock"),
        (of_postgresql("55P03"), "locked"),
        (of_postgresql("57P01"), "away"),  # the server is told to shut down
        (of_postgresql("57P03"), "away"),  # … or starts
        (of_postgresql("53300"), "away"),  # too many connections
        (of_postgresql("08006"), "away"),
        (of_postgresql("25006"), "away"),  # a standby, until it is promoted
        (of_postgresql("42P01"), None),  # no such table
        (of_postgresql("23505"), None),  # booked twice
        (of_sqlite(sqlite3.SQLITE_BUSY), "locked"),
        (of_sqlite(sqlite3.SQLITE_BUSY_SNAPSHOT), "locked"),
        (of_sqlite(sqlite3.SQLITE_FULL), "away"),
        (of_sqlite(sqlite3.SQLITE_IOERR_WRITE), "away"),
        (of_sqlite(sqlite3.SQLITE_ERROR), None),  # no such table
        (of_sqlite(sqlite3.SQLITE_READONLY), None),
        (OperationalError("", None, psycopg.OperationalError("connection refused")), "away"),
        (ProgrammingError("", None, Exception("a defect"), connection_invalidated=True), "away"),
        (ProgrammingError("", None, Exception("a defect")), None),
    ],
)
def test_what_may_pass(error: DBAPIError, why: Why | None) -> None:
    assert passing(error) == why


class Server:
    """Fails for so many attempts; its clock moves only while somebody waits for it."""

    def __init__(
        self, failures: int, error: Callable[[], DBAPIError] = lambda: of_postgresql("57P03")
    ) -> None:
        self.now = 0.0
        self.attempts = 0
        self.pauses: list[float] = []
        self.metrics = Metrics()
        self._failures, self._error = failures, error

    def patience(self, limit_s: float) -> Patience:
        made = Patience(limit_s, self.metrics.database_failed, lambda: self.now, self.wait)
        self.metrics.watch_database(lambda: made.away_s)
        return made

    def ask(self) -> int:
        self.attempts += 1
        if self.attempts <= self._failures:
            raise self._error()
        return self.attempts

    def wait(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds

    def metric(self, name: str, **labels: str) -> Any:
        return self.metrics.registry.get_sample_value(f"strikeline_executor_database_{name}", labels)


def test_a_minute_away_is_waited_for_without_spinning() -> None:
    server = Server(failures=10**9)
    patience = server.patience(180)

    def ask() -> int:
        if server.now >= 60:
            return 7
        return server.ask()

    assert patience.run(ask) == 7
    assert server.attempts < 40  # the pauses grow to seconds
    assert max(server.pauses) <= 5.0
    assert server.metric("retries_total", why="away") == server.attempts


def test_its_end_is_the_last_error() -> None:
    server = Server(failures=10**9)
    with pytest.raises(OperationalError):
        server.patience(60).run(server.ask)
    assert 60 <= server.now < 66


def test_a_race_is_run_again_at_once() -> None:
    server = Server(3, lambda: of_postgresql("40001"))
    assert server.patience(60).run(server.ask) == 4
    assert server.now < 0.1
    assert server.metric("retries_total", why="serialization") == 3


def test_a_defect_is_raised_at_once() -> None:
    server = Server(1, lambda: of_postgresql("42P01"))
    with pytest.raises(OperationalError):
        server.patience(60).run(server.ask)
    assert (server.attempts, server.pauses) == (1, [])


def test_who_is_told_to_end_waits_no_longer() -> None:
    server = Server(10**9)
    patience = server.patience(60)
    patience.give_up()
    with pytest.raises(OperationalError):
        patience.run(server.ask)
    assert server.attempts == 1


def test_how_long_it_has_been_away_is_seen_while_it_is() -> None:
    server = Server(10)
    patience = server.patience(60)
    seen: list[float] = []

    def ask() -> int:
        seen.append(server.metric("away_seconds"))
        return server.ask()

    patience.run(ask)
    assert seen[0] == 0
    assert seen == sorted(seen)
    assert seen[-1] == pytest.approx(server.now)
    assert server.metric("away_seconds") == 0


def test_a_transaction_that_hangs_is_a_database_that_is_away() -> None:
    server = Server(0)
    patience = server.patience(60)

    def hang() -> float:
        server.now += 4
        assert patience.away_s == 0  # it may only be slow
        server.now += 4
        return patience.away_s

    assert patience.run(hang) == 8
    assert patience.away_s == 0
