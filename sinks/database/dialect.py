"""Writing many rows at once, which SQLAlchemy spells per database."""

from functools import cache
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Dialect, Insert, Table
from sqlalchemy.dialects import postgresql, sqlite

Row = dict[str, Any]


def put(connection: Connection, table: Table, rows: list[Row]) -> None:
    """Insert whole `rows`; one with the primary key of a row that is there replaces it."""
    _execute(connection, table, True, rows)


def add(connection: Connection, table: Table, rows: list[Row]) -> None:
    """Insert `rows`, all with the same columns; a row that is there already is an error."""
    _execute(connection, table, False, rows)


def _execute(connection: Connection, table: Table, replacing: bool, rows: list[Row]) -> None:
    """Straight to the driver, compiled once: these are most of what a transaction does, and values need no change."""
    if not rows:
        return
    names = tuple(rows[0])
    sql, order = _compiled(connection.dialect, table, replacing, names)
    if order is None:
        connection.exec_driver_sql(sql, rows)
    else:
        take = itemgetter(*order)
        connection.exec_driver_sql(sql, [take(row) for row in rows])


@cache
def _compiled(
    dialect: Dialect, table: Table, replacing: bool, names: tuple[str, ...]
) -> tuple[str, tuple[str, ...] | None]:
    """The statement, and the order of its parameters where they have no names."""
    insert = _upsert(dialect, table) if replacing else table.insert()
    compiled = insert.compile(dialect=dialect, column_keys=list(names))
    order = compiled.positiontup
    return str(compiled), None if order is None else tuple(order)


def _upsert(dialect: Dialect, table: Table) -> Insert:
    keys = [column.name for column in table.primary_key]
    others = [column.name for column in table.columns if column.name not in keys]
    if dialect.name == "postgresql":
        pg = postgresql.insert(table)
        return pg.on_conflict_do_update(
            index_elements=keys, set_={name: pg.excluded[name] for name in others}
        )
    lite = sqlite.insert(table)
    return lite.on_conflict_do_update(
        index_elements=keys, set_={name: lite.excluded[name] for name in others}
    )
