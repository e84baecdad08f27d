"""Bots → alerts: the groups that the executor arms for an entry and for an open deal (laws 7 and 9)."""

from schemas.alerts import ActionType, BotAction, GroupCommand, Member, WhenTrue
from schemas.bots import BotConfig
from schemas.conditions import At, Condition, Level, condition_to_json
from streams.engine.dca.deal import Deal
from streams.engine.dca.entry import entry_tree
from streams.engine.dca.levels import ACTIONS, LevelOrder, levels
from streams.engine.dca.money import text


def alert_prefix(config: BotConfig, symbol: str) -> str:
    """`bot_{bot_id}`, with several pairs `bot_{bot_id}_{symbol}`."""
    return f"bot_{config.bot_id}" if len(config.pairs) <= 1 else f"bot_{config.bot_id}_{symbol}"


def entry_group_id(bot_id: str, symbol: str) -> str:
    return f"{bot_id}/{symbol}/entry"


def deal_group_id(deal: Deal) -> str:
    return f"{deal.bot_id}/{deal.symbol}/{deal.deal_id}"


def entry_group(
    config: BotConfig,
    symbol: str,
    *,
    generation: int,
    armed_from_ms: int,
    when_true: WhenTrue,
    cooldown_until_ms: int | None = None,
    end_at_ms: int | None = None,
    interval: str = "1m",
) -> GroupCommand:
    """Arm the entry. While a cooldown runs only its end is waited for; the entry is armed in answer to it.

    `end_at_ms` adds a `close` at that instant, after which the entry is no longer wanted (delete, pause).
    Raises EntryInvalid for a condition that does not parse; `problems` reports it with its column.
    """
    prefix = alert_prefix(config, symbol)
    members: list[Member] = []
    if end_at_ms is not None:
        members.append(_member(config.bot_id, f"{prefix}_close", "close", At(end_at_ms)))
    if cooldown_until_ms is not None:
        members.append(_member(config.bot_id, f"{prefix}_cooldown", "cooldown", At(cooldown_until_ms)))
    else:
        tree = entry_tree(config, interval)
        members.append(_member(config.bot_id, f"{prefix}_entry", "execute_entry", tree, when_true))
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
    """Arm what the deal waits for: stop, remaining safety orders, take profit, and a close at an instant.

    A closed deal, or one with nothing to wait for, gives the command that removes its group.
    """
    members = [_level_member(deal, level) for level in levels(deal)]
    if close_at_ms is not None and not deal.closed:
        members.append(_member(deal.bot_id, f"{deal.alert_prefix}_close", "close", At(close_at_ms)))
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


def _level_member(deal: Deal, level: LevelOrder) -> Member:
    return Member(
        alert_id=f"{deal.alert_prefix}_{level.name}",
        action=BotAction(
            bot_id=deal.bot_id,
            action_type=ACTIONS[level.kind],
            dca_index=level.number if level.kind == "dca" else None,
            tp_index=level.number if level.kind == "tp" else None,
        ),
        condition=condition_to_json(Level(text(deal.terms.instrument.price(level.ticks)), level.side)),
    )


def _member(
    bot_id: str, alert_id: str, action: ActionType, condition: Condition, when_true: WhenTrue = "fire"
) -> Member:
    return Member(
        alert_id=alert_id,
        action=BotAction(bot_id=bot_id, action_type=action),
        condition=condition_to_json(condition),
        when_true_at_arming=when_true,
    )
