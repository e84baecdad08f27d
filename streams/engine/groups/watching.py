"""Who watches the network: groups and alerts from when they see bars, what wakes them, and what fires at a moment."""

from collections.abc import Callable, Iterable
from heapq import heappop, heappush
from itertools import count
from typing import TypeAlias

from streams.engine.conditions.comparisons import Moment
from streams.engine.conditions.truth import Truth
from streams.engine.groups.group import Group, Watch
from streams.engine.groups.notify import NEVER, Alert
from streams.engine.market.operands import NEVER_MS
from streams.engine.network.network import Network
from streams.engine.network.predicates import Node

Unit: TypeAlias = Group | Alert
Hit: TypeAlias = Watch | Alert


class Watching:
    """`changed` is told of units whose row must be written. Units wait until a bar that they see, then they watch."""

    def __init__(self, network: Network, changed: Callable[[Unit], None]) -> None:
        self._network = network
        self._changed = changed
        self._serial = count()
        self._waiting: list[tuple[int, int, Unit]] = []
        self._wakes: list[tuple[int, int, Alert]] = []
        self._expiries: list[tuple[int, int, Alert]] = []
        self.on_tick: dict[Alert, None] = {}
        """Alerts that watch, or will from their first bar on, and count updates of forming bars."""

    def begin(self, unit: Unit, *, saw_a_bar: bool) -> None:
        """Let `unit`, whose nodes are acquired, watch: at once if it has seen a bar, else from its first one on."""
        if isinstance(unit, Alert) and unit.command.expires_at_ms is not None:
            heappush(self._expiries, (unit.command.expires_at_ms, next(self._serial), unit))
        if isinstance(unit, Alert) and unit.on_tick:
            self.on_tick[unit] = None
        if not saw_a_bar:
            heappush(self._waiting, (unit.armed_from_ms, next(self._serial), unit))
            return
        moment = self._network.moment
        for watcher, node in watchers(unit):
            node.join(None)
            node.watch(watcher)
            if moment is not None and moment.before_ms < unit.armed_from_ms:
                self._network.tell_again(node)
        if isinstance(unit, Alert):
            self._sleep(unit)

    def end(self, unit: Unit, now_ms: int) -> None:
        """Let `unit` watch no more, and give its nodes back. What waits for it in a queue is passed over later."""
        for watcher, node in watchers(unit):
            node.unwatch(watcher)
            self._network.release(node, now_ms)
        if isinstance(unit, Alert):
            self.on_tick.pop(unit, None)
            if unit.message is not None:
                unit.message.release(now_ms)
                unit.message = None
            unit.node = None
            unit.wake_ms = NEVER
        else:
            unit.watches = []

    @property
    def waits_for_ms(self) -> int:
        """Open time of the first bar that a waiting unit sees."""
        return self._waiting[0][0] if self._waiting else NEVER_MS

    @property
    def wake_ms(self) -> int:
        """When an alert must be looked at although nothing changed."""
        return self._wakes[0][0] if self._wakes else NEVER_MS

    @property
    def expires_ms(self) -> int:
        """When the next alert's time is over."""
        return self._expiries[0][0] if self._expiries else NEVER_MS

    def expired(self, now_ms: int) -> list[Alert]:
        """Alerts whose time is over by `now_ms`, each once."""
        over = []
        while self._expiries and self._expiries[0][0] <= now_ms:
            alert = heappop(self._expiries)[2]
            if alert.node is not None:
                over.append(alert)
        return over

    def noticed(self, alert: Alert) -> None:
        """It was told of a forming bar's update: its row may have to be written, its wake-up may have moved."""
        self._after(alert)

    def notice(self, flipped: Iterable[Node], moment: Moment) -> list[Hit]:
        """What fires at a bar, after the network stepped: by changes, by time, and because it is the first one seen."""
        now_ms = moment.now_ms
        hits: list[Hit] = []
        for node in flipped:
            truth = node.truth
            for watcher in node.watchers:
                if watcher.notice(truth, now_ms):
                    hits.append(watcher)
                self._after(watcher)
        for alert, node in self._woken(now_ms) if self._wakes else ():
            if alert.notice(node.truth, now_ms):
                hits.append(alert)
            self._after(alert)
        while self._waiting and self._waiting[0][0] <= moment.open_time_ms:
            unit = heappop(self._waiting)[2]
            for watcher, node in watchers(unit):
                # Before it is watched: what it becomes by being asked is told here, and is no flip.
                truth = self._first_truth(unit, node, moment)
                node.watch(watcher)
                if watcher.notice(truth, now_ms):
                    hits.append(watcher)
                self._after(watcher)
        for trail in self._network.trails.moved():
            for watcher in trail.watchers:
                self._changed(watcher.group if type(watcher) is Watch else watcher)
        return hits

    def notice_stand_in(self, moment: Moment) -> list[Hit]:
        """What fires at a bar that a tick stands in for: only `at` counts, everything else is unknown there."""
        candidates: dict[Hit, Node] = {}
        for node in self._network.due_instants(moment.now_ms):
            candidates.update((watcher, node) for watcher in node.watchers)
        for entry in self._waiting:
            if entry[0] <= moment.open_time_ms:
                candidates.update(watchers(entry[2]))
        woken = self._woken(moment.now_ms)
        candidates.update(woken)
        hits: list[Hit] = []
        for watcher, node in candidates.items():
            unit = watcher.group if isinstance(watcher, Watch) else watcher
            truth = node.decide(moment.since(unit.armed_from_ms))
            if truth is None:
                continue
            if watcher.notice(truth, moment.now_ms):
                hits.append(watcher)
            self._after(watcher)
        for alert, _ in woken:
            self._sleep(alert)
        return hits

    def _first_truth(self, unit: Unit, node: Node, moment: Moment) -> Truth:
        """At the first bar a unit sees: after a hole in the candles, a schedule's instants before it do not count."""
        truth = node.join(moment)
        if moment.before_ms >= unit.armed_from_ms:
            return truth
        self._network.tell_again(node)
        return node.decide(moment.since(unit.armed_from_ms))

    def _after(self, watcher: Hit) -> None:
        if type(watcher) is Watch:
            if not watcher.group.stored:
                self._changed(watcher.group)
        elif isinstance(watcher, Alert):
            if not watcher.stored:
                self._changed(watcher)
            self._sleep(watcher)

    def _sleep(self, alert: Alert) -> None:
        if alert.wake_ms not in (NEVER, alert.queued_ms):
            alert.queued_ms = alert.wake_ms
            heappush(self._wakes, (alert.wake_ms, next(self._serial), alert))

    def _woken(self, now_ms: int) -> list[tuple[Alert, Node]]:
        """Alerts whose time has come; not those that were put in the queue for what is not so any more."""
        woken = []
        while self._wakes and self._wakes[0][0] <= now_ms:
            due_ms, _, alert = heappop(self._wakes)
            if alert.queued_ms == due_ms:
                alert.queued_ms = NEVER
            if alert.wake_ms == due_ms and alert.node is not None:
                woken.append((alert, alert.node))
        return woken


def watchers(unit: Unit) -> list[tuple[Hit, Node]]:
    """What of `unit` watches which node; nothing where it is neither armed nor active."""
    if isinstance(unit, Alert):
        return [(unit, unit.node)] if unit.node is not None else []
    return [(watch, watch.node) for watch in unit.watches]
