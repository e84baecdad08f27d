"""A partition's books out of the database: one transaction that only reads and locks nothing.

Whole tables would be too much for once a minute, so what takes a look at every row (the sums of closed deals, what a
bot has armed) goes round: some bots and some deals at each look, until all had their turn.
"""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Engine, Select, and_, case, func, or_, select

from sinks.database.engine import reading
from sinks.database.loading import load_bots, newest_event_ms
from sinks.database.tables import (
    bots,
    configs,
    deals,
    fills,
    groups,
    inbox,
    ledger,
    offsets,
    outbox,
    pairs,
    partitions,
)
from sinks.reconciler.books import (
    Booked,
    Books,
    BotSums,
    DealFigures,
    GroupState,
    OpenDeal,
    PairCount,
    Place,
)
from streams.engine.dca.money import EXACT, text
from topics.registry import Topics

BOTS_AT_A_LOOK: Final = 500
DEALS_AT_A_LOOK: Final = 1_000
WINDOW: Final = 10_000
"""Offsets that are looked for in the inbox at most, back from the last one applied."""
_PART: Final = 500


class Turn(NamedTuple):
    """Where going round stands: the last bot and the last deal that were looked at closely."""

    bot_id: str = ""
    deal_id: str = ""


def snapshot(engine: Engine) -> Engine:
    """`engine` for transactions that cannot write, and all of whose statements see one moment."""
    if engine.dialect.name != "postgresql":  # SQLite's see one moment anyway
        return reading(engine)
    return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


def read_books(
    engine: Engine,
    topics: Topics,
    partition: int,
    turn: Turn,
    check_from: Mapping[str, int],
    keep_ms: int | None,
) -> tuple[Books, Turn]:
    """The books, and whose turn is next. `check_from`: per topic, the first offset to be looked for in the inbox, which
    keeps its rows for `keep_ms`.
    """
    with snapshot(engine).begin() as connection:
        owned = _bots(connection, partition)
        some = _next(connection, select(bots.c.bot_id).where(bots.c.partition == partition), bots.c.bot_id,
                     turn.bot_id, BOTS_AT_A_LOOK)  # fmt: skip
        closely = load_bots(connection, some)
        figures = _deals(connection, partition, turn.deal_id)
        deal_ids = [deal.deal_id for deal in figures]
        books = Books(
            partition=partition,
            epoch=connection.scalar(select(partitions.c.epoch).where(partitions.c.partition == partition))
            or 0,
            newest_ms=newest_event_ms(connection, partition),
            bots=owned,
            with_config=frozenset(
                connection.scalars(_mine(configs.c.bot_id, partition, configs.c.live == 1))
            ),
            pairs=_pairs(connection, partition),
            groups=_groups(connection, partition),
            open_deals=_open_deals(connection, partition),
            **_outbox(connection, topics, partition),
            places=_places(connection, partition, check_from, keep_ms),
            closely=closely,
            deals=figures,
            filled=_filled(connection, deal_ids),
            ledger=_ledger(connection, deal_ids),
            closed=_closed(connection, some),
        )
    return books, Turn(_last(some, BOTS_AT_A_LOOK), _last(deal_ids, DEALS_AT_A_LOOK))


def _mine(column: Any, partition: int, *where: Any) -> Select[Any]:
    """`column` of the partition's bots."""
    table = column.table
    return (
        select(column)
        .join(bots, bots.c.bot_id == table.c.bot_id)
        .where(bots.c.partition == partition, *where)
    )


def _bots(connection: Connection, partition: int) -> dict[str, BotSums]:
    columns = (bots.c[name] for name in BotSums._fields)
    rows = connection.execute(select(*columns).where(bots.c.partition == partition))
    return {row.bot_id: BotSums(*row) for row in rows}


def _pairs(connection: Connection, partition: int) -> tuple[PairCount, ...]:
    query = _mine(pairs.c.bot_id, partition).add_columns(pairs.c.symbol, pairs.c.generation)
    return tuple(PairCount(*row) for row in connection.execute(query))


def _groups(connection: Connection, partition: int) -> tuple[GroupState, ...]:
    """Those that are armed, and those of open deals, whose group goes when they wait for nothing."""
    pair = deals.c.bot_id + "/" + deals.c.symbol + "/"
    of_open = select(pair + case((deals.c.shared == 1, "entry"), else_=deals.c.deal_id))
    of_open = of_open.where(deals.c.state == "open")
    query = _mine(
        groups.c.group_id, partition, or_(groups.c.state == "armed", groups.c.group_id.in_(of_open))
    )
    query = query.add_columns(groups.c.bot_id, groups.c.symbol, groups.c.generation, groups.c.state)
    return tuple(
        GroupState(row.group_id, row.bot_id, row.symbol, row.generation, row.state == "armed")
        for row in connection.execute(query)
    )


def _open_deals(connection: Connection, partition: int) -> dict[str, OpenDeal]:
    query = _mine(deals.c.deal_id, partition, deals.c.state == "open").add_columns(
        deals.c.bot_id, deals.c.symbol, deals.c.shared
    )
    return {
        row.deal_id: OpenDeal(row.bot_id, row.symbol, bool(row.shared)) for row in connection.execute(query)
    }


