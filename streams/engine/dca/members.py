"""The alerts of an open deal: levels, trails, rules on closed values, and instants."""

from collections.abc import Iterator
from functools import lru_cache

from schemas.alerts import ActionType, BotAction, Member, WhenTrue
from schemas.conditions import (
    All,
    At,
    Compare,
    CompareOp,
    Condition,
    Const,
    Level,
    Price,
    Trail,
    condition_from_json,
    condition_to_json,
)
from streams.engine.dca.closing import RULE
from streams.engine.dca.deal import Deal
from streams.engine.dca.levels import (
    ACTIONS,
    LevelOrder,
    TrailOrder,
    adverse_side,
    levels,
    safety_levels,
    stop_level,
    trails,
)
from streams.engine.dca.money import text
from streams.engine.dca.terms import tree_of


def deal_members(deal: Deal, close_at_ms: int | None = None) -> list[Member]:
    """Everything that `deal` waits for; nothing when it is closed.

    `close_at_ms`: its bot was deleted, it is to be closed then.
    """
    if deal.closed:
        return []
    members = [_of_level(deal, level, _met(deal, level)) for level in levels(deal)]
    members += [_of_trail(deal, trail) for trail in trails(deal)]
    members += [*_at_closes(deal), *_at_instants(deal)]
    if close_at_ms is not None:
        members.append(member(deal.bot_id, f"{deal.alert_prefix}_close", "close", At(close_at_ms)))
    return members


def member(
    bot_id: str, alert_id: str, action: ActionType, condition: Condition, when_true: WhenTrue = "fire"
) -> Member:
    """An alert that asks `action` of its bot."""
    return Member(
        alert_id=alert_id,
        action=BotAction(bot_id=bot_id, action_type=action),
        condition=condition_to_json(condition),
        when_true_at_arming=when_true,
    )


def _at_closes(deal: Deal) -> Iterator[Member]:
    """What is decided on closed values: the next safety order, the close rule, the market beyond a timed stop."""
    terms = deal.terms
    if terms.safety_condition and deal.status == "open":
        for level in safety_levels(deal):
            both = All((_tree(terms.safety_condition), _closes(deal, level, beyond=True)))
            yield _of_level(deal, level, both)
    if terms.close_when and deal.status == "open":
        yield member(deal.bot_id, f"{deal.alert_prefix}_{RULE}", "close", _tree(terms.close_when))
    if (stop := stop_level(deal)) is not None:
        turned = _closes(deal, stop, beyond=deal.stop_since_ms is None)
        yield member(deal.bot_id, f"{deal.alert_prefix}_sl_timer", "stop_timer", turned)


def _at_instants(deal: Deal) -> Iterator[Member]:
    terms, stop = deal.terms, deal.terms.stop_loss
    if deal.stop_since_ms is not None and stop is not None and deal.status in {"opening", "open"}:
        over = At(deal.stop_since_ms + stop.timeout_s * 1_000)
        yield member(deal.bot_id, f"{deal.alert_prefix}_sl", "stop_loss", over)
    if terms.deal_timeout_s and deal.status in {"opening", "open"}:
        over = At(deal.opened_at_ms + terms.deal_timeout_s * 1_000)
        yield member(deal.bot_id, f"{deal.alert_prefix}_timeout", "timeout", over)


def _met(deal: Deal, level: LevelOrder) -> Condition:
    return Level(text(deal.terms.instrument.price(level.ticks)), level.side)


def _closes(deal: Deal, level: LevelOrder, *, beyond: bool) -> Condition:
    """A base bar closes at or beyond `level`, or back on this side of it."""
    below = adverse_side(deal) == "below"
    op: CompareOp = ("lte" if below else "gte") if beyond else ("gt" if below else "lt")
    return Compare(op, Price("close", deal.interval), Const(float(deal.terms.instrument.price(level.ticks))))


@lru_cache(maxsize=1024)
def _tree(json: str) -> Condition:
    return condition_from_json(tree_of(json))


def _of_level(deal: Deal, level: LevelOrder | TrailOrder, condition: Condition) -> Member:
    return Member(
        alert_id=f"{deal.alert_prefix}_{level.name}",
        action=BotAction(
            bot_id=deal.bot_id,
            action_type=ACTIONS[level.kind],
            dca_index=level.number if level.kind == "dca" else None,
            tp_index=level.number if level.kind == "tp" else None,
        ),
        condition=condition_to_json(condition),
    )


def _of_trail(deal: Deal, order: TrailOrder) -> Member:
    made = _of_level(deal, order, Trail(order.trail.percent, order.trail.activate_at, order.trail.side))
    return Member(alert_id=made.alert_id, action=made.action, condition=made.condition, trail=order.start)
