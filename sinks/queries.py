"""What the command line shows of the database: plain structs, read in one short transaction each."""

from decimal import Decimal
from typing import Any, Literal

import msgspec
from sqlalchemy import Engine, Executable, Row, func, select

from schemas.alerts import GroupCommand
from schemas.bots import BotConfig
from schemas.positions import Position
from sinks.capital.assets import quote_asset
from sinks.capital.purse import Purse
from sinks.database.engine import reading
from sinks.database.loading import load_bots
from sinks.database.tables import balances, bots, configs, deals, fills, groups, inbox, outbox
from sinks.executor.snapshot import position
from sinks.rows import BalanceRow, BotRow, Counts, DealRow, FillRow, GroupRow, InboxRow
from streams.engine.dca.money import EXACT, text

_config = msgspec.json.Decoder(BotConfig)
_command = msgspec.json.Decoder(GroupCommand)


def list_bots(engine: Engine, *, user_id: str | None = None) -> list[BotRow]:
    """All bots, or those of one user, deleted ones too; by bot_id."""
    newest = (
        select(configs.c.bot_id, func.max(configs.c.seq).label("seq")).group_by(configs.c.bot_id).subquery()
    )
    opened = (
        select(deals.c.bot_id, func.count().label("open_deals"))
        .where(deals.c.state == "open")
        .group_by(deals.c.bot_id)
        .subquery()
    )
    query = (
        select(bots, configs.c.seq, configs.c.effective_from_ms, configs.c.body, opened.c.open_deals)
        .join(newest, newest.c.bot_id == bots.c.bot_id)
        .join(configs, (configs.c.bot_id == bots.c.bot_id) & (configs.c.seq == newest.c.seq))
        .outerjoin(opened, opened.c.bot_id == bots.c.bot_id)
        .order_by(bots.c.bot_id)
    )
    if user_id is not None:
        query = query.where(bots.c.user_id == user_id)
    return [_bot(row) for row in _all(engine, query)]


def bot_config(engine: Engine, bot_id: str) -> BotConfig | None:
    """The config accepted last, None for a bot that is not there."""
    query = select(configs.c.body).where(configs.c.bot_id == bot_id).order_by(configs.c.seq.desc()).limit(1)
    rows = _all(engine, query)
    return _config.decode(rows[0].body) if rows else None


def list_deals(
    engine: Engine, *, bot_id: str | None = None, state: Literal["open", "closed"] | None = None
) -> list[DealRow]:
    """Deals in the order in which they were opened."""
    query = select(*(deals.c[name] for name in DealRow.__struct_fields__))
    query = query.order_by(deals.c.opened_at_ms, deals.c.deal_id)
    if bot_id is not None:
        query = query.where(deals.c.bot_id == bot_id)
    if state is not None:
        query = query.where(deals.c.state == state)
    return [msgspec.convert(row._mapping, DealRow) for row in _all(engine, query)]


def list_fills(engine: Engine, *, bot_id: str | None = None, deal_id: str | None = None) -> list[FillRow]:
    """Fills in order of time, then of their place in the deal."""
    own = {"bot_id": deals.c.bot_id, "symbol": deals.c.symbol}
    columns = [own[name] if name in own else fills.c[name] for name in FillRow.__struct_fields__]
    query = select(*columns).join(deals, deals.c.deal_id == fills.c.deal_id)
    query = query.order_by(fills.c.at_ms, fills.c.deal_id, fills.c.position)
    if bot_id is not None:
        query = query.where(deals.c.bot_id == bot_id)
    if deal_id is not None:
        query = query.where(fills.c.deal_id == deal_id)
    return [msgspec.convert(row._mapping, FillRow) for row in _all(engine, query)]


def list_groups(engine: Engine, *, bot_id: str | None = None, armed_only: bool = True) -> list[GroupRow]:
    """Groups by id."""
    query = select(groups).order_by(groups.c.group_id)
    if bot_id is not None:
        query = query.where(groups.c.bot_id == bot_id)
    if armed_only:
        query = query.where(groups.c.state == "armed")
    return [_group(row) for row in _all(engine, query)]


def list_inbox(engine: Engine, *, bot_id: str | None = None, limit: int = 1_000) -> list[InboxRow]:
    """The last `limit` records, oldest first."""
    query = select(*(inbox.c[name] for name in InboxRow.__struct_fields__)).order_by(inbox.c.id.desc())
    if bot_id is not None:
        query = query.where(inbox.c.bot_id == bot_id)
    return [msgspec.convert(row._mapping, InboxRow) for row in reversed(_all(engine, query.limit(limit)))]


