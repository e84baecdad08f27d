"""The next bar on which an armed group fires, found without looking at those between; and its trigger, as the evaluator
would have written it (laws 7 to 9).

A moment is a bar or a tick that stands in for one. In a hole ticks come first, bars that fill it come with the bar that
ends it: moments are ordered by (when they come, row).
"""

from functools import lru_cache
from typing import Any, Final, NamedTuple

import msgspec

from schemas.alerts import GroupCommand, Member, TrailState
from schemas.conditions import At, Condition, Level, Schedule, Trail, condition_from_json
from schemas.interval import grid
from schemas.triggers import Bar, FiredMember, Trigger
from streams.engine.backtest.candles import Candles
from streams.engine.backtest.edges import Edges
from streams.engine.backtest.extremes import Extremes
from streams.engine.backtest.operands import Operands
from streams.engine.backtest.trailing import Followed, follow_until
from streams.engine.backtest.truths import BarByBar, TruthTable, values_at
from streams.engine.conditions.cron import Instants
from streams.engine.conditions.resolve import resolve
from streams.engine.groups.path import in_path_order
from streams.engine.groups.reports import trigger_id
from streams.engine.trail import Meeting, start_of

STAND_IN: Final = -1
"""The row of a moment that is no bar."""


class When(NamedTuple):
    """A moment: when it comes, its row, and when its bar closes."""

    comes_ms: int
    row: int
    close_ms: int


NEVER: Final = When(1 << 62, 0, 0)


