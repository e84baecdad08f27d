"""Bots → alerts: the groups that the executor arms for an entry and for an open deal (laws 7 and 9)."""

from collections.abc import Sequence
from typing import Protocol

from schemas.alerts import GroupCommand, Member, WhenTrue
from schemas.bots import BotConfig
from schemas.conditions import At
from streams.engine.dca.deal import Deal
from streams.engine.dca.entry import entry_tree
from streams.engine.dca.members import deal_members, member


def alert_prefix(config: BotConfig, symbol: str) -> str:
    """`bot_{bot_id}`, with several pairs `bot_{bot_id}_{symbol}`."""
    return f"bot_{config.bot_id}" if len(config.pairs) <= 1 else f"bot_{config.bot_id}_{symbol}"


def deal_prefix(config: BotConfig, symbol: str, deal_id: str) -> str:
    """The same for a deal's alerts; where several deals of a pair may be open, with the deal's id."""
    prefix = alert_prefix(config, symbol)
    return f"{prefix}_{deal_id}" if config.max_active_deals_per_pair > 1 else prefix


def entry_group_id(bot_id: str, symbol: str) -> str:
    return f"{bot_id}/{symbol}/entry"


class OfABot(Protocol):
    """A deal of any kind."""

    @property
    def bot_id(self) -> str: ...
    @property
    def symbol(self) -> str: ...
    @property
    def deal_id(self) -> str: ...


def deal_group_id(deal: OfABot) -> str:
    return f"{deal.bot_id}/{deal.symbol}/{deal.deal_id}"


def entry_group(
    config: BotConfig,
    symbol: str,
    *,
    generation: int,
    armed_from_ms: int,
    when_true: WhenTrue,
    cooldown_until_ms: int | None = None,
    start_at_ms: int | None = None,
    end_at_ms: int | None = None,
    wanted: bool = True,
    deals: Sequence[Member] = (),
    interval: str = "1m",
) -> GroupCommand:
    """Arm the entry. While a cooldown runs only its end is waited for, and while a start is delayed only the start; the
    entry is armed in answer.

    `end_at_ms` adds a `close` at that instant, after which the entry is no longer wanted (delete, pause), or another
    one is. `deals`: members of the pair's deals that share the group; with them the entry may not be `wanted`.
    Raises EntryInvalid for a condition that does not parse; `problems` reports it with its column.
    """
    prefix, bot = alert_prefix(config, symbol), config.bot_id
    members: list[Member] = []
    if end_at_ms is not None:
        name = f"{prefix}_next" if deals else f"{prefix}_close"
        members.append(member(bot, name, "close", At(end_at_ms)))
    if cooldown_until_ms is not None:
        members.append(member(bot, f"{prefix}_cooldown", "cooldown", At(cooldown_until_ms)))
    elif start_at_ms is not None:
        members.append(member(bot, f"{prefix}_entry", "execute_entry", At(start_at_ms)))
    elif wanted:
        tree = entry_tree(config, interval)
        members.append(member(bot, f"{prefix}_entry", "execute_entry", tree, when_true))
    members += deals
    return GroupCommand(
        op="arm",
        group_id=entry_group_id(config.bot_id, symbol),
        generation=generation,
        bot_id=config.bot_id,
        user_id=config.user_id,
        symbol=symbol,
        armed_from_ms=armed_from_ms,
        interval=interval,
        side="short" if config.side == "short" else "long",
        intrabar=config.intrabar,
        members=members,
    )


def deal_group(
    deal: Deal, *, generation: int, armed_from_ms: int, close_at_ms: int | None = None
) -> GroupCommand:
    """Arm what the deal waits for: stop, remaining safety orders, take profit, its rules, and a close at an instant.

    A closed deal, or one with nothing to wait for, gives the command that removes its group.
    """
    members = deal_members(deal, close_at_ms)
    return GroupCommand(
        op="arm" if members else "remove",
        group_id=deal_group_id(deal),
        generation=generation,
        bot_id=deal.bot_id,
        user_id=deal.user_id,
        symbol=deal.symbol,
        armed_from_ms=armed_from_ms,
        interval=deal.interval,
        side=deal.side,
        intrabar=deal.terms.intrabar,
        members=members,
    )


def remove_group(command: GroupCommand, *, generation: int) -> GroupCommand:
    """The command that takes the same group away."""
    return GroupCommand(
        op="remove",
        group_id=command.group_id,
        generation=generation,
        bot_id=command.bot_id,
        user_id=command.user_id,
        symbol=command.symbol,
        interval=command.interval,
    )
