"""Engines: an SQLite file by default, PostgreSQL by URL.

SQLite runs in WAL mode with `synchronous=FULL`: a commit is on the disk before a source offset counts as
applied. With NORMAL a loss of power could take back the last commits while the records they answered with
were already published; FULL costs one fsync per transaction, which batching spreads over many records.
"""

from pathlib import Path
from sqlite3 import Connection as SqliteConnection
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url

BUSY_TIMEOUT_MS: Final = 10_000
READING: Final = "strikeline_reading"


def database_url(text: str) -> URL:
    """`text` as a URL; a plain path is an SQLite file, and `postgresql://` means psycopg 3."""
    if "://" not in text:
        return URL.create("sqlite", database=text)
    url = make_url(text)
    return url.set(drivername="postgresql+psycopg") if url.drivername in {"postgresql", "postgres"} else url


def open_engine(url: str | URL) -> Engine:
    """An engine for the executor or its queries; an SQLite file's folder is made. Dispose it when done."""
    where = database_url(url) if isinstance(url, str) else url
    if where.get_backend_name() != "sqlite":
        return create_engine(where, pool_pre_ping=True)
    if where.database and where.database != ":memory:":
        Path(where.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(where)
    event.listen(engine, "connect", _configure_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def reading(engine: Engine) -> Engine:
    """The same engine for transactions that only read: on SQLite they take no write lock."""
    return engine.execution_options(**{READING: True})


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
