"""Taking out what is over for longer than anybody asks: inbox rows, groups of closed deals, superseded configs.

Never bots, pairs (their generations), deals, fills or the ledger. An inbox row recognises a trigger that comes
again; one older than its topic keeps records cannot, and offsets and generations refuse it without the row. A
published outbox row is deleted by the relay at once.
"""

from collections.abc import Collection

from sqlalchemy import Column, Connection, and_, delete, exists, func, select, tuple_

from sinks.database.tables import bots, configs, deals, groups, inbox


def prune(connection: Connection, partition: int, before_ms: int, limit: int) -> bool:
    """Delete at most `limit` rows of each kind that were over before `before_ms` (event time).

    True: there may be more.
    """
    counts = (
        _prune_inbox(connection, partition, before_ms, limit),
        _prune_groups(connection, partition, before_ms, limit),
        _prune_configs(connection, partition, before_ms, limit),
    )
    return max(counts) == limit


def _prune_inbox(connection: Connection, partition: int, before_ms: int, limit: int) -> int:
    old = (inbox.c.partition == partition) & (inbox.c.timestamp_ms < before_ms)
    found = connection.scalars(
        select(inbox.c.id).where(old).order_by(inbox.c.timestamp_ms).limit(limit)
    ).all()
    return _delete(connection, inbox.c.id, found)


def _prune_groups(connection: Connection, partition: int, before_ms: int, limit: int) -> int:
    """Groups of deals only: a pair has one entry group, for ever."""
    prefix = func.length(groups.c.bot_id) + func.length(groups.c.symbol) + 3
    query = (
        select(groups.c.group_id)
        .join(bots, bots.c.bot_id == groups.c.bot_id)
        .join(deals, deals.c.deal_id == func.substr(groups.c.group_id, prefix))
        .where(bots.c.partition == partition, groups.c.state == "removed")
        .where(deals.c.state == "closed", deals.c.closed_at_ms < before_ms)
        .limit(limit)
    )
    return _delete(connection, groups.c.group_id, connection.scalars(query).all())


def _prune_configs(connection: Connection, partition: int, before_ms: int, limit: int) -> int:
    """Those that govern nothing any more, whose successor began before, and under which no deal was opened."""
    later = configs.alias()
    succeeded = exists().where(
        later.c.bot_id == configs.c.bot_id, later.c.seq > configs.c.seq, later.c.from_ms < before_ms
    )
    used = exists().where(and_(deals.c.bot_id == configs.c.bot_id, deals.c.config_seq == configs.c.seq))
    query = (
        select(configs.c.bot_id, configs.c.seq)
        .join(bots, bots.c.bot_id == configs.c.bot_id)
        .where(bots.c.partition == partition, configs.c.live == 0, configs.c.from_ms < before_ms)
        .where(succeeded, ~used)
        .limit(limit)
    )
    found = [tuple(row) for row in connection.execute(query)]
    if found:
        connection.execute(delete(configs).where(tuple_(configs.c.bot_id, configs.c.seq).in_(found)))
    return len(found)


def _delete(connection: Connection, key: "Column[int] | Column[str]", found: Collection[int | str]) -> int:
    if found:
        connection.execute(delete(key.table).where(key.in_(found)))
    return len(found)
