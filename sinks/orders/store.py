"""Intents in the database. The executor writes what it wants and booked, the gateway how far it went."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Row, bindparam, select, update

from sinks.database.dialect import Row as NewRow
from sinks.database.dialect import add
from sinks.database.tables import orders
from sinks.orders.intent import Intent, Phase

_WANTED: Final = tuple(field.name for field in msgspec.structs.fields(Intent))
_MANY: Final = 500


class Underway(msgspec.Struct, frozen=True):
    """An intent and how far it went. `sent_at_ms`: wall clock of the last attempt; `reported`: trades told so far."""

    intent: Intent
    phase: Phase
    attempts: int = 0
    sent_at_ms: int | None = None
    venue_order_id: str | None = None
    reported: int = 0
    note: str = ""


def save_intents(connection: Connection, before: Mapping[str, Intent], after: Mapping[str, Intent]) -> None:
    """Add what is new; of what was there `withdrawn` and `state` may have changed, and nothing else."""
    fresh = [_new_row(intent) for client_id, intent in after.items() if client_id not in before]
    add(connection, orders, fresh)
    changed = [
        {"of": client_id, "now_withdrawn": int(intent.withdrawn), "now_state": intent.state}
        for client_id, intent in after.items()
        if client_id in before and intent is not before[client_id]
    ]
    if changed:
        mine = orders.c.client_id == bindparam("of")
        statement = update(orders).values(withdrawn=bindparam("now_withdrawn"), state=bindparam("now_state"))
        connection.execute(statement.where(mine), changed)


def load_intents(
    connection: Connection, bot_ids: Collection[str], client_ids: Collection[str] = ()
) -> list[Intent]:
    """Those bots' open intents, and the ones named whatever their state."""
    found: dict[str, Intent] = {}
    for part in _parts(bot_ids):
        query = select(orders).where(orders.c.bot_id.in_(part), orders.c.state == "open")
        found |= {row.client_id: _intent(row) for row in connection.execute(query)}
    for part in _parts(client_ids):
        query = select(orders).where(orders.c.client_id.in_(part))
        found |= {row.client_id: _intent(row) for row in connection.execute(query)}
    return [found[client_id] for client_id in sorted(found)]


def underway(connection: Connection, partition: int) -> list[Underway]:
    """What the gateway of a partition has to see to, in the order in which it was caused."""
    query = select(orders).where(orders.c.partition == partition, orders.c.phase != "done")
    query = query.order_by(orders.c.at_ms, orders.c.entry, orders.c.client_id)
    return [_underway(row) for row in connection.execute(query)]


def save_progress(connection: Connection, item: Underway) -> None:
    """Write how far an intent went."""
    values = {name: getattr(item, name) for name in Underway.__struct_fields__ if name != "intent"}
    mine = orders.c.client_id == item.intent.client_id
    connection.execute(update(orders).where(mine).values(values))


def list_orders(connection: Connection, deal_ids: Iterable[str] | None = None) -> list[Underway]:
    """All orders, or those of some deals, by cause."""
    query = select(orders).order_by(orders.c.at_ms, orders.c.client_id)
    if deal_ids is not None:
        query = query.where(orders.c.deal_id.in_(sorted(deal_ids)))
    return [_underway(row) for row in connection.execute(query)]


def _parts(values: Collection[str]) -> Iterator[list[str]]:
    ordered = sorted(values)
    for start in range(0, len(ordered), _MANY):
        yield ordered[start : start + _MANY]


def _new_row(intent: Intent) -> NewRow:
    row = msgspec.structs.asdict(intent)
    row |= {"entry": int(intent.entry), "withdrawn": int(intent.withdrawn)}
    return row | {
        "phase": "intended",
        "attempts": 0,
        "sent_at_ms": None,
        "venue_order_id": None,
        "reported": 0,
        "note": "",
    }


def _intent(row: Row[Any]) -> Intent:
    values = {name: getattr(row, name) for name in _WANTED}
    return Intent(**values | {"entry": bool(row.entry), "withdrawn": bool(row.withdrawn)})


def _underway(row: Row[Any]) -> Underway:
    return Underway(
        _intent(row), row.phase, row.attempts, row.sent_at_ms, row.venue_order_id, row.reported, row.note
    )
