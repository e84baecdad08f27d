"""What fires becomes a message, and what fired is held, re-armed or done. Also: what a unit missed before it came."""

from itertools import chain

from schemas.triggers import Bar
from streams.engine.conditions.comparisons import Moment
from streams.engine.groups import reports
from streams.engine.groups.group import Group, Watch
from streams.engine.groups.notify import Alert
from streams.engine.groups.register import Register
from streams.engine.groups.reports import Output
from streams.engine.groups.watching import Hit, Unit, Watching, watchers
from streams.engine.market.market import Market
from streams.engine.network.moments import Moments


class Firing:
    """Shared by live bars and late commands, so that both make the same messages."""

    def __init__(self, market: Market, moments: Moments, watching: Watching, register: Register) -> None:
        self._market = market
        self._moments = moments
        self._watching = watching
        self._register = register

    def fire(self, hits: list[Hit], moment: Moment) -> list[Output]:
        """The messages of what fired at one moment, groups first, each kind by name."""
        bar = self._moments.bar(moment)
        groups: dict[Group, list[Watch]] = {}
        alerts: list[Alert] = []
        for hit in hits:
            if isinstance(hit, Watch):
                groups.setdefault(hit.group, []).append(hit)
            else:
                alerts.append(hit)
        outputs = [self._trigger(group, groups[group], bar, moment) for group in sorted(groups, key=_key)]
        return outputs + [self._fired(alert, bar, moment) for alert in sorted(alerts, key=_key)]

    def expire(self, moment: Moment) -> list[Output]:
        """Events of alerts whose time is over at `moment`: it comes before their conditions."""
        now_ms = moment.now_ms
        if self._watching.expires_ms > now_ms:
            return []
        return [self._expired(alert, now_ms) for alert in self._watching.expired(now_ms)]

    def late(self, unit: Unit) -> tuple[list[Output], bool]:
        """Evaluate what `unit` missed, by the definition. What came of it, and whether it saw a bar at all."""
        outputs: list[Output] = []
        saw_a_bar = False
        expires_ms = unit.command.expires_at_ms if isinstance(unit, Alert) else None
        for moment in self._moments.since(unit.armed_from_ms):
            if isinstance(unit, Alert) and expires_ms is not None and expires_ms <= moment.now_ms:
                break
            saw_a_bar |= not moment.stand_in
            before = self._moments.before_gap(moment)
            if (
                before is not None
                and before.open_time_ms >= unit.armed_from_ms
                and _lost(unit, before, moment)
            ):
                outputs.append(reports.suppressed(unit.command, unit.generation, moment.open_time_ms))
            if hits := _noticed(unit, moment):
                outputs += self.fire(hits, moment)
            if unit.state not in {"armed", "active"}:
                return outputs, saw_a_bar
        if isinstance(unit, Alert) and expires_ms is not None and expires_ms <= self._moments.now_ms:
            outputs.append(self._expired(unit, self._moments.now_ms))
        return outputs, saw_a_bar

    def _trigger(self, group: Group, hits: list[Watch], bar: Bar, moment: Moment) -> Output:
        seeded = seeded_from_ms(group)
        message = reports.trigger(group.command, hits, bar, moment, seeded)
        group.state = "held"
        self._watching.end(group, moment.now_ms)
        self._register.changed(group)
        return message

    def provisional(self, alert: Alert, bar: Bar, seen: dict[str, float]) -> Output:
        """The message of an alert that fired on a bar still forming. Event time goes on only when that closes."""
        message = reports.fired(alert, bar, seen, seeded_from_ms(alert), provisional=True)
        self._after(alert, self._moments.now_ms)
        return message

    def _fired(self, alert: Alert, bar: Bar, moment: Moment) -> Output:
        node = alert.node
        assert node is not None  # it would not have been noticed
        told = {} if alert.message is None else alert.message.values(moment)
        # What decided comes last: where both tell of an operand, that is what it was worth.
        seen = told | reports.values((node,), moment, bar.interval)
        message = reports.fired(alert, bar, seen, seeded_from_ms(alert))
        self._after(alert, moment.now_ms)
        return message

    def _after(self, alert: Alert, now_ms: int) -> None:
        if alert.state == "removed":
            self._watching.end(alert, now_ms)
            self._register.removed(alert, now_ms)
        else:
            self._register.changed(alert)

    def _expired(self, alert: Alert, now_ms: int) -> Output:
        self._watching.end(alert, now_ms)
        self._register.removed(alert, now_ms)
        at_ms, reason = alert.command.expires_at_ms or 0, "its expires_at_ms has passed"
        return reports.event("expired", alert.command, alert.generation, at_ms, reason=reason)


def seeded_from_ms(unit: Unit) -> int | None:
    """Where the operands of `unit` begin, if not at the symbol's origin: the latest of the places."""
    asked = (slot for _, node in watchers(unit) for slot in node.slots())
    slots = chain(asked, unit.message.slots if isinstance(unit, Alert) and unit.message is not None else ())
    return max((ms for slot in slots if (ms := slot.seeded_from_ms) is not None), default=None)


def _key(unit: Unit) -> str:
    return unit.key


def _lost(unit: Unit, before: Moment, moment: Moment) -> bool:
    """Whether something of it was known at one moment and is not at the other."""
    return any(node.decide(before) is not None and node.decide(moment) is None for _, node in watchers(unit))


def _noticed(unit: Unit, moment: Moment) -> list[Hit]:
    hits: list[Hit] = []
    for watcher, node in watchers(unit):
        truth = node.decide(moment.since(unit.armed_from_ms))
        if truth is None and moment.stand_in:
            continue
        if watcher.notice(truth, moment.now_ms):
            hits.append(watcher)
    return hits
