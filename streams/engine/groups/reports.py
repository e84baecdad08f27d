"""What the engine says: triggers, fired alerts, events. Pure functions, so that a repeat is byte-identical (law 9)."""

from collections.abc import Iterable
from typing import TypeAlias

from schemas.alerts import AlertCommand, GroupCommand
from schemas.conditions import Condition, Level
from schemas.events import BotEvent, EventName
from schemas.triggers import Bar, Fired, FiredMember, StaleCommand, Trigger
from streams.engine.conditions.comparisons import Moment
from streams.engine.groups.group import Watch
from streams.engine.groups.notify import Alert
from streams.engine.groups.path import in_path_order
from streams.engine.groups.trailing import meetings, states_before
from streams.engine.network.predicates import Node
from streams.engine.trail import Meeting

Output: TypeAlias = Trigger | Fired | BotEvent | StaleCommand


def trigger(
    command: GroupCommand, hits: list[Watch], bar: Bar, moment: Moment, seeded_from_ms: int | None
) -> Trigger:
    """The trigger of a group whose members `hits` fired on `bar`."""
    conditions = {hit.member.alert_id: hit for hit in hits}
    met = meetings(hits)
    ordered = in_path_order(
        [(hit.member, hit.condition) for hit in hits], bar, command.side, command.intrabar, met
    )
    fired = [
        FiredMember(
            alert_id=member.alert_id, action=member.action, price=_price(condition, met.get(member.alert_id), bar)
        )
        for member, condition in ordered
    ]  # fmt: skip
    return Trigger(
        trigger_id=trigger_id(command.group_id, command.generation, bar.open_time_ms),
        group_id=command.group_id,
        generation=command.generation,
        bot_id=command.bot_id,
        user_id=command.user_id,
        symbol=command.symbol,
        bar=bar,
        action=fired[0].action,
        fired=fired,
        values=values((conditions[member.alert_id].node for member, _ in ordered), moment, bar.interval),
        trails=states_before(hits[0].group, moment),
        seeded_from_ms=seeded_from_ms,
    )


def _price(condition: Condition, met: Meeting | None, bar: Bar) -> float:
    if met is not None:
        return float(met.level)
    return float(condition.price) if isinstance(condition, Level) else bar.close


def trigger_id(group_id: str, generation: int, open_time_ms: int) -> str:
    """Identity of the one trigger that a generation fires."""
    return f"{group_id}:{generation}:{open_time_ms}:1"


def values(nodes: Iterable[Node], moment: Moment, base: str) -> dict[str, float]:
    """What the operands of `nodes` were worth at `moment`, by their text."""
    seen: dict[str, float] = {}
    for node in nodes:
        for comparison in node.comparisons():
            seen.update(comparison.values(moment, base))
    return seen


def fired(
    alert: Alert, bar: Bar, seen: dict[str, float], seeded_from_ms: int | None, *, provisional: bool = False
) -> Fired:
    """The notification of an alert that just fired on `bar`, having `seen` these values."""
    command = alert.command
    return Fired(
        fired_id=f"{command.alert_id}:{alert.generation}:{bar.open_time_ms}:{alert.fires}",
        alert_id=command.alert_id,
        user_id=command.user_id,
        symbol=command.symbol,
        bar=bar,
        generation=alert.generation,
        frequency=command.frequency,
        fire_number=alert.fires,
        values=seen,
        message=command.message if alert.message is None else alert.message.text(command, bar, seen),
        tags=command.tags,
        provisional=provisional,
        seeded_from_ms=seeded_from_ms,
    )


def stale(command: GroupCommand, generation: int) -> StaleCommand:
    """The answer to a command older than `generation`."""
    return StaleCommand(
        group_id=command.group_id,
        generation=generation,
        bot_id=command.bot_id,
        user_id=command.user_id,
        symbol=command.symbol,
        stale_generation=command.generation,
    )


def event(
    name: EventName,
    command: GroupCommand | AlertCommand,
    generation: int,
    at_ms: int,
    *,
    once: str = "",
    reason: str = "",
    field: str | None = None,
    detail: dict[str, str | int | float | None] | None = None,
) -> BotEvent:
    """An event about a group's bot, or about an alert. `once` sets repeats of one name in one generation apart."""
    is_group = isinstance(command, GroupCommand)
    key = command.group_id if isinstance(command, GroupCommand) else command.alert_id
    return BotEvent(
        event_id=f"{key}:{generation}:{name}{once}",
        event=name,
        subject=command.bot_id if isinstance(command, GroupCommand) else command.alert_id,
        at_ms=at_ms,
        bot_id=command.bot_id if isinstance(command, GroupCommand) else None,
        user_id=command.user_id,
        symbol=command.symbol,
        group_id=key if is_group else None,
        alert_id=None if is_group else key,
        reason=reason,
        field=field,
        detail=detail or {},
    )


def suppressed(command: GroupCommand | AlertCommand, generation: int, open_time_ms: int) -> BotEvent:
    """A gap before the bar that opened then made what was known unknown: silence has a reason."""
    reason = "bars are missing: conditions on them are unknown and fire nothing until clean"
    return event(
        "suppressed", command, generation, open_time_ms, once=f":{open_time_ms}", reason=reason
    )  # fmt: skip


def market_event(
    name: EventName, symbol: str, at_ms: int, reason: str, detail: dict[str, str | int | float | None]
) -> BotEvent:
    """An event about a symbol's candles."""
    return BotEvent(
        event_id=f"{symbol}:{name}:{at_ms}", event=name, subject=symbol, at_ms=at_ms, symbol=symbol, reason=reason,
        detail=detail,
    )  # fmt: skip
