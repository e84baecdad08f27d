"""Balances in the database. A user's bots live on several partitions: their balance is one row, locked while deciding.

Every transaction locks its partition first, then the balances it needs in the order of their key: none waits in a
circle. A row is locked before the first inbox row of the transaction is written, so inbox rows of one user have the
order in which they were decided.
"""

from collections.abc import Collection, Mapping
from decimal import Decimal

from sqlalchemy import Connection, select, update

from sinks.capital.assets import quote_asset
from sinks.capital.holding import planned, spent
from sinks.capital.purse import Purse, Purses
from sinks.database.dialect import Row, put
from sinks.database.tables import balances, bots, deals, partitions
from streams.engine import kinds
from streams.engine.dca.money import EXACT, text

Balances = Mapping[str, Mapping[str, Decimal]]
"""What each user begins with, by asset."""


def load_purses(connection: Connection, user_ids: Collection[str]) -> dict[str, Purses]:
    """The purses of those users, by user and asset, locked for this transaction."""
    if not user_ids:
        return {}
    query = select(balances).where(balances.c.user_id.in_(sorted(user_ids)))
    query = query.order_by(balances.c.user_id, balances.c.asset).with_for_update()
    found: dict[str, dict[str, Purse]] = {}
    for row in connection.execute(query):
        purse = Purse(row.user_id, row.asset, Decimal(row.start), Decimal(row.realized), Decimal(row.held))
        found.setdefault(row.user_id, {})[row.asset] = purse
    return dict(found)


def save_purses(connection: Connection, before: Mapping[str, Purses], after: Mapping[str, Purses]) -> None:
    """Write what differs."""
    put(
        connection,
        balances,
        [
            _row(purse)
            for user_id, purses in sorted(after.items())
            for asset, purse in sorted(purses.items())
            if before.get(user_id, {}).get(asset) is not purse
        ],
    )


def seed(connection: Connection, wanted: Balances) -> None:
    """Make `wanted` what users begin with. What was earned stays; a purse that is new is told what open deals hold. One
    that is not wanted any more goes: its user has as much as is asked for.
    """
    # Nobody decides meanwhile: an open deal that was counted must be the same when the row is there.
    connection.execute(
        select(partitions.c.partition).order_by(partitions.c.partition).with_for_update()
    ).all()
    known = {(row.user_id, row.asset): row for row in connection.execute(select(balances))}
    for user_id, assets in sorted(wanted.items()):
        for asset, amount in sorted(assets.items()):
            if (user_id, asset) in known:
                mine = (balances.c.user_id == user_id) & (balances.c.asset == asset)
                connection.execute(update(balances).where(mine).values(start=text(amount)))
            else:
                put(connection, balances, [_row(_new(connection, user_id, asset, amount))])
    for user_id, asset in sorted(known):
        if asset not in wanted.get(user_id, {}):
            mine = (balances.c.user_id == user_id) & (balances.c.asset == asset)
            connection.execute(balances.delete().where(mine))


def _new(connection: Connection, user_id: str, asset: str, amount: Decimal) -> Purse:
    query = select(deals).join(bots, bots.c.bot_id == deals.c.bot_id)
    query = query.where(bots.c.user_id == user_id, deals.c.state == "open")
    purse = Purse(user_id, asset, amount)
    for row in connection.execute(query):
        if quote_asset(row.symbol) == asset:
            deal = kinds.from_json(row.body)
            aside = planned(deal, row.reserve)
            purse = purse.holding(EXACT.add(spent(deal), aside))
            mine = deals.c.deal_id == row.deal_id
            connection.execute(update(deals).where(mine).values(reserved=text(aside)))
    return purse


def _row(purse: Purse) -> Row:
    return {
        "user_id": purse.user_id,
        "asset": purse.asset,
        "start": text(purse.start),
        "realized": text(purse.realized),
        "held": text(purse.held),
    }