def list_positions(engine: Engine, *, bot_id: str | None = None) -> list[Position]:
    """Where each bot stands, as its last snapshot on `bots.positions.v1` says; by bot_id."""
    wanted = select(bots.c.bot_id) if bot_id is None else select(bots.c.bot_id).where(bots.c.bot_id == bot_id)
    with reading(engine).begin() as connection:
        found = load_bots(connection, set(connection.scalars(wanted)))
    return [position(found[key]) for key in sorted(found)]


def list_balances(engine: Engine, *, user_id: str | None = None) -> list[BalanceRow]:
    """What users with a balance have, by user and asset."""
    query = select(balances).order_by(balances.c.user_id, balances.c.asset)
    if user_id is not None:
        query = query.where(balances.c.user_id == user_id)
    owned = select(bots.c.user_id, deals.c.symbol, deals.c.reserved).join(
        deals, deals.c.bot_id == bots.c.bot_id
    )
    aside: dict[tuple[str, str | None], Decimal] = {}
    for row in _all(engine, owned.where(deals.c.state == "open")):
        key = (row.user_id, quote_asset(row.symbol))
        aside[key] = EXACT.add(aside.get(key, Decimal(0)), Decimal(row.reserved))
    return [_balance(row, aside.get((row.user_id, row.asset), Decimal(0))) for row in _all(engine, query)]


def closed_profit(engine: Engine, *, bot_id: str | None = None) -> str:
    """Profit of all closed deals in quote units, exactly: a decimal string."""
    query = select(bots.c.realized_profit)
    if bot_id is not None:
        query = query.where(bots.c.bot_id == bot_id)
    total = EXACT.create_decimal(0)
    for row in _all(engine, query):
        total = EXACT.add(total, EXACT.create_decimal(row.realized_profit))
    return text(total)


def count_all(engine: Engine) -> Counts:
    """How much there is of everything."""
    bot_states: dict[str, int] = {}
    for bot in list_bots(engine):
        bot_states[bot.state] = bot_states.get(bot.state, 0) + 1
    return Counts(
        bots=bot_states,
        deals=_by(engine, select(deals.c.state, func.count()).group_by(deals.c.state)),
        groups=_by(engine, select(groups.c.state, func.count()).group_by(groups.c.state)),
        records=_by(engine, select(inbox.c.outcome, func.count()).group_by(inbox.c.outcome)),
        fills=_all(engine, select(func.count()).select_from(fills))[0][0],
        waiting=_all(engine, select(func.count()).select_from(outbox))[0][0],
    )


def _by(engine: Engine, query: Executable) -> dict[str, int]:
    return {str(state): int(count) for state, count in map(tuple, _all(engine, query))}


def _all(engine: Engine, query: Executable) -> list[Row[Any]]:
    with reading(engine).begin() as connection:
        return list(connection.execute(query).all())


def _bot(row: Row[Any]) -> BotRow:
    config = _config.decode(row.body)
    return BotRow(
        bot_id=row.bot_id,
        user_id=row.user_id,
        state=config.state,
        revision=config.revision,
        seq=row.seq,
        pairs=config.pairs,
        side=config.side,
        entry=config.entry,
        effective_from_ms=row.effective_from_ms,
        open_deals=row.open_deals or 0,
        closed_deals=row.closed_deals,
        realized_profit=row.realized_profit,
    )


def _balance(row: Row[Any], reserved: Decimal) -> BalanceRow:
    purse = Purse(row.user_id, row.asset, Decimal(row.start), Decimal(row.realized), Decimal(row.held))
    return BalanceRow(
        row.user_id, row.asset, row.start, row.realized, row.held, text(reserved), text(purse.free)
    )


def _group(row: Row[Any]) -> GroupRow:
    command = _command.decode(row.command)
    return GroupRow(
        group_id=row.group_id,
        bot_id=row.bot_id,
        symbol=row.symbol,
        generation=row.generation,
        expected="armed" if row.state == "armed" else "removed",
        armed_from_ms=row.armed_from_ms,
        end_at_ms=row.end_at_ms,
        alert_ids=[member.alert_id for member in command.members],
    )
