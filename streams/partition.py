"""The evaluator of one partition number: records of its three source topics in, outputs and rows out.

It knows no client and no clock. Records of one topic come in offset order; the order between topics is free,
because the engine makes the result independent of it.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Final, cast

from msgspec.structs import replace

from schemas.alerts import AlertCommand, GroupCommand
from schemas.events import BotEvent
from schemas.interval import interval_ms
from schemas.market import Kline, Tick
from schemas.message import Message
from schemas.triggers import Trigger
from streams.engine.bars import BarArrays
from streams.engine.errors import HistoryGone, WrongInterval
from streams.engine.groups.reports import Output, market_event
from streams.history_files import NOT_ITS_OWN, OlderBars
from streams.outgoing import Addresses
from streams.partition_state import Frozen, MustWait, NeedsBars, Obstacle, State
from streams.rows import GroupEntry, Offsets, PartitionEntry, SymbolEntry
from streams.seat import Seat
from topics.codec import Undecodable, decode
from topics.dead_letters import dead_letter
from topics.partitioner import partition_for
from topics.records import Outgoing, Record
from topics.registry import Topics
from topics.tiers import Tiers

DEATHS: Final = 3
"""A record on which the process died this often with an exception is dead-lettered instead of handled."""
_YEAR_9999_MS: Final = 253_370_764_800_000


class PartitionEvaluator:
    """All symbols of one partition number. `send` takes each output as it arises."""

    def __init__(
        self,
        partition: int,
        topics: Topics,
        send: Callable[[Outgoing], None],
        *,
        hold_bars: int = 500,
        state: State | None = None,
        older: OlderBars | None = None,
        tiers: Tiers = Tiers(),  # noqa: B008 (frozen)
    ) -> None:
        state = state or State()
        self.partition = partition
        self.counters: Counter[str] = Counter()
        self.patient = True
        """Whether klines wait for answers; lost when an answer did not come in time, regained with the next
        answer.
        """
        self.at: Record | None = None
        """The record being handled, or handled last."""
        self._topics = topics
        self._send = send
        self._addresses = Addresses(topics)
        self._hold_bars = hold_bars
        self._fill_up_to = state.fill_up_to
        self._older = older or OlderBars()
        self._tiers = tiers
        self._told: set[str] = set()
        self._sources = (topics.klines, topics.alerts, topics.user_alerts)
        self._next = {spec.name: offset for spec, offset in zip(self._sources, state.offsets, strict=True)}
        self._handlers: dict[str, Callable[[Record, bool], Obstacle | None]] = {
            topics.klines.name: self._kline_record,
            topics.alerts.name: self._group_record,
            topics.user_alerts.name: self._alert_record,
        }
        self._seats = state.seats
        self._suspects = state.suspects
        self._poisoned = state.poisoned
        self._changed: dict[str, None] = dict.fromkeys(state.changed)
        self._positions = {name: seat.pos for name, seat in state.seats.items() if seat.market.next}
        self._saved: Offsets | None = None if state.changed else state.offsets

    def step(self, record: Record, *, forced: bool = False) -> Obstacle | None:
        """Handle one record, or say what stands in its way. `forced`: no bars can be had, handle it without.

        A record before the next offset of its topic was handled already, in this life or before.
        """
        topic = record.topic
        if record.offset < self._next[topic]:
            self.counters["replayed"] += 1
            return None
        self.at = record
        if self._suspects and self._is_poison(record):
            obstacle = None
        else:
            obstacle = self._handlers[topic](record, forced)
        if obstacle is None:
            self._next[topic] = record.offset + 1
        return obstacle

    def supply(self, symbol: str, bars: BarArrays) -> bool:
        """Bars that were asked for by NeedsBars. Others than the market was made of are as good as none, unless a file
        brought them: then False, and without the file's they may be asked for again.
        """
        engine = self._seats[symbol].engine
        try:
            engine.load_history(bars)
        except HistoryGone:
            if self._older.refuse(symbol, NOT_ITS_OWN):
                return False
            self.counters["history_gone"] += 1
            engine.load_history(BarArrays.empty())
        self.counters["histories"] += 1
        self._tell_refusal(symbol, engine.market.last_open_time_ms or 0)
        return True

    def give_up_waiting(self) -> None:
        """Nobody answers: klines go on. What was held until now is waited for no more, however late its
        answer comes, and an event per group says so; what fires from now on is waited for again once a command
        shows that somebody answers.
        """
        self.patient = False
        self.counters["impatient"] += 1
        for seat in self._seats.values():
            for event in seat.give_up():
                self._send(self._addresses.of(event, event.at_ms))
                self.counters["given_up"] += 1

    def totals(self) -> Counter[str]:
        """Its own counters and those of its engines."""
        total = Counter(self.counters)
        for seat in self._seats.values():
            total.update(seat.engine.counters)
        return total

    @property
    def held(self) -> int:
        """Groups whose trigger awaits its answer."""
        return sum(len(seat.holds) for seat in self._seats.values())

    def next_offset(self, topic: str) -> int:
        """The next offset of a source topic to be handled."""
        return self._next[topic]

    @property
    def offsets(self) -> Offsets:
        """The next offsets of all sources: klines, alerts, user alerts."""
        return cast(Offsets, tuple(self._next[spec.name] for spec in self._sources))

    @property
    def symbols(self) -> Iterable[Seat]:
        """Its symbols."""
        return self._seats.values()

    def freeze(self) -> Frozen | None:
        """Rows of everything that changed since the last call; None when no source has moved."""
        offsets = self.offsets
        if offsets == self._saved:
            return None
        groups: list[tuple[bytes, GroupEntry | None]] = []
        symbols: list[tuple[bytes, SymbolEntry]] = []
        for name in self._changed:
            seat = self._seats[name]
            groups.extend(seat.group_rows())
            if (row := seat.symbol_row(offsets)) is not None:
                symbols.append((name.encode(), row))
                self._positions[name] = seat.pos
        self._changed.clear()
        self._saved = offsets
        own = PartitionEntry(offsets, dict(self._positions), tuple(sorted(self._poisoned)))
        return Frozen(self.partition, groups, symbols, own, dict(self._next))

    def _kline_record(self, record: Record, forced: bool) -> Obstacle | None:
        message = self._decoded(record, 0)
        if message is None:
            return None
        kline = cast(Kline | Tick, message)
        seat = self._seats.get(kline.symbol)
        if seat is None or seat.interval != kline.interval or seat.others:
            seat = self._seat_of_interval(record, kline)
            if seat is None:
                return None
        if record.offset <= seat.pos:
            return None
        if type(kline) is Tick:
            outputs, changed = seat.on_tick(kline, record.offset), True
        else:
            bar = cast(Kline, kline)
            if not seat.market.next and bar.closed:
                seat = self._begun(seat, bar, record)
            held_ms = seat.holds.oldest_ms
            if held_ms is not None and self.patient and not forced and self._outruns(bar, held_ms):
                return MustWait(seat.symbol, held_ms)
            try:
                outputs, changed = seat.on_kline(bar, record.offset)
            except WrongInterval as error:
                self._refuse(record, "WrongInterval", str(error))
                return None
        if changed:
            self._changed[seat.symbol] = None
        if outputs:
            self._emit(seat, outputs, record)
            if any(type(output) is BotEvent and output.event == "late" for output in outputs):
                self._refuse(record, "Late", "the bar came after a later one and was never applied")
        return None

    def _begun(self, seat: Seat, bar: Kline, record: Record) -> Seat:
        """The seat with the file's bars from before the symbol's first kline, where there are any."""
        older = self._older.before(seat.symbol, bar.interval, BarArrays.of([bar]), 0, bar.open_time_ms)
        self._tell_refusal(seat.symbol, bar.open_time_ms)
        if not len(older):
            return seat
        seat, outputs = seat.with_history(older)
        self._seats[seat.symbol] = seat
        span: dict[str, str | int | float | None] = {
            "from_ms": int(older.open_time_ms[0]), "to_ms": int(older.open_time_ms[-1]), "bars": len(older)
        }  # fmt: skip
        reason = "bars of a file are the symbol's from before its first kline"
        event = market_event("history_read", seat.symbol, bar.open_time_ms, reason, span)
        self._emit(seat, [event, *outputs], record)
        return seat

    def _tell_refusal(self, symbol: str, at_ms: int) -> None:
        reason = self._older.refused.get(symbol)
        if reason is not None and symbol not in self._told:
            self._told.add(symbol)
            event = market_event("history_refused", symbol, at_ms, reason, {})
            self._send(self._addresses.of(event, at_ms))

    def _seat_of_interval(self, record: Record, kline: Kline | Tick) -> Seat | None:
        """The seat of a symbol that is new, or has bars of another interval, where `kline` may sit there."""
        known = self._seats.get(kline.symbol)
        if known is not None and type(kline) is Tick and not known.market.next:
            # Before the first bar a tick stands for nothing, and its interval is not the symbol's yet.
            return None
        seat = self._seat(record, kline.symbol, kline.interval)
        if seat is None or seat.interval == kline.interval:
            return seat
        if record.offset > seat.pos:
            reason = f"{seat.symbol} has {seat.interval} bars, not {kline.interval}"
            self._refuse(record, "WrongInterval", reason)
        return None

    def _outruns(self, bar: Kline, held_ms: int) -> bool:
        return bar.open_time_ms - held_ms > self._hold_bars * interval_ms(bar.interval)

    def _group_record(self, record: Record, forced: bool) -> Obstacle | None:
        command = cast(GroupCommand | None, self._decoded(record, 1))
        if command is None or (seat := self._seat(record, command.symbol, command.interval)) is None:
            return None
        if reason := _trespass(seat, command):
            self._refuse(record, "Mismatch", reason)
            return None
        if record.offset <= seat.note(command.group_id).command_offset:
            return None
        if not forced and seat.lacks_bars_for(command):
            return self._needs(seat)
        self.patient = True
        self._emit(seat, seat.on_group(command, record.offset), record)
        return None

    def _alert_record(self, record: Record, forced: bool) -> Obstacle | None:
        command = cast(AlertCommand | None, self._decoded(record, 2))
        if command is None or (seat := self._seat(record, command.symbol, "1m")) is None:
            return None
        if record.offset <= seat.note(command.alert_id).command_offset:
            return None
        since = record.timestamp_ms if command.effective_from_ms is None else command.effective_from_ms
        if not 0 <= since < _YEAR_9999_MS:
            # Taken in, it would make a row that no restart could read.
            self._refuse(record, "Invalid", f"effective_from_ms: {since} is no time in milliseconds")
            return None
        command = replace(command, effective_from_ms=since)
        if not forced and seat.lacks_bars_for(command):
            return self._needs(seat)
        limits = self._tiers.of(command.user_id)
        self._emit(seat, seat.on_alert(command, record.offset, since, limits), record)
        return None

    def _decoded(self, record: Record, source: int) -> Message | None:
        try:
            return decode(record, self._sources[source])
        except Undecodable as error:
            self._refuse(record, error.error_class, error.reason)
            return None

    def _seat(self, record: Record, symbol: str, interval: str) -> Seat | None:
        seat = self._seats.get(symbol)
        if seat is None:
            right = partition_for(symbol.encode(), self._topics.partitions)
            if right != self.partition:
                reason = f"{symbol} belongs to partition {right}: the producer's partitioner is not murmur2"
                self._refuse(record, "WrongPartition", reason)
                return None
            seat = self._seats[symbol] = Seat.empty(symbol, interval, self._fill_up_to)
        elif (
            seat.market.next == 0
            and (interval != seat.interval or seat.others)
            and record.topic == self._sources[0].name
        ):
            seat, outputs = seat.with_interval(interval)
            self._seats[symbol] = seat
            self._emit(seat, outputs, record)
        return seat

    def _needs(self, seat: Seat) -> NeedsBars:
        market = seat.market
        first_ms = market.bar(market.first).open_time_ms
        return NeedsBars(seat.symbol, first_ms, seat.interval, market.origin_ms or 0)

    def _emit(self, seat: Seat, outputs: list[Output], record: Record) -> None:
        self._changed[seat.symbol] = None
        for output in outputs:
            if type(output) is Trigger:
                seat.holds.hold(output.group_id, output.bar.open_time_ms)
            self._send(self._addresses.of(output, record.timestamp_ms))
            self.counters[type(output).__name__] += 1

    def _refuse(self, record: Record, error_class: str, reason: str) -> None:
        self._send(dead_letter(record, error_class, reason))
        self.counters["dead_letters"] += 1

    def _is_poison(self, record: Record) -> bool:
        suspect = self._suspects.get(record.topic)
        if suspect is None or record.offset < suspect.offset:
            return False
        del self._suspects[record.topic]
        if record.offset != suspect.offset or suspect.deaths < DEATHS:
            return False
        if record.topic == self._sources[0].name:
            self._poisoned.add(record.offset)
        self._refuse(record, "Poison", f"the process died {suspect.deaths} times on this record")
        return True


def _trespass(seat: Seat, command: GroupCommand) -> str:
    """Why a command is none of its user's business (law 15), empty where it is."""
    if not command.group_id.startswith(f"{command.bot_id}/{command.symbol}/"):
        return f"group {command.group_id[:200]} is not of bot {command.bot_id} on {command.symbol}"
    owner = seat.owner_of(command.group_id)
    return "" if owner in {None, command.user_id} else "the group belongs to another user"