class Finder:
    """Over one symbol's candles. `find` raises BarByBar for what only an evaluator decides."""

    def __init__(self, candles: Candles, extremes: Extremes | None = None) -> None:
        self.candles = candles
        self.extremes = extremes or Extremes(candles.low, candles.high)
        self.operands = Operands(candles)
        self.truths = TruthTable(candles, self.operands)
        self._edges: dict[Condition, Edges] = {}

    def find(self, command: GroupCommand) -> tuple[When, Trigger] | None:
        """The one trigger that this generation fires, and when; None where it never does."""
        start = self.candles.row_from(command.armed_from_ms)
        conditions = [_condition(member, command.interval) for member in command.members]
        touched = self._touched(conditions, start)
        whens = [
            NEVER if isinstance(condition, Trail) else self._first(condition, member, command, start, touched)
            for condition, member in zip(conditions, command.members, strict=True)
        ]
        first = min(whens, default=NEVER)
        followed = self._followed(command, conditions, start, first)
        met = [self._at_row(one.row) for one in followed.values() if one.met is not None]
        first = min([first, *met])
        if first == NEVER:
            return None
        if len(followed) > 1 and met:
            # The others were followed past it.
            followed = self._followed(command, conditions, start, first)
        fired = [
            (member, condition)
            for member, condition, when in zip(command.members, conditions, whens, strict=True)
            if when == first or _met_at(followed.get(member.alert_id), first)
        ]
        return first, self._trigger(command, fired, followed, first)

    def _touched(self, conditions: list[Condition], start: int) -> int:
        """The first row at which any level is touched: of each side only the nearest is looked for."""
        prices: dict[str, list[float]] = {"below": [], "above": []}
        for condition in conditions:
            if isinstance(condition, Level):
                prices[condition.side].append(float(condition.price))
        row = len(self.candles)
        if prices["below"]:
            row = self.extremes.below(start, max(prices["below"]))
        return min(row, self.extremes.above(start, min(prices["above"]))) if prices["above"] else row

    def _first(
        self, condition: Condition, member: Member, command: GroupCommand, start: int, touched: int
    ) -> When:
        """When a member fires; a level that is not touched on the first row that touches one comes too late: NEVER."""
        match condition:
            case Level(price, side):
                return self._at_row(touched) if self._touches(touched, float(price), side) else NEVER
            case At(ms):
                return self._at_instant(ms, command.armed_from_ms)
            case Schedule():
                return self._scheduled(condition, command.armed_from_ms, member.when_true_at_arming == "fire")
            case _:
                return self._at_row(self._edge(condition, start, member.when_true_at_arming == "fire"))

    def _touches(self, row: int, price: float, side: str) -> bool:
        if row == len(self.candles):
            return False
        return bool(self.candles.low[row] <= price if side == "below" else self.candles.high[row] >= price)

    def _edge(self, condition: Condition, start: int, at_once: bool) -> int:
        edges = self._edges.get(condition)
        if edges is None:
            edges = self._edges[condition] = Edges(self.truths.of(condition))
        return edges.first(start, at_once=at_once)

    def _at_row(self, row: int) -> When:
        if row >= len(self.candles):
            return NEVER
        return When(self.candles.comes_ms(row), row, int(self.candles.open_ms[row]) + self.candles.step_ms)

    def _at_instant(self, ms: int, armed_from_ms: int) -> When:
        """The first moment at or after an instant, of those that a group armed from then sees."""
        length, shift = grid(self.candles.interval)
        seen = max(ms, armed_from_ms + length, int(self.candles.open_ms[0]) + length)
        close_ms = seen + (shift - seen) % length
        if close_ms > self.candles.ticks_until_ms:
            return NEVER
        row = self.candles.row_closing_at(close_ms)
        return When(close_ms, STAND_IN if row is None else row, close_ms)

    def _scheduled(self, schedule: Schedule, armed_from_ms: int, at_once: bool) -> When:
        """The first moment that an instant brings, if the moment before it had none: only false to true is an edge."""
        instants = _instants(schedule)
        first = self._at_instant(armed_from_ms, armed_from_ms)
        due = self._at_instant(instants.after(armed_from_ms), armed_from_ms)
        before = first.close_ms if due == first and not at_once else None
        while due != NEVER and due.close_ms == before:
            # True at the moment before as well: it must be false in between.
            before = due.close_ms + self.candles.step_ms
            due = self._at_instant(instants.after(due.close_ms), armed_from_ms)
        return due

    def _followed(
        self, command: GroupCommand, conditions: list[Condition], start: int, until: When
    ) -> dict[str, Followed]:
        """Every trail of the group up to the first moment at which something else fires, or to where it is met."""
        last = len(self.candles) - 1 if until == NEVER else self._newest(until)
        return {
            member.alert_id: follow_until(
                condition, member.trail or start_of(condition), self.candles, self.extremes, start, last,
                command.side, command.intrabar,
            )
            for member, condition in zip(command.members, conditions, strict=True)
            if isinstance(condition, Trail)
        }  # fmt: skip

    def _newest(self, when: When) -> int:
        """The newest row told of by then."""
        if when.row != STAND_IN:
            return when.row
        row = self.candles.row_from(when.close_ms) - 1
        while row in self.candles.is_filled:
            row -= 1  # they come later than the tick
        return row

    def _trigger(
        self,
        command: GroupCommand,
        fired: list[tuple[Member, Condition]],
        followed: dict[str, Followed],
        when: When,
    ) -> Trigger:
        stand_in = when.row == STAND_IN
        bar = self.candles.stand_in(when.close_ms) if stand_in else self.candles.bar(when.row)
        met = {name: one.met for name, one in followed.items() if one.met is not None and one.row == when.row}
        ordered = in_path_order(fired, bar, command.side, command.intrabar, met)
        members = [
            FiredMember(
                alert_id=member.alert_id,
                action=member.action,
                price=_price(condition, met.get(member.alert_id), bar),
            )
            for member, condition in ordered
        ]
        told = [
            condition for _, condition in ordered if not isinstance(condition, Level | At | Trail | Schedule)
        ]
        return Trigger(
            trigger_id=trigger_id(command.group_id, command.generation, bar.open_time_ms),
            group_id=command.group_id,
            generation=command.generation,
            bot_id=command.bot_id,
            user_id=command.user_id,
            symbol=command.symbol,
            bar=bar,
            action=members[0].action,
            fired=members,
            values=values_at(told, self.operands, when.row) if told and not stand_in else {},
            trails=self._states(command, followed, when),
        )

    def _states(
        self, command: GroupCommand, followed: dict[str, Followed], when: When
    ) -> dict[str, TrailState]:
        return {name: one.before(when.row, self._newest(when)) for name, one in followed.items()}


def _met_at(followed: Followed | None, when: When) -> bool:
    return followed is not None and followed.met is not None and followed.row == when.row


def _price(condition: Condition, met: Meeting | None, bar: Bar) -> float:
    if met is not None:
        return float(met.level)
    return float(condition.price) if isinstance(condition, Level) else bar.close


def _condition(member: Member, interval: str) -> Condition:
    raw: Any = member.condition
    if "level" in raw:
        return Level(raw["level"]["price"], raw["level"]["side"])
    return _resolved(msgspec.json.encode(raw), interval)


@lru_cache(maxsize=4096)
def _resolved(raw: bytes, interval: str) -> Condition:
    return resolve(condition_from_json(msgspec.json.decode(raw)), interval, interval)


@lru_cache(maxsize=256)
def _instants(schedule: Schedule) -> Instants:
    return Instants(schedule)


__all__ = ["STAND_IN", "BarByBar", "Finder", "When"]
