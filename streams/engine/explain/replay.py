"""One command in the engine of its own, run over the records of its symbol up to a bar, and watched there."""

from collections.abc import Sequence
from typing import NamedTuple

from msgspec.structs import replace

from schemas.alerts import AlertCommand
from schemas.events import BotEvent
from schemas.market import Kline, Tick
from schemas.triggers import Fired, Trigger
from streams.engine.conditions.comparisons import Moment
from streams.engine.conditions.truth import Truth
from streams.engine.errors import WrongInterval
from streams.engine.explain.candidates import Candidate
from streams.engine.explain.target import Record, Target
from streams.engine.groups.group import Watch
from streams.engine.groups.notify import Alert
from streams.engine.groups.reports import Output
from streams.engine.groups.watching import Hit, Unit, watchers
from streams.engine.market.market import Market
from streams.engine.network.predicates import Node
from streams.engine.symbol import SymbolEngine


class State(NamedTuple):
    """What of an alert or member decides whether a true condition fires."""

    unit: str
    known: Truth
    armed: bool
    fires: int = 0
    fired_ms: int | None = None
    true_since_ms: int | None = None


class Seen(NamedTuple):
    """A bar as the alert saw it. `said`: what came of the bar; `earlier`: what came of the bars before it.

    `moment` None: the command was refused, so there was nothing to run.
    """

    unit: Unit
    watcher: Hit | None
    node: Node | None
    moment: Moment | None
    before: State
    after: State
    said: list[Output]
    earlier: list[Trigger | Fired | BotEvent]


class Replay:
    """The evaluator's engine, market and all, with one command and nothing else on it."""

    def __init__(self, market: Market, candidate: Candidate, alert_id: str) -> None:
        self.market = market
        self._engine = SymbolEngine(market.symbol, market)
        self._pos = -1
        command = candidate.command
        if isinstance(command, AlertCommand):
            since = candidate.given_ms if command.effective_from_ms is None else command.effective_from_ms
            self._earlier = self._engine.on_alert(command, candidate.generation, since)
        else:
            self._earlier = self._engine.on_command(command, -1)
        unit = self._engine.unit(candidate.name)
        assert unit is not None  # whatever became of it, it has been put in
        self._unit = unit
        self._watcher: Hit | None = None
        self._node: Node | None = None
        for watcher, node in watchers(unit):
            if _name(watcher) == alert_id:
                self._watcher, self._node = watcher, node
        if self._node is not None:
            # Held for good: it is asked after the alert has fired and given it back.
            self._node.refs += 1
        self._true_since_ms: int | None = None

    def run(self, records: Sequence[Record], target: Target) -> Seen:
        """Apply the records up to the target's bar; what came of it."""
        for record in records[: target.record]:
            self._earlier += self._apply(record)
            self._note()
        before = self._state()
        said = self._reach(records[target.record], target)
        moment = self._moment(target)
        earlier = [one for one in self._earlier if isinstance(one, Trigger | Fired | BotEvent)]
        self._note()
        return Seen(self._unit, self._watcher, self._node, moment, before, self._state(), said, earlier)

    def _reach(self, record: Record, target: Target) -> list[Output]:
        """Bring the target's bar; those filled before it one by one, so that each is a record of its own."""
        if isinstance(record, Tick):
            return self._apply(record)
        if not record.closed:
            return self._apply(record)
        tape, said = self.market.tape, list[Output]()
        missing = (record.open_time_ms - tape.expected_ms) // tape.step_ms if self.market.next else 0
        if not 0 < missing <= self.market.fill_up_to:
            return self._apply(record)
        while tape.expected_ms <= target.open_time_ms:
            self._earlier += said
            real = tape.expected_ms == record.open_time_ms
            said = self._apply(record if real else _flat(record, tape.expected_ms, tape.last_close()))
        return said

    def _apply(self, record: Record) -> list[Output]:
        self._pos += 1
        if isinstance(record, Tick):
            return self._engine.on_tick(record, self._pos)
        try:
            return self._engine.on_kline(record, self._pos)
        except WrongInterval:
            return []

    def _moment(self, target: Target) -> Moment | None:
        """The bar as the unit saw it: instants of a schedule before it was armed are none of its business."""
        moment = self._engine.stood_in if target.stand_in else self._engine.moment
        return None if moment is None else moment.since(self._unit.armed_from_ms)

    def _note(self) -> None:
        """Since when a member's condition has been true; an alert keeps that itself."""
        if isinstance(self._watcher, Watch):
            known, moment = self._watcher.known, self._engine.moment
            if not known:
                self._true_since_ms = None
            elif self._true_since_ms is None and moment is not None:
                self._true_since_ms = moment.close_ms

    def _state(self) -> State:
        unit = self._unit
        if isinstance(unit, Alert):
            fired_ms = unit.fired_ms if unit.fires else None
            since = unit.run_ms if unit.run_ms >= 0 else None
            return State(unit.state, unit.seen, unit.armed, unit.fires, fired_ms, since)
        if not isinstance(self._watcher, Watch):
            return State(unit.state, None, False)
        known = self._watcher.known
        armed = unit.state == "armed" and (known is False or (known is None and self._watcher.fires_at_once))
        return State(unit.state, known, armed, true_since_ms=self._true_since_ms)


def _name(watcher: Hit) -> str:
    return watcher.key if isinstance(watcher, Alert) else watcher.member.alert_id


def _flat(like: Kline, open_time_ms: int, price: float) -> Kline:
    return replace(
        like, open_time_ms=open_time_ms, open=price, high=price, low=price, close=price, volume=0.0
    )
