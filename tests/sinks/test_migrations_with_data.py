"""Every migration goes down and up again on both databases with a day's rows in the tables, and none is lost."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect, text

from sinks.database import migrate
from sinks.database.engine import open_engine
from sinks.database.migrate import check, current, downgrade, upgrade
from sinks.database.tables import metadata
from tests.sinks.loop import Loop, rows
from tests.sinks.postgres import Cluster
from tests.sinks.scenario import play

REVISIONS = [script.revision for script in ScriptDirectory(str(migrate._SCRIPTS)).walk_revisions()][::-1]
"""From the first to the newest."""


@pytest.fixture(params=["sqlite", "postgresql"])
def two_engines(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Engine, Engine]]:
    """Two empty databases of one kind."""
    if request.param == "sqlite":
        urls = [f"sqlite:///{tmp_path / name}.db" for name in ("one", "other")]
    else:
        server: Cluster = request.getfixturevalue("postgres")
        urls = [server.database(), server.database()]
    one, other = map(open_engine, urls)
    yield one, other
    one.dispose()
    other.dispose()


def content(engine: Engine, columns: dict[str, set[str]] | None = None) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all tables, of the named columns only."""
    found: dict[str, list[tuple[Any, ...]]] = {}
    with engine.connect() as connection:
        for table, names in sorted((columns or shape(engine)).items()):
            query = text(f"SELECT {', '.join(sorted(names))} FROM {table}")
            found[table] = sorted((tuple(row) for row in connection.execute(query)), key=repr)
    return found


def shape(engine: Engine) -> dict[str, set[str]]:
    """Names of columns by table."""
    looker = inspect(engine)
    tables = set(looker.get_table_names()) - {"alembic_version"}
    return {table: {column["name"] for column in looker.get_columns(table)} for table in tables}


def constraints(engine: Engine) -> dict[str, Any]:
    """All that a database knows about its tables and that rows do not show."""
    looker = inspect(engine)
    found: dict[str, Any] = {}
    for table in metadata.tables:
        found[table] = {
            "columns": [
                (c["name"], str(c["type"]), c["nullable"], c.get("default")) for c in looker.get_columns(table)
            ],
            "key": (looker.get_pk_constraint(table)["name"], looker.get_pk_constraint(table)["constrained_columns"]),
            "foreign": sorted(
                (k["name"], k["constrained_columns"], k["referred_table"]) for k in looker.get_foreign_keys(table)
            ),
            "unique": sorted(
                (k["name"], k["column_names"]) for k in looker.get_unique_constraints(table)
            ),
            "check": sorted((k["name"], k["sqltext"]) for k in looker.get_check_constraints(table)),
            "indexes": sorted((k["name"], k["column_names"], bool(k["unique"])) for k in looker.get_indexes(table)),
        }  # fmt: skip
    return found


def test_migrated_and_made_at_once_are_the_same_database(two_engines: tuple[Engine, Engine]) -> None:
    """Alembic's own comparison leaves out check constraints and the names of keys."""
    migrated, made = two_engines
    upgrade(migrated)
    metadata.create_all(made)
    assert constraints(migrated) == constraints(made)


@pytest.mark.parametrize("revision", ["base", *REVISIONS[:-1]])
def test_down_and_up_again_with_a_day_in_the_tables(empty_engine: Engine, revision: str) -> None:
    upgrade(empty_engine)
    play(Loop(empty_engine))
    before, columns = content(empty_engine), shape(empty_engine)
    assert all(before[table] for table in ("bots", "deals", "fills", "ledger", "inbox", "groups"))
    downgrade(empty_engine, revision)
    assert current(empty_engine) == (None if revision == "base" else revision)
    lower = {table: names & columns[table] for table, names in shape(empty_engine).items()}
    kept = content(empty_engine, lower) if lower else {}
    upgrade(empty_engine)
    check(empty_engine)
    if revision == "base":
        assert kept == {}
        play(Loop(empty_engine))
    assert content(empty_engine, lower or columns) == (kept or before)
    assert {table: len(found) for table, found in content(empty_engine).items()} == {
        table: len(found) for table, found in before.items()
    }


def test_a_day_can_go_on_after_down_and_up(empty_engine: Engine, day: Any) -> None:
    """The rows that came back are the ones that the next records are decided on."""
    upgrade(empty_engine)
    loop = Loop(empty_engine)

    def run(loop: Loop) -> None:
        if REVISIONS[:-1]:
            downgrade(empty_engine, REVISIONS[-2])
            upgrade(empty_engine)
        loop.run()

    play(loop, run)
    assert rows(empty_engine) == day.rows
