"""The executor's database as commands read it: never written, never required."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import URL, Engine, func, select
from sqlalchemy.exc import ArgumentError, DBAPIError

from sinks.database.engine import database_url, open_engine, reading
from sinks.database.tables import metadata, offsets
from streams.cli.errors import Invalid, Unreachable

T = TypeVar("T")


def counts_by_state(url: str, table: str) -> dict[str, int]:
    """Rows of `groups` or `deals` by their state. Raises Unreachable."""
    rows = metadata.tables[table]
    found = query(url, select(rows.c.state, func.count()).group_by(rows.c.state))
    return {str(state): int(count) for state, count in found}


def applied_offsets(url: str) -> dict[str, dict[int, int]]:
    """By topic and partition, the first record that the executor has not applied yet. Raises Unreachable."""
    rows = query(url, select(offsets.c.topic, offsets.c.partition, offsets.c.next_offset))
    found: dict[str, dict[int, int]] = {}
    for topic, partition, offset in rows:
        found.setdefault(topic, {})[partition] = offset
    return found


def query(url: str, statement: Any) -> list[tuple[Any, ...]]:
    """All rows of a statement that only reads. Raises Unreachable with the driver's first line."""

    def rows(engine: Engine) -> list[tuple[Any, ...]]:
        with engine.connect() as connection:
            return [tuple(row) for row in connection.execute(statement)]

    return asked(url, rows)


def asked(url: str, question: Callable[[Engine], T]) -> T:
    """What `question` finds in the database. Raises Unreachable with the driver's first line, and Invalid."""
    engine = reading(open_engine(existing(url)))
    try:
        return question(engine)
    except DBAPIError as error:
        reason = str(error.orig).splitlines()[0] if error.orig else type(error).__name__
        raise Unreachable(f"database {engine.url.render_as_string()}: {reason}") from None
    finally:
        engine.dispose()


def existing(url: str) -> URL:
    """An SQLite file that is not there would be made by looking into it. Raises Unreachable, Invalid."""
    try:
        where = database_url(url)
    except ArgumentError as wrong:
        raise Invalid(f"--database: {wrong}") from None
    named = where.get_backend_name() == "sqlite" and where.database not in {None, "", ":memory:"}
    if named and not str(where.database).startswith("file:") and not Path(str(where.database)).is_file():
        raise Unreachable(f"database {where.render_as_string()}: there is no such file")
    return where
