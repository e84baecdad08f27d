"""Writing many rows at once, which SQLAlchemy spells per database."""

from functools import cache
from operator import itemgetter
from typing import Any, Literal

from sqlalchemy import Connection, Dialect, Insert, Table
from sqlalchemy.dialects import postgresql, sqlite

Row = dict[str, Any]
Conflict = Literal["replace", "keep", "fail"]


def put(connection: Connection, table: Table, rows: list[Row]) -> None:
    """Insert whole `rows`; one with the primary key of a row that is there replaces it."""
    _execute(connection, table, "replace", rows)


def put_new(connection: Connection, table: Table, rows: list[Row]) -> None:
    """Insert whole `rows`; one with the primary key of a row that is there is left out."""
    _execute(connection, table, "keep", rows)


def add(connection: Connection, table: Table, rows: list[Row]) -> None:
    """Insert `rows`, all with the same columns; a row that is there already is an error."""
    _execute(connection, table, "fail", rows)


def _execute(connection: Connection, table: Table, there: Conflict, rows: list[Row]) -> None:
    """Straight to the driver, compiled once: these are most of what a transaction does, and values need no change."""
    if not rows:
        return
    names = tuple(rows[0])
    sql, order = _compiled(connection.dialect, table, there, names)
    if order is None:
        connection.exec_driver_sql(sql, rows)
    else:
        take = itemgetter(*order)
        connection.exec_driver_sql(sql, [take(row) for row in rows])


@cache
def _compiled(
    dialect: Dialect, table: Table, there: Conflict, names: tuple[str, ...]
) -> tuple[str, tuple[str, ...] | None]:
    """The statement, and the order of its parameters where they have no names."""
    insert = table.insert() if there == "fail" else _upsert(dialect, table, there)
    compiled = insert.compile(dialect=dialect, column_keys=list(names))
    order = compiled.positiontup
    return str(compiled), None if order is None else tuple(order)


def _upsert(dialect: Dialect, table: Table, there: Conflict) -> Insert:
    keys = [column.name for column in table.primary_key]
    others = [column.name for column in table.columns if column.name not in keys]
    if dialect.name == "postgresql":
        pg = postgresql.insert(table)
        if there == "keep":
            return pg.on_conflict_do_nothing(index_elements=keys)
        return pg.on_conflict_do_update(
            index_elements=keys, set_={name: pg.excluded[name] for name in others}
        )
    lite = sqlite.insert(table)
    if there == "keep":
        return lite.on_conflict_do_nothing(index_elements=keys)
    return lite.on_conflict_do_update(
        index_elements=keys, set_={name: lite.excluded[name] for name in others}
    )