def _deals(connection: Connection, partition: int, after: str) -> tuple[DealFigures, ...]:
    query = _mine(deals.c.deal_id, partition)
    query = query.with_only_columns(*(deals.c[name] for name in DealFigures._fields))
    rows = connection.execute(
        query.where(deals.c.deal_id > after).order_by(deals.c.deal_id).limit(DEALS_AT_A_LOOK)
    )
    return tuple(DealFigures(*row) for row in rows)


def _filled(connection: Connection, deal_ids: list[str]) -> tuple[Booked, ...]:
    found: list[Booked] = []
    for row in _of_deals(connection, fills, deal_ids):
        bought = row.side == "buy"
        base = text(EXACT.subtract(EXACT.create_decimal(row.quantity), EXACT.create_decimal(row.fee_base)))
        amounts = (("base", base, bought), ("quote", row.quote, not bought), ("fee", row.fee, False))
        for account, amount, gained in amounts:
            signed = amount if gained else f"-{amount}"
            found.append(Booked(row.deal_id, row.level, row.generation, account, signed, row.number))
    return tuple(found)


def _ledger(connection: Connection, deal_ids: list[str]) -> tuple[Booked, ...]:
    return tuple(Booked(*row) for row in _of_deals(connection, ledger, deal_ids))


def _of_deals(connection: Connection, table: Any, deal_ids: list[str]) -> list[Any]:
    columns = Booked._fields if table is ledger else table.columns.keys()
    found: list[Any] = []
    for start in range(0, len(deal_ids), _PART):
        part = deal_ids[start : start + _PART]
        query = select(*(table.c[name] for name in columns)).where(table.c.deal_id.in_(part))
        found += connection.execute(query).all()
    return found


def _closed(connection: Connection, bot_ids: list[str]) -> dict[str, tuple[str, ...]]:
    """Profits of all closed deals of those bots."""
    profits: defaultdict[str, list[str]] = defaultdict(list)
    query = select(deals.c.bot_id, deals.c.profit).where(
        deals.c.state == "closed", deals.c.bot_id.in_(bot_ids)
    )
    for row in connection.execute(query):
        profits[row.bot_id].append(row.profit)
    return {bot_id: tuple(profits[bot_id]) for bot_id in bot_ids}


def _outbox(connection: Connection, topics: Topics, partition: int) -> dict[str, Any]:
    mine = outbox.c.partition == partition
    head, count = connection.execute(select(func.min(outbox.c.id), func.count()).where(mine)).one()
    keys = connection.scalars(select(outbox.c.key).where(mine, outbox.c.topic == topics.positions.name))
    untold = frozenset(bytes(key).decode() for key in keys if key is not None)
    return {"outbox_head": head, "outbox_rows": count, "untold_positions": untold}


def _places(
    connection: Connection, partition: int, check_from: Mapping[str, int], keep_ms: int | None
) -> tuple[Place, ...]:
    found = []
    for row in connection.execute(select(offsets).where(offsets.c.partition == partition)).all():
        holes: tuple[tuple[int, int], ...] = ()
        if row.topic in check_from:
            holes = _holes(connection, row, check_from[row.topic], keep_ms)
        found.append(Place(row.topic, row.next_offset, holes))
    return tuple(found)


def _holes(
    connection: Connection, place: Any, begin: int, keep_ms: int | None
) -> tuple[tuple[int, int], ...]:
    """Offsets without a row, as (first, last). Rows that retention may have taken away are not missed."""
    mine = and_(
        inbox.c.topic_id == place.topic_id, inbox.c.topic == place.topic, inbox.c.partition == place.partition
    )
    offset = inbox.c.source_offset
    begin = max(begin, place.next_offset - WINDOW)
    if keep_ms is not None:
        kept = mine & (inbox.c.timestamp_ms >= _newest_trigger_ms(connection, place.partition) - keep_ms)
        begin = max(begin, connection.scalar(select(func.min(offset)).where(kept)) or 0)
    there = connection.scalars(select(offset).where(mine, offset >= begin).order_by(offset))
    holes, expected = [], begin
    for found in (*there, place.next_offset):
        if found > expected:
            holes.append((expected, found - 1))
        expected = max(expected, found + 1)
    return tuple(holes)


def _newest_trigger_ms(connection: Connection, partition: int) -> int:
    """Event time as retention counts it."""
    query = select(inbox.c.timestamp_ms).where(
        inbox.c.partition == partition, inbox.c.kind == "trigger", inbox.c.outcome == "applied"
    )
    return connection.scalar(query.order_by(inbox.c.timestamp_ms.desc()).limit(1)) or 0


def _next(connection: Connection, query: Select[Any], key: Any, after: str, limit: int) -> list[str]:
    return list(connection.scalars(query.where(key > after).order_by(key).limit(limit)))


def _last(ids: list[str], limit: int) -> str:
    """Behind which to go on; from the beginning again after the last."""
    return ids[-1] if len(ids) == limit else ""
