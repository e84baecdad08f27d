"""One symbol of a partition: its market, its engine, and what their rows must say besides."""

from dataclasses import dataclass, field, replace
from typing import Final

from schemas.alerts import AlertCommand, GroupCommand
from schemas.events import BotEvent
from schemas.limits import Limits
from schemas.market import Kline, Tick
from streams.engine.bars import BarArrays
from streams.engine.groups.reports import Output
from streams.engine.groups.unit_rows import AlertBody, GroupBody, read_row
from streams.engine.market.market import Market
from streams.engine.symbol import SymbolEngine
from streams.holds import Holds
from streams.rows import GroupEntry, Offsets, SymbolEntry, group_key

_MARK_EVERY: Final = 60
_MARKS: Final = 40
"""Marks reach 2,400 bars back; an anchor is at most 1,440 bars old."""


@dataclass(slots=True)
class Note:
    """What is known of one group outside the engine."""

    generation: int = -1
    command_offset: int = -1


@dataclass(slots=True)
class Seat:
    """`pos` is the offset of the last kline or tick that changed the market, -1 before the first."""

    symbol: str
    market: Market
    engine: SymbolEngine
    interval: str
    pos: int = -1
    origin_offset: int = -1
    notes: dict[str, Note] = field(default_factory=dict)
    marks: list[tuple[int, int]] = field(default_factory=list)
    holds: Holds = field(default_factory=Holds)
    bodies: dict[str, bytes] = field(default_factory=dict)
    """Engine rows of a symbol without bars yet, whose interval its first bar will tell."""
    pending: list[tuple[bytes, GroupEntry | None]] = field(default_factory=list)
    others: dict[str, SymbolEngine] = field(default_factory=dict)
    """By interval, engines of groups over other bars than `interval`, until the first bar tells who is right."""

    @classmethod
    def empty(cls, symbol: str, interval: str, fill_up_to: int = 5) -> "Seat":
        """A symbol of which nothing is known yet; up to `fill_up_to` missing bars will be filled (law 4)."""
        market = Market(symbol, interval, fill_up_to=fill_up_to)
        return cls(symbol, market, SymbolEngine(symbol, market), interval)

    @classmethod
    def barless(cls, symbol: str, bodies: dict[str, bytes], fill_up_to: int = 5) -> "Seat":
        """A symbol without bars whose groups and alerts these are, by name."""
        groups: dict[str, list[bytes]] = {}
        alerts: list[bytes] = []
        for body in bodies.values():
            row = read_row(body)
            if isinstance(row, GroupBody):
                groups.setdefault(row.command.interval, []).append(body)
            else:
                alerts.append(body)
        interval = "1m" if alerts or not groups else next(iter(groups))
        engines = {
            each: SymbolEngine.restore(
                symbol,
                Market(symbol, each, fill_up_to=fill_up_to),
                groups.get(each, []) + alerts * (each == interval),
            )
            for each in {interval: None, **groups}
        }
        engine = engines.pop(interval)
        return cls(symbol, engine.market, engine, interval, bodies=bodies, others=engines)

    def with_interval(self, interval: str) -> tuple["Seat", list[Output]]:
        """The same commands over bars of another interval, and what they say to it; only before the first bar."""
        return self._over(Market(self.symbol, interval, fill_up_to=self.market.fill_up_to), interval)

    def with_history(self, bars: BarArrays) -> tuple["Seat", list[Output]]:
        """The same commands after bars from before the first kline, and what they say to them; only before that."""
        market = Market(self.symbol, self.interval, fill_up_to=self.market.fill_up_to)
        market.begin_with(bars)
        market.load_history(bars)
        return self._over(market, self.interval)

    def _over(self, market: Market, interval: str) -> tuple["Seat", list[Output]]:
        pending = self.group_rows()
        rows = [(body, read_row(body)) for body in self.bodies.values()]
        asleep = [body for body, row in rows if not _is_armed(row)]
        engine = SymbolEngine.restore(self.symbol, market, asleep)
        outputs: list[Output] = []
        for _, row in rows:
            if isinstance(row, GroupBody) and _is_armed(row):
                outputs += engine.on_command(row.command, self.pos)
            elif isinstance(row, AlertBody) and _is_armed(row):
                outputs += engine.on_alert(row.command, row.generation, row.armed_from_ms)
        return replace(
            self, market=market, engine=engine, interval=interval, pending=pending, others={}
        ), outputs

    def on_kline(self, kline: Kline, offset: int) -> tuple[list[Output], bool]:
        """The engine's outputs, and whether the bar changed anything."""
        market = self.market
        before = market.next
        outputs = list(self.engine.on_kline(kline, offset))
        if market.next == before:
            return outputs, bool(outputs) or self.engine.unsaved
        self.pos = offset
        if self.origin_offset < 0:
            self.origin_offset = offset
        if before // _MARK_EVERY != market.next // _MARK_EVERY:
            self.marks.append((kline.open_time_ms, offset))
            del self.marks[:-_MARKS]
        return outputs, True

    def on_tick(self, tick: Tick, offset: int) -> list[Output]:
        """The engine's outputs."""
        outputs = list(self.engine.on_tick(tick, offset))
        self.pos = offset
        return outputs

    def on_group(self, command: GroupCommand, offset: int) -> list[Output]:
        """Arm or remove; an answer ends the wait for it."""
        note = self.note(command.group_id)
        if command.generation > note.generation:
            note.generation = command.generation
            self.holds.answered(command.group_id)
        note.command_offset = offset
        return list(self._engine_of(command).on_command(command, self.pos))

    def on_alert(
        self, command: AlertCommand, offset: int, effective_from_ms: int, limits: Limits
    ) -> list[Output]:
        """A user's own alert; its generation is its offset."""
        note = self.note(command.alert_id)
        note.generation = note.command_offset = offset
        return list(self.engine.on_alert(command, offset, effective_from_ms, limits))

    def owner_of(self, name: str) -> str | None:
        """Whose group or alert has that name, removed ones included; None: it was never heard of, or long ago."""
        found = (engine.unit(name) for engine in (self.engine, *self.others.values()))
        return next((unit.command.user_id for unit in found if unit is not None), None)

    def _engine_of(self, command: GroupCommand) -> SymbolEngine:
        if self.market.next:
            return self.engine
        newest = max(
            (self.engine, *self.others.values()), key=lambda engine: engine.generation_of(command.group_id)
        )
        if command.generation <= newest.generation_of(command.group_id):
            return newest  # it answers what is stale, and counts what is repeated
        interval = command.interval
        if interval == self.interval:
            return self.engine
        if interval not in self.others:
            market = Market(self.symbol, interval, fill_up_to=self.market.fill_up_to)
            self.others[interval] = SymbolEngine(self.symbol, market)
        return self.others[interval]

    def give_up(self) -> list[BotEvent]:
        """Wait for no answer any more; what is held without one, said once per trigger."""
        return [self.engine.unanswered(name, open_ms) for open_ms, name in self.holds.give_up()]

    def lacks_bars_for(self, command: GroupCommand | AlertCommand) -> bool:
        """Whether bars must be read back first; never while the market still has its bars from the origin on."""
        return self.market.first > 0 and self.engine.needs_history(command)

    def note(self, name: str) -> Note:
        """What is noted of group `name`, made when it is first asked for."""
        return self.notes.setdefault(name, Note())

    def group_rows(self) -> list[tuple[bytes, GroupEntry | None]]:
        """Rows of the groups that changed since the last call; None for a key that is not needed any more."""
        rows, self.pending = self.pending, []
        changed = [row for engine in (self.engine, *self.others.values()) for row in engine.dirty_groups()]
        # A group that came again with another interval is in two engines; the newer one has the last word.
        for name, generation, pos, body in (
            sorted(changed, key=lambda row: row[1]) if self.others else changed
        ):
            key = group_key(self.symbol, name)
            if not body:
                self.notes.pop(name, None)
                self.holds.answered(name)
                rows.append((key, None))
                continue
            note = self.notes.get(name)
            offset = -1 if note is None else note.command_offset
            rows.append((key, GroupEntry(self.symbol, generation, pos, offset, self.holds.since(name), body)))
            if self.market.next == 0:
                self.bodies[name] = body
        return rows

    def symbol_row(self, offsets: Offsets) -> SymbolEntry | None:
        """The symbol's row; None before the first bar, when there is nothing to remember."""
        market = self.market
        if market.next == 0:
            return None
        anchor_ms, last_ms = market.anchor_open_time_ms or 0, market.last_open_time_ms or 0
        back_to = max((at for open_ms, at in self.marks if open_ms <= anchor_ms), default=self.origin_offset)
        return SymbolEntry(
            self.symbol, self.interval, self.pos, offsets, self.origin_offset, back_to, anchor_ms, last_ms,
            market.snapshot(), self.engine.stand_ins,
        )  # fmt: skip


def _is_armed(row: object) -> bool:
    return isinstance(row, GroupBody | AlertBody) and row.state in {"armed", "active"}
