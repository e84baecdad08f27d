"""Commands: arm, remove, or neither, by generation (law 9)."""

from collections import Counter

from schemas.alerts import AlertCommand, GroupCommand
from schemas.conditions import Condition, ConditionError, Trail
from schemas.events import BotEvent
from schemas.limits import Limits
from streams.engine.bars import BarArrays
from streams.engine.errors import NeedsHistory
from streams.engine.groups import reports
from streams.engine.groups.arming import conditions_of, first_bar_ms, message_of
from streams.engine.groups.combinations import refuse_contradictions, refuse_excess
from streams.engine.groups.firing import Firing, seeded_from_ms
from streams.engine.groups.group import Group, Watch
from streams.engine.groups.message import Message
from streams.engine.groups.notify import Alert
from streams.engine.groups.register import Register
from streams.engine.groups.reports import Output
from streams.engine.groups.trailing import start_at, walk_of
from streams.engine.groups.unit_rows import MAX_BODY, alert_row, group_row
from streams.engine.groups.watching import Unit, Watching, watchers
from streams.engine.market.market import Market
from streams.engine.network.moments import Moments
from streams.engine.network.network import Network
from streams.engine.network.predicates import Node


class Commands:
    """Enters groups and alerts, evaluates what they missed, and lets them watch."""

    def __init__(
        self,
        market: Market,
        moments: Moments,
        network: Network,
        watching: Watching,
        register: Register,
        firing: Firing,
        counters: Counter[str],
    ) -> None:
        self._market = market
        self._moments = moments
        self._network = network
        self._watching = watching
        self._register = register
        self._firing = firing
        self._counters = counters

    def group(self, command: GroupCommand, pos: int) -> list[Output]:
        """Arm, replace or remove a group; an older command is answered, an equal one counted."""
        held = self._register.units.get(command.group_id)
        if held is not None:
            if command.generation == held.generation:
                self._counters["duplicate_command"] += 1
                return []
            if command.generation < held.generation:
                self._counters["stale_command"] += 1
                return [reports.stale(command, held.generation)]
            self._watching.end(held, self._now_ms)
        group = Group(command, pos)
        if command.op == "remove":
            return self._remove(group)
        return self._arm(group)

    def alert(
        self,
        command: AlertCommand,
        generation: int,
        effective_from_ms: int,
        pos: int,
        limits: Limits | None = None,
    ) -> list[Output]:
        """Take in a user's alert, or its removal. One beyond its user's `limits` is refused."""
        held = self._register.units.get(command.alert_id)
        if held is not None:
            if generation <= held.generation:
                self._counters["duplicate_command"] += 1
                return []
            if held.state != "removed" and held.command.user_id != command.user_id:
                self._counters["rejected"] += 1
                reason = "another user has an alert of this name on this symbol"
                since = first_bar_ms(effective_from_ms, self._market.interval)
                detail = self._as_of(held)
                return [
                    reports.event(
                        "rejected", command, generation, since, reason=reason, field="alert_id", detail=detail
                    )
                ]
            self._watching.end(held, self._now_ms)
        alert = Alert(command, generation, first_bar_ms(effective_from_ms, self._market.interval), pos)
        if command.state == "deleted":
            return self._remove(alert)
        return self._arm(alert, limits)

    def acquire(self, unit: Unit, conditions: list[Condition]) -> None:
        """Give `unit` the nodes of its conditions, and an alert the operands of its message. Raises ConditionError or
        NeedsHistory, holding nothing.
        """
        nodes: list[Node] = []
        done = False
        try:
            for place, condition in enumerate(conditions):
                nodes.append(self._node(unit, place, condition))
            message = self._message(unit.command) if isinstance(unit, Alert) else None
            done = True
        finally:
            if not done:
                for node in nodes:
                    self._network.release(node, self._now_ms)
        if isinstance(unit, Alert):
            unit.node, unit.message = nodes[0], message
        else:
            members = zip(unit.command.members, nodes, strict=True)
            unit.watches = [Watch(unit, member, node) for member, node in members]

    def _node(self, unit: Unit, place: int, condition: Condition) -> Node:
        if isinstance(condition, Trail):
            return self._network.trails.acquire(condition, walk_of(unit), start_at(unit, place, condition))
        return self._network.acquire(condition)

    def _message(self, command: AlertCommand) -> Message | None:
        pieces = message_of(command, self._market.interval)
        return Message(self._market, pieces) if pieces else None

    def unanswered(self, group_id: str, open_time_ms: int) -> BotEvent:
        """A held group's event: bars go on although its trigger was not answered."""
        unit = self._register.units[group_id]
        reason = "its trigger was not answered in time: bars go on, and the group fires nothing until it is"
        trigger_id = reports.trigger_id(group_id, unit.generation, open_time_ms)
        detail: dict[str, str | int | float | None] = {"trigger_id": trigger_id}
        return reports.event(
            "held", unit.command, unit.generation, open_time_ms, reason=reason, detail=detail
        )

    def needs_history(self, command: GroupCommand | AlertCommand) -> bool:
        """Whether bars before the first one kept must be loaded before this command can be taken in."""
        if not self._market.next or self._is_no_arming(command):
            return False
        if isinstance(command, GroupCommand) and self._moments.gone_before(command.armed_from_ms) is not None:
            return True
        since = command.effective_from_ms if isinstance(command, AlertCommand) else None
        if (
            since is not None
            and self._moments.gone_before(first_bar_ms(since, self._market.interval)) is not None
        ):
            return True
        try:
            for condition in conditions_of(command, self._market.interval):
                if isinstance(condition, Trail):
                    continue  # it needs the bars since it was armed, and nothing before
                self._network.release(self._network.acquire(condition), self._now_ms)
            message = self._message(command) if isinstance(command, AlertCommand) else None
            if message is not None:
                message.release(self._now_ms)
        except NeedsHistory:
            return True
        except ConditionError:
            return False
        return False

    def _is_no_arming(self, command: GroupCommand | AlertCommand) -> bool:
        if isinstance(command, AlertCommand):
            return command.state == "deleted"
        held = self._register.units.get(command.group_id)
        return command.op == "remove" or (held is not None and command.generation <= held.generation)

    @property
    def _now_ms(self) -> int:
        return max(self._moments.now_ms, 0)

    def _remove(self, unit: Unit) -> list[Output]:
        self._register.put(unit)
        self._register.removed(unit, self._now_ms)
        return [reports.event("removed", unit.command, unit.generation, self._now_ms)]

    def _arm(self, unit: Unit, limits: Limits | None = None) -> list[Output]:
        try:
            conditions = conditions_of(unit.command, self._market.interval)
            if isinstance(unit, Alert):
                refuse_contradictions(unit.command, conditions[0])
                if limits is not None:
                    others = self._register.alerts_of(unit.command.user_id, unit.key)
                    pieces = message_of(unit.command, self._market.interval)
                    refuse_excess(limits, others, conditions[0], pieces)
            self._acquire_with_what_there_is(unit, conditions)
        except ConditionError as error:
            return self._refuse(unit, error.path, error.reason)
        row = alert_row(unit) if isinstance(unit, Alert) else group_row(unit)
        if len(row.body) > MAX_BODY:
            self._watching.end(unit, self._now_ms)
            return self._refuse(unit, "members", f"{len(row.body)} bytes as a row, {MAX_BODY} at most")
        self._register.put(unit)
        outputs = self._announce(unit)
        missed, saw_a_bar = self._firing.late(unit)
        self._counters["suppressed"] += sum(
            isinstance(one, BotEvent) and one.event == "suppressed" for one in missed
        )
        outputs += missed
        if unit.state in {"armed", "active"}:
            self._watching.begin(unit, saw_a_bar=saw_a_bar)
            outputs += self._warming(unit)
        return outputs

    def _acquire_with_what_there_is(self, unit: Unit, conditions: list[Condition]) -> None:
        try:
            self.acquire(unit, conditions)
        except NeedsHistory:
            # The caller had none to load: operands begin at the earliest bar there is, and are marked as such.
            self._market.load_history(BarArrays.empty())
            self.acquire(unit, conditions)

    def _refuse(self, unit: Unit, field: str, reason: str) -> list[Output]:
        self._counters["rejected"] += 1
        self._register.put(unit)
        self._register.removed(unit, self._now_ms)
        since, detail = unit.armed_from_ms, self._as_of(unit)
        return [
            reports.event(
                "rejected", unit.command, unit.generation, since, reason=reason, field=field, detail=detail
            )
        ]

    def _as_of(self, unit: Unit) -> dict[str, str | int | float | None]:
        """How far a symbol's event time was when a user's command came: what it replaced fired until then, and no topic
        tells else. A group needs none, for what fired under a replaced generation is not applied.
        """
        return {"as_of_ms": self._now_ms} if isinstance(unit, Alert) else {}

    def _announce(self, unit: Unit) -> list[Output]:
        since = unit.armed_from_ms
        detail: dict[str, str | int | float | None] = {"armed_from_ms": since, "generation": unit.generation}
        detail |= self._as_of(unit)
        seeded = seeded_from_ms(unit)
        if seeded is not None:
            detail["seeded_from_ms"] = seeded
        outputs: list[Output] = [reports.event("armed", unit.command, unit.generation, since, detail=detail)]
        kept_ms = self._moments.gone_before(since) if self._market.next else None
        if kept_ms is not None:
            self._counters["armed_late"] += 1
            gone: dict[str, str | int | float | None] = {"from_ms": since, "to_ms": kept_ms}
            reason = "the bars between are gone for good"
            late = reports.event(
                "armed_late", unit.command, unit.generation, since, reason=reason, detail=gone
            )
            outputs.append(late)
        return outputs

    def _warming(self, unit: Unit) -> list[Output]:
        moment = self._network.moment
        if moment is None:
            reason = "no bar of this symbol is known yet"
        else:
            base = self._market.interval
            unknown = [
                text
                for _, node in watchers(unit)
                if node.truth is None
                for comparison in node.comparisons()
                for text in comparison.unknown(moment, base)
            ]
            if not unknown:
                return []
            reason = "not ready: " + ", ".join(dict.fromkeys(unknown))
        return [reports.event("warming", unit.command, unit.generation, self._now_ms, reason=reason)]
