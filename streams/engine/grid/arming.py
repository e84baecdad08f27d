"""A grid → alerts: the groups that the executor arms for its start and while it runs (laws 7 and 9)."""

from schemas.alerts import ActionType, BotAction, GroupCommand, Member, WhenTrue
from schemas.bots import BotConfig
from schemas.conditions import At, Condition, Level, condition_to_json
from streams.engine.dca.arming import alert_prefix, deal_group_id, entry_group_id
from streams.engine.dca.money import text
from streams.engine.grid.deal import Deal
from streams.engine.grid.entry import start_tree
from streams.engine.grid.orders import GridOrder, armed


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
    """Arm the start. While a cooldown runs only its end is waited for; the start is armed in answer to it.

    `end_at_ms` adds a `close` at that instant, after which the start is no longer wanted (delete, pause).
    """
    prefix = alert_prefix(config, symbol)
    members: list[Member] = []
    if end_at_ms is not None:
        members.append(_member(config.bot_id, f"{prefix}_close", "close", At(end_at_ms)))
    if cooldown_until_ms is not None:
        members.append(_member(config.bot_id, f"{prefix}_cooldown", "cooldown", At(cooldown_until_ms)))
    else:
        tree = start_tree(config, interval)
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
        intrabar="ohlc" if config.side == "neutral" else config.intrabar,
        members=members,
    )


def deal_group(
    deal: Deal, *, generation: int, armed_from_ms: int, close_at_ms: int | None = None
) -> GroupCommand:
    """Arm what the grid waits for: stops, levels, and a close at an instant. A closed grid's group is removed."""
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
        side=deal.terms.walk_side,
        intrabar=deal.terms.walk_intrabar,
        members=members,
    )


def deal_members(deal: Deal, close_at_ms: int | None = None) -> list[Member]:
    """Everything that the grid waits for; nothing when it has ended."""
    members = [_level_member(deal, order) for order in armed(deal)]
    if close_at_ms is not None and not deal.closed:
        members.append(_member(deal.bot_id, f"{deal.alert_prefix}_close", "close", At(close_at_ms)))
    return members


def _level_member(deal: Deal, order: GridOrder) -> Member:
    action = BotAction(
        bot_id=deal.bot_id,
        action_type="stop_loss" if order.stop else "grid",
        grid_level=order.level or None,
    )
    level = Level(text(deal.terms.instrument.price(order.ticks)), order.side)
    return Member(
        alert_id=f"{deal.alert_prefix}_{order.name}", action=action, condition=condition_to_json(level)
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
