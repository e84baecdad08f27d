"""The databases that chaos is made on: a file of SQLite, or a private PostgreSQL."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal

from tests.sinks.postgres import cluster

Kind = Literal["sqlite", "postgresql"]
KINDS: Final[tuple[Kind, ...]] = ("sqlite", "postgresql")


class Sqlite:
    """One file."""

    def __init__(self, path: Path) -> None:
        self.url = f"sqlite:///{path}"


class Postgres:
    """One database of a server that is ours alone."""

    def __init__(self, url: str) -> None:
        self.url = url.replace("postgresql://", "postgresql+psycopg://")


@contextmanager
def database(kind: Kind, folder: Path) -> Iterator[Sqlite | Postgres]:
    """A new database, gone when it is left (a file stays in `folder`). Raises NoPostgres."""
    if kind == "sqlite":
        yield Sqlite(folder / "deals.db")
        return
    with cluster() as server:
        yield Postgres(server.database())
