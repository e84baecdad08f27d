"""What a transaction changed, into the database: the difference between the bots as loaded and as decided.

Only the difference counts, so the rows are the same however many records one transaction decided.
"""

from collections.abc import Iterable, Iterator, Mapping

import msgspec
from sqlalchemy import Connection, bindparam, update

from sinks.database.dialect import Row, add, put
from sinks.database.tables import bots, configs, deals, fills, groups, ledger, pairs
from sinks.executor.state import Accepted, Bot, Entry, Fill, Group, HeldDeal, Pair
from streams.engine import kinds
from streams.engine.dca.money import text


def save_bots(
    connection: Connection,
    before: Mapping[str, Bot],
    after: Mapping[str, Bot],
    accepted: Iterable[tuple[str, Accepted]],
) -> None:
    """Write what differs, both by bot_id, and all configs that were `accepted`, by (bot_id, config)."""
    changed = [(before.get(bot_id), bot) for bot_id, bot in after.items() if bot is not before.get(bot_id)]
    put(
        connection,
        bots,
        [_bot_row(bot) for old, bot in changed if old is None or _bot_row(old) != _bot_row(bot)],
    )
    add(connection, configs, [_config_row(after[bot_id], config) for bot_id, config in accepted])
    _retire_configs(connection, changed)
    put(connection, pairs, [_pair_row(bot, pair) for old, bot in changed for pair in _new_pairs(old, bot)])
    put(connection, groups, [_group_row(group) for old, bot in changed for group in _new_groups(old, bot)])
    put(connection, deals, [_deal_row(held) for old, bot in changed for held in _new_deals(old, bot)])


def save_books(connection: Connection, new_fills: Iterable[Fill], entries: Iterable[Entry]) -> None:
    """Add fills and ledger entries; one booked before breaks its business key and the transaction with it."""
    add(connection, fills, [fill._asdict() for fill in new_fills])
    add(connection, ledger, [entry._asdict() for entry in entries])


def _retire_configs(connection: Connection, changed: list[tuple[Bot | None, Bot]]) -> None:
    rows = [
        {"of_bot": bot.bot_id, "of_seq": accepted.seq}
        for old, bot in changed
        if old is not None
        for accepted in old.configs
        if accepted not in bot.configs
    ]
    if rows:
        mine = (configs.c.bot_id == bindparam("of_bot")) & (configs.c.seq == bindparam("of_seq"))
        connection.execute(update(configs).where(mine).values(live=0), rows)


def _new_pairs(old: Bot | None, bot: Bot) -> Iterator[Pair]:
    was = {} if old is None else old.pairs
    return (pair for symbol, pair in bot.pairs.items() if was.get(symbol) is not pair)


def _new_groups(old: Bot | None, bot: Bot) -> Iterator[Group]:
    was = {} if old is None else old.groups
    return (group for group_id, group in bot.groups.items() if was.get(group_id) is not group)


def _new_deals(old: Bot | None, bot: Bot) -> Iterator[HeldDeal]:
    was = {} if old is None else old.deals
    return (held for deal_id, held in bot.deals.items() if was.get(deal_id) is not held)


def _bot_row(bot: Bot) -> Row:
    return {
        "bot_id": bot.bot_id,
        "user_id": bot.user_id,
        "partition": bot.partition,
        "version": bot.version,
        "as_of_ms": bot.as_of_ms,
        "closed_deals": bot.closed_deals,
        "realized_profit": bot.realized_profit,
    }


def _config_row(bot: Bot, accepted: Accepted) -> Row:
    config = accepted.config
    return {
        "bot_id": bot.bot_id,
        "seq": accepted.seq,
        "revision": config.revision,
        "state": config.state,
        "effective_from_ms": accepted.effective_from_ms,
        "from_ms": accepted.from_ms,
        "signal": accepted.signal,
        "shape": accepted.shape,
        "live": int(accepted in bot.configs),
        "body": msgspec.json.encode(config).decode(),
    }


def _pair_row(bot: Bot, pair: Pair) -> Row:
    return {"bot_id": bot.bot_id, **msgspec.structs.asdict(pair)}


def _group_row(group: Group) -> Row:
    command = group.command
    return {
        "group_id": command.group_id,
        "bot_id": command.bot_id,
        "symbol": command.symbol,
        "generation": command.generation,
        "state": "armed" if group.armed else "removed",
        "armed_from_ms": command.armed_from_ms,
        "end_at_ms": group.end_at_ms,
        "command": msgspec.json.encode(command).decode(),
    }


def _deal_row(held: HeldDeal) -> Row:
    deal = held.deal
    average = kinds.average_price(deal)
    return {
        "deal_id": deal.deal_id,
        "bot_id": deal.bot_id,
        "symbol": deal.symbol,
        "side": deal.side,
        "state": "open" if held.open else "closed",
        "config_seq": held.config_seq,
        "opened_at_ms": deal.opened_at_ms,
        "closed_at_ms": held.closed_at_ms,
        "close_at_ms": held.close_at_ms,
        "close_reason": held.close_reason,
        "quantity": text(kinds.quantity(deal)),
        "average_price": None if average is None else text(average),
        "invested": text(kinds.invested(deal)),
        "profit": text(deal.profit),
        "safety_orders_filled": kinds.safety_orders_filled(deal),
        "ambiguous_bars": held.ambiguous_bars,
        "fills": held.fills,
        "reserve": held.reserve,
        "reserved": held.reserved,
        "body": kinds.to_json(deal),
        "shared": int(deal.terms.shared),
    }
