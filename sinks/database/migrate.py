"""Bring a database to the schema this version needs, or back. Safe when several processes start at once."""

from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from sinks.errors import WrongDatabase

_SCRIPTS: Final = Path(__file__).parent.parent / "migrations"
_LOCK: Final = 0x5_7121_4E11  # any number that every Strikeline process agrees on


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Migrate up to `revision` in one transaction."""
    with engine.begin() as connection:
        _wait_for_turn(connection)
        command.upgrade(_config(connection), revision)


def downgrade(engine: Engine, revision: str) -> None:
    """Migrate down to `revision` (`base`: drop everything) in one transaction."""
    with engine.begin() as connection:
        _wait_for_turn(connection)
        command.downgrade(_config(connection), revision)


def current(engine: Engine) -> str | None:
    """The revision that the database has, None before the first migration."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def check(engine: Engine) -> None:
    """Raise WrongDatabase unless the schema is exactly the one this version needs."""
    head = ScriptDirectory(str(_SCRIPTS)).get_current_head()
    if (found := current(engine)) != head:
        raise WrongDatabase(
            f"the database's schema is {found or 'empty'}, this version needs {head}: migrate first"
        )


def _wait_for_turn(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
