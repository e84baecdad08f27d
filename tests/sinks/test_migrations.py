"""The schema goes up and down on both databases, and says what the code believes."""

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, inspect, text
from sqlalchemy.exc import IntegrityError

from sinks.database.engine import database_url, open_engine
from sinks.database.migrate import check, current, downgrade, upgrade
from sinks.database.tables import metadata
from sinks.errors import WrongDatabase


def test_migrations_lead_to_exactly_the_tables_of_the_code(empty_engine: Engine) -> None:
    upgrade(empty_engine)
    with empty_engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_down_leaves_nothing_and_up_again_works(empty_engine: Engine) -> None:
    upgrade(empty_engine)
    downgrade(empty_engine, "base")
    assert inspect(empty_engine).get_table_names() == ["alembic_version"]
    assert current(empty_engine) is None
    upgrade(empty_engine)
    check(empty_engine)


def test_migrating_twice_changes_nothing(engine: Engine) -> None:
    upgrade(engine)
    check(engine)


def test_a_database_that_was_not_migrated_is_refused(empty_engine: Engine) -> None:
    with pytest.raises(WrongDatabase, match="schema is empty"):
        check(empty_engine)


def test_a_failed_migration_leaves_nothing_behind(empty_engine: Engine) -> None:
    with empty_engine.begin() as connection:
        connection.execute(text("CREATE TABLE outbox (id INTEGER)"))
    with pytest.raises(Exception, match="outbox"):
        upgrade(empty_engine)
    assert inspect(empty_engine).get_table_names() == ["outbox"]


def test_sqlite_runs_as_documented(sqlite: Engine) -> None:
    with sqlite.connect() as connection:
        pragmas = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        found = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in pragmas]
    assert found == ["wal", 2, 1, 10_000]


def test_foreign_keys_hold(engine: Engine) -> None:
    orphan = text("INSERT INTO pairs VALUES ('nobody', 'BTCUSDT', 1, 0, NULL, NULL, NULL)")
    with engine.connect() as connection, pytest.raises(IntegrityError):
        connection.execute(orphan)


@pytest.mark.parametrize(
    "given, drivername, database",
    [
        ("bots.db", "sqlite", "bots.db"),
        ("sqlite:///bots.db", "sqlite", "bots.db"),
        ("postgresql://u@h/d", "postgresql+psycopg", "d"),
        ("postgres://u@h/d", "postgresql+psycopg", "d"),
        ("postgresql+psycopg://u@h/d", "postgresql+psycopg", "d"),
    ],
)
def test_urls(given: str, drivername: str, database: str) -> None:
    url = database_url(given)
    assert (url.drivername, url.database) == (drivername, database)


def test_the_folder_of_an_sqlite_file_is_made(tmp_path: Path) -> None:
    engine = open_engine(str(tmp_path / "new" / "folder" / "bots.db"))
    upgrade(engine)
    engine.dispose()
    assert (tmp_path / "new" / "folder" / "bots.db").exists()


def test_a_fill_is_one_of_its_orders_fills(empty_engine: Engine) -> None:
    """What was booked before orders had several fills is the first of its order; the key counts them."""
    upgrade(empty_engine, "0002")
    with empty_engine.begin() as connection:
        rest = "NULL, NULL, NULL, '1', '1', '1', '0', 0, 0, 1, ''"
        for row in (
            "INSERT INTO partitions VALUES (0, 1, 'me')",
            "INSERT INTO bots VALUES ('dip', 'alice', 0, 1, 0, 0, '0')",
            f"INSERT INTO deals VALUES ('d1', 'dip', 'A', 'long', 'open', 1, 0, {rest})",
            "INSERT INTO fills VALUES ('d1', 'base', 1, 1, 't', 0, 'buy', '1', '1', '1', '0')",
        ):
            connection.execute(text(row))
    upgrade(empty_engine)
    found = inspect(empty_engine)
    assert found.get_pk_constraint("fills")["constrained_columns"] == [
        "deal_id",
        "level",
        "generation",
        "number",
    ]
    assert found.get_pk_constraint("ledger")["constrained_columns"][-1] == "number"
    with empty_engine.begin() as connection:
        assert connection.execute(text("SELECT deal_id, number FROM fills")).all() == [("d1", 1)]
    downgrade(empty_engine, "0002")
    with empty_engine.begin() as connection:
        assert connection.execute(text("SELECT fee FROM fills")).all() == [("0",)]
