"""Bots out of the database, many in a handful of queries."""

from collections import defaultdict
from collections.abc import Collection, Iterator
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, Table, func, select

from schemas.alerts import GroupCommand
from schemas.bots import BotConfig
from sinks.database.tables import bots, configs, deals, groups, inbox, pairs
from sinks.executor.state import Accepted, Bot, Group, HeldDeal, Pair
from streams.engine import kinds

_MANY: Final = 500  # SQLite allows 32,766 variables in a statement; short lists also keep plans cheap

_config = msgspec.json.Decoder(BotConfig)
_command = msgspec.json.Decoder(GroupCommand)


def load_bots(
    connection: Connection, bot_ids: Collection[str], group_ids: Collection[str] = ()
) -> dict[str, Bot]:
    """The bots of those ids that exist, with what is armed and open, and the named groups whatever their
    state.
    """
    rows = {row.bot_id: row for row in _where(connection, bots, bots.c.bot_id, bot_ids)}
    of_configs = _by_bot(_where(connection, configs, configs.c.bot_id, rows, configs.c.live == 1))
    of_pairs = _by_bot(_where(connection, pairs, pairs.c.bot_id, rows))
    of_deals = _by_bot(_where(connection, deals, deals.c.bot_id, rows, deals.c.state == "open"))
    named = {f"{deal.bot_id}/{deal.symbol}/{deal.deal_id}" for found in of_deals.values() for deal in found}
    of_groups = _by_bot(_groups(connection, rows, named.union(group_ids)))
    return {
        bot_id: Bot(
            bot_id=bot_id,
            user_id=row.user_id,
            partition=row.partition,
            version=row.version,
            as_of_ms=row.as_of_ms,
            closed_deals=row.closed_deals,
            realized_profit=row.realized_profit,
            configs=tuple(_accepted(c) for c in sorted(of_configs[bot_id], key=lambda c: int(c.seq))),
            pairs={pair.symbol: _pair(pair) for pair in of_pairs[bot_id]},
            groups={group.group_id: _group(group) for group in of_groups[bot_id]},
            deals={deal.deal_id: _deal(deal) for deal in of_deals[bot_id]},
        )
        for bot_id, row in rows.items()
    }


def known_triggers(connection: Connection, trigger_ids: Collection[str]) -> set[str]:
    """Those of `trigger_ids` that the inbox has."""
    found: set[str] = set()
    for part in _parts(trigger_ids):
        query = select(inbox.c.trigger_id).where(inbox.c.trigger_id.in_(part))
        found.update(connection.scalars(query))
    return found


def count_bots(connection: Connection, user_ids: Collection[str]) -> dict[str, int]:
    """How many bots each user has, deleted ones too: their ids are taken for ever."""
    query = select(bots.c.user_id, func.count()).where(bots.c.user_id.in_(user_ids)).group_by(bots.c.user_id)
    return {row[0]: row[1] for row in connection.execute(query)} if user_ids else {}


def bots_with_groups(connection: Connection, partition: int) -> list[str]:
    """Ids of the partition's bots that have armed groups."""
    mine = (bots.c.partition == partition) & (groups.c.state == "armed")
    query = select(bots.c.bot_id).join(groups, groups.c.bot_id == bots.c.bot_id).where(mine).distinct()
    return list(connection.scalars(query))


def newest_event_ms(connection: Connection, partition: int) -> int:
    """Event time of the latest record the partition ever gave; 0 before the first."""
    return (
        connection.scalar(select(func.max(inbox.c.timestamp_ms)).where(inbox.c.partition == partition)) or 0
    )


def _groups(connection: Connection, bot_ids: Collection[str], named: set[str]) -> list[Row[Any]]:
    armed = _where(connection, groups, groups.c.bot_id, bot_ids, groups.c.state == "armed")
    seen = {row.group_id for row in armed}
    return armed + _where(connection, groups, groups.c.group_id, named - seen)


def _where(
    connection: Connection,
    table: Table,
    column: ColumnElement[str],
    values: Collection[str],
    *more: ColumnElement[bool],
) -> list[Row[Any]]:
    rows: list[Row[Any]] = []
    for part in _parts(values):
        rows += connection.execute(select(table).where(column.in_(part), *more)).all()
    return rows


def _parts(values: Collection[str]) -> Iterator[list[str]]:
    ordered = sorted(values)
    for start in range(0, len(ordered), _MANY):
        yield ordered[start : start + _MANY]


def _by_bot(rows: list[Row[Any]]) -> defaultdict[str, list[Row[Any]]]:
    by_bot: defaultdict[str, list[Row[Any]]] = defaultdict(list)
    for row in rows:
        by_bot[row.bot_id].append(row)
    return by_bot


def _accepted(row: Row[Any]) -> Accepted:
    return Accepted(
        row.seq, _config.decode(row.body), row.effective_from_ms, row.from_ms, row.signal, row.shape
    )


def _pair(row: Row[Any]) -> Pair:
    return Pair(
        row.symbol, row.free_from_ms, row.generation, row.seen_signal, row.cooldown_until_ms, row.start_at_ms
    )


def _group(row: Row[Any]) -> Group:
    return Group(_command.decode(row.command), row.end_at_ms)


def _deal(row: Row[Any]) -> HeldDeal:
    return HeldDeal(
        deal=kinds.from_json(row.body),
        config_seq=row.config_seq,
        fills=row.fills,
        ambiguous_bars=row.ambiguous_bars,
        close_at_ms=row.close_at_ms,
        closed_at_ms=row.closed_at_ms,
        close_reason=row.close_reason,
        reserve=row.reserve,
        reserved=row.reserved,
    )
