"""Engines: an SQLite file by default, PostgreSQL by URL.

PostgreSQL runs at READ COMMITTED, whatever the server's default is. Every transaction that writes locks the epoch of
its partition first, and everything it reads and writes belongs to that partition; so the statements behind the lock
must see what the last holder committed. A snapshot taken before the lock was granted (REPEATABLE READ, SERIALIZABLE)
would not: it would fail instead, each time somebody had to wait.

SQLite runs in WAL mode with `synchronous=FULL`: a commit is on the disk before a source offset counts as
applied. With NORMAL a loss of power could take back the last commits while the records they answered with
were already published; FULL costs one fsync per transaction, which batching spreads over many records.
"""

from pathlib import Path
from sqlite3 import Connection as SqliteConnection
from typing import Any, Final

from psycopg import Connection as PgConnection
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

BUSY_TIMEOUT_MS: Final = 10_000
IDLE_LIMIT_S: Final = 60.0
"""How long a process may keep a transaction, and so the lock on its partition, without saying anything: one that was
suspended in the middle of it must not keep others out for ever. (An SQLite file has no such limit.)
"""
READING: Final = "strikeline_reading"
_DRIVERS: Final = {"sqlite", "sqlite+pysqlite", "postgresql+psycopg"}
_CONNECTION: Final[dict[str, Any]] = {
    "application_name": "strikeline",
    "connect_timeout": 10,
    # A server whose machine is gone says nothing: half a minute without any sign of it ends the connection.
    "keepalives_idle": 15, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 30_000,
}  # fmt: skip


def database_url(text: str) -> URL:
    """`text` as a URL; a plain path is an SQLite file, and `postgresql://` means psycopg 3.

    Raises ArgumentError for any other kind of database or driver.
    """
    if "://" not in text:
        return URL.create("sqlite", database=text)
    url = make_url(text)
    if url.drivername in {"postgresql", "postgres"}:
        return url.set(drivername="postgresql+psycopg")
    if url.drivername not in _DRIVERS:
        raise ArgumentError(f"{url.drivername} is neither sqlite nor postgresql")
    return url


def open_engine(url: str | URL, idle_limit_s: float = IDLE_LIMIT_S) -> Engine:
    """An engine for the executor or its queries; an SQLite file's folder is made. Dispose it when done."""
    where = database_url(url) if isinstance(url, str) else url
    if where.get_backend_name() != "sqlite":
        return _open_postgresql(where, idle_limit_s)
    if where.database and where.database != ":memory:":
        Path(where.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(where)
    event.listen(engine, "connect", _configure_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def reading(engine: Engine) -> Engine:
    """The same engine for transactions that only read: on SQLite they take no write lock."""
    return engine.execution_options(**{READING: True})


def _open_postgresql(url: URL, idle_limit_s: float) -> Engine:
    """What the URL says of a connection goes before our own settings."""
    settings = {name: value for name, value in _CONNECTION.items() if name not in url.query}
    engine = create_engine(url, pool_pre_ping=True, isolation_level="READ COMMITTED", connect_args=settings)

    def limit(connection: PgConnection[Any], _record: Any) -> None:
        connection.autocommit = True
        connection.execute(f"SET idle_in_transaction_session_timeout = {idle_limit_s * 1_000:.0f}".encode())
        connection.autocommit = False

    event.listen(engine, "connect", limit)
    return engine


def _configure_sqlite(connection: SqliteConnection, _record: Any) -> None:
    # The driver's own BEGIN comes too late (before the first write) to make read-then-write safe: we begin
    # ourselves.
    connection.isolation_level = None
    for pragma in (
        f"busy_timeout={BUSY_TIMEOUT_MS}",
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
    ):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: Connection) -> None:
    deferred = connection.get_execution_options().get(READING, False)
    connection.exec_driver_sql("BEGIN" if deferred else "BEGIN IMMEDIATE")
