"""The trails among what groups and alerts watch: where they start, what triggers tell of them, what rows keep."""

from typing import TypeAlias

from schemas.alerts import TrailState
from schemas.conditions import Trail
from streams.engine.conditions.comparisons import Moment
from streams.engine.conditions.truth import Truth
from streams.engine.groups.group import Group, Watch
from streams.engine.groups.notify import Alert
from streams.engine.network.predicates import Node
from streams.engine.network.trails import TrailNode, Walk
from streams.engine.trail import Meeting, start_of

TrailRow: TypeAlias = tuple[bool, float | None, Truth]
"""(active, extreme, whether the last bar met it): bars that were dropped cannot tell it again."""


def walk_of(unit: Group | Alert) -> Walk:
    """How bars are walked for `unit`; what has no side walks `ohlc` (law 8)."""
    if isinstance(unit, Alert):
        return Walk(None, "ohlc")
    return Walk(unit.command.side, unit.command.intrabar)


def start_at(unit: Group | Alert, place: int, trail: Trail) -> TrailState:
    """The state in which the command arms the trail of its member at `place`; that of a new one where it has none."""
    told = None if isinstance(unit, Alert) else unit.command.members[place].trail
    return start_of(trail) if told is None else told


def states_before(group: Group, moment: Moment) -> dict[str, TrailState]:
    """Every trail of `group` as it stood before the bar of `moment`, by alert_id."""
    return {
        watch.member.alert_id: watch.node.before(moment)
        for watch in group.watches
        if isinstance(watch.node, TrailNode)
    }


def meetings(hits: list[Watch]) -> dict[str, Meeting]:
    """Where the path met the trails among members that fired, by alert_id."""
    return {
        hit.member.alert_id: hit.node.met
        for hit in hits
        if isinstance(hit.node, TrailNode) and hit.node.met is not None
    }


def trail_rows(unit: Group | Alert) -> list[TrailRow]:
    """What the row of `unit` keeps of its trails, in the order of its members."""
    return [(node.state.active, node.state.extreme, node.truth) for node in _trails(unit)]


def restore_trails(unit: Group | Alert, rows: list[TrailRow]) -> None:
    """Take back what the row kept, before `unit` sees another bar."""
    for node, (active, extreme, truth) in zip(_trails(unit), rows, strict=True):
        node.restore(TrailState(active=active, extreme=extreme), truth)


def _trails(unit: Group | Alert) -> list[TrailNode]:
    nodes: list[Node | None] = [unit.node] if isinstance(unit, Alert) else [one.node for one in unit.watches]
    return [node for node in nodes if isinstance(node, TrailNode)]
