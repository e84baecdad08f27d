"""Rows → groups and alerts that watch again: each from the first record after the last one its row knows of."""

from collections.abc import Iterable

from streams.engine.groups.arming import conditions_of
from streams.engine.groups.commands import Commands
from streams.engine.groups.group import Group, Watch
from streams.engine.groups.notify import Alert
from streams.engine.groups.register import Register
from streams.engine.groups.trailing import restore_trails
from streams.engine.groups.unit_rows import (
    AlertBody,
    GroupBody,
    alert_of,
    group_of,
    known_of,
    read_row,
)
from streams.engine.groups.watching import Unit, Watching, watchers
from streams.engine.market.market import Market
from streams.engine.network.moments import Moments
from streams.engine.network.network import Network


class Recovery:
    """Restored units sleep while records come that their rows have folded in already (law 10)."""

    def __init__(
        self,
        market: Market,
        moments: Moments,
        network: Network,
        watching: Watching,
        register: Register,
        commands: Commands,
    ) -> None:
        self._market = market
        self._moments = moments
        self._network = network
        self._watching = watching
        self._register = register
        self._commands = commands
        self._asleep: list[Unit] = []

    def load(self, rows: Iterable[bytes], stand_ins: bytes) -> None:
        """Take in all rows of the symbol, in any order. Raises NeedsHistory where an operand must be computed anew."""
        bodies = [read_row(body) for body in rows if body]
        self._moments.again(stand_ins)
        newest = self._moments.newest()
        if newest is not None:
            self._network.resync(newest)
        for body in bodies:
            self._enter(body)
        if self._moments.stand_in is not None:
            # What came due on a stand-in was shown there, and is not due again at the next bar.
            self._network.due_instants(self._moments.stand_in.now_ms)
        self._asleep.sort(key=lambda unit: unit.pos, reverse=True)

    @property
    def asleep(self) -> bool:
        """Whether some units still sleep."""
        return bool(self._asleep)

    def wake(self, pos: int) -> None:
        """Before the record at `pos` is folded in: let those watch that do not know of it."""
        asleep = self._asleep
        while asleep and asleep[-1].pos < pos:
            self._begin(asleep.pop())

    def _enter(self, body: GroupBody | AlertBody) -> None:
        unit: Unit = group_of(body) if isinstance(body, GroupBody) else alert_of(body)
        self._register.restored(unit)
        if unit.state not in {"armed", "active"}:
            return
        self._commands.acquire(unit, conditions_of(unit.command, self._market.interval))
        if isinstance(unit, Group) and isinstance(body, GroupBody):
            for watch, known in zip(unit.watches, known_of(body), strict=True):
                watch.known = known
        restore_trails(unit, body.trails)
        self._asleep.append(unit)

    def _begin(self, unit: Unit) -> None:
        """What the row left to the bars: truths at the last bar, where they are known."""
        last, stand_in = self._network.moment, self._moments.stand_in
        saw_a_bar = last is not None and last.open_time_ms >= unit.armed_from_ms
        saw_a_stand_in = stand_in is not None and stand_in.open_time_ms >= unit.armed_from_ms
        for watcher, node in watchers(unit):
            truth = node.truth if saw_a_bar else None
            if stand_in is not None and saw_a_stand_in:
                # What is unknown on a stand-in stays as the bar before it left it.
                shown = node.decide(stand_in.since(unit.armed_from_ms))
                truth = truth if shown is None else shown
            if isinstance(watcher, Alert) and (saw_a_bar or truth is not None):
                watcher.derive(truth, self._moments.now_ms)
            elif isinstance(watcher, Watch) and truth is not None:
                watcher.known = truth
        if watchers(unit):
            self._watching.begin(unit, saw_a_bar=saw_a_bar)
