"""The databases that chaos is made on: a file of SQLite, or a private PostgreSQL."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal, NamedTuple

from tests.sinks.postgres import Cluster, cluster

Kind = Literal["sqlite", "postgresql"]
KINDS: Final[tuple[Kind, ...]] = ("sqlite", "postgresql")


class Outage(NamedTuple):
    """One way in which a database goes away, and how it comes back."""

    name: str
    begin: Callable[[], object]
    end: Callable[[], object]


class Sqlite:
    """One file."""

    def __init__(self, path: Path) -> None:
        self.url = f"sqlite:///{path}"
        self._path = path

    def outages(self) -> list[Outage]:
        """Another process holds the write lock."""
        writer: list[sqlite3.Connection] = []

        def lock() -> None:
            writer.append(
                sqlite3.connect(self._path, timeout=60, isolation_level=None, check_same_thread=False)
            )
            writer[-1].execute("BEGIN IMMEDIATE")

        return [Outage("locked", lock, lambda: writer.pop().close())]


class Postgres:
    """One database of a server that is ours alone."""

    def __init__(self, server: Cluster) -> None:
        self.url = server.database().replace("postgresql://", "postgresql+psycopg://")
        self._server = server

    def outages(self) -> list[Outage]:
        """Gone with all its connections; or there, and silent."""
        return [
            Outage("crashed", self._server.crash, self._server.start),
            Outage("suspended", self._server.suspend, self._server.resume),
        ]


@contextmanager
def database(kind: Kind, folder: Path) -> Iterator[Sqlite | Postgres]:
    """A new database, gone when it is left (a file stays in `folder`). Raises NoPostgres."""
    if kind == "sqlite":
        yield Sqlite(folder / "deals.db")
        return
    with cluster() as server:
        yield Postgres(server)
