"""Everything the evaluator knows of one symbol: candles and commands in, triggers out. Pure.

Whether a command comes before the bars it covers or after them, its triggers are the same: what it missed is evaluated
by the definition, bar by bar, and from there on the network follows the changes.
"""

from collections import Counter
from collections.abc import Iterable, Iterator

from schemas.alerts import AlertCommand, GroupCommand
from schemas.conditions import Condition
from schemas.events import BotEvent
from schemas.interval import grid
from schemas.limits import Limits
from schemas.market import Kline, Tick
from streams.engine.bars import BarArrays
from streams.engine.conditions.comparisons import Moment
from streams.engine.groups import reports
from streams.engine.groups.commands import Commands
from streams.engine.groups.firing import Firing
from streams.engine.groups.recovery import Recovery
from streams.engine.groups.register import Register
from streams.engine.groups.reports import Output
from streams.engine.groups.ticking import Ticking
from streams.engine.groups.unit_rows import GroupRow
from streams.engine.groups.watching import Unit, Watching, watchers
from streams.engine.market.frames import Frame
from streams.engine.market.market import Market
from streams.engine.market.nodes import States
from streams.engine.market.outcomes import Applied, Late, Outcome, Restated
from streams.engine.network.board import Source
from streams.engine.network.moments import Moments
from streams.engine.network.network import Network
from streams.engine.network.predicates import Node


class SymbolEngine:
    """`counters` is for metrics: duplicate_command, stale_command, rejected, armed_late, suppressed, replayed, …"""

    def __init__(self, symbol: str, market: Market) -> None:
        self.symbol = symbol
        self.market = market
        self.counters: Counter[str] = Counter()
        self._pos = -1
        self.stood_in: Moment | None = None
        """The newest bar that a tick stood in for, since this engine lives; for those who explain."""
        self._length_ms, self._shift_ms = grid(market.interval)
        self._interval = market.interval
        self._tape = market.tape
        self._frame = market.tape.frame
        self._quiet_until_ms = 0
        self._still_until_ms = 0
        self._register = Register()
        self._network = Network(market)
        self._bar = self._network.board.pusher(self._frame.program.block_at)
        self._moments = Moments(market)
        self._newest = self._moments.newest
        self._watching = Watching(self._network, self._register.changed)
        self._firing = Firing(market, self._moments, self._watching, self._register)
        self._ticking = Ticking(
            market, self._moments, self._network, self._watching, self._firing, self.counters
        )
        self._commands = Commands(
            market, self._moments, self._network, self._watching, self._register, self._firing, self.counters
        )
        self._recovery = Recovery(
            market, self._moments, self._network, self._watching, self._register, self._commands
        )
        if (newest := self._moments.newest()) is not None:
            self._network.resync(newest)

    @classmethod
    def restore(
        cls, symbol: str, market: Market, rows: Iterable[bytes], pos: int = -1, stand_ins: bytes = b""
    ) -> "SymbolEngine":
        """The engine whose rows these are, over the market of the same checkpoint or an earlier one. `stand_ins` is of
        the market's own checkpoint: were they newer, `at` would come true on bars before its tick.

        A row that is ahead of the market waits until the market has caught up. Raises NeedsHistory (load it into the
        market, restore again) where a row uses an operand that the market's snapshot did not know yet.
        """
        engine = cls(symbol, market)
        engine._pos = pos
        engine._recovery.load(rows, stand_ins)
        return engine

    def on_kline(self, kline: Kline, pos: int) -> list[Output]:
        """Fold in the kline at offset `pos`. Raises WrongInterval for one that is not on the symbol's grid."""
        opened = kline.open_time_ms
        if (
            opened == self._tape.expected_ms
            and opened < self._quiet_until_ms
            and pos > self._pos
            and kline.closed
            and kline.interval == self._interval
        ):
            low, high = kline.low, kline.high
            flips = self._bar(self._frame.size, kline.open, high, low, kline.close, kline.volume)
            return self.passed(opened, pos, flips, low, high)
        if pos <= self._pos:
            self.counters["replayed"] += 1
            return []
        self._recovery.wake(pos)
        self._pos = pos
        outputs = self._applied(kline)
        self._quiet_until_ms = self._quiet()
        return outputs

    @property
    def board_bytes(self) -> int:
        """What the network's arrays take."""
        return self._network.board.nbytes

    @property
    def blocks(self) -> tuple[int, int]:
        """Addresses of its board and of its base frame, for calls that take many of them."""
        return self._network.board.at, self._frame.program.block_at

    @property
    def pos(self) -> int:
        """The last offset folded in."""
        return self._pos

    @property
    def length_ms(self) -> int:
        """Of the base interval."""
        return self._length_ms

    @property
    def expected_ms(self) -> int:
        """Open time of the next bar, if none is missing."""
        return self._tape.expected_ms

    def keep_up(self) -> None:
        """Do what only the market has due before the next bar, and look how long it is quiet then. Not where a command
        or a tick came since the last bar.
        """
        if self._quiet_until_ms:
            self.market.keep_up()
            self._quiet_until_ms = self._quiet()

    def note_anchors(self, noted: list[tuple[int, States]]) -> None:
        """See Market.note_anchors: those of the bars that it was told of."""
        if noted:
            self.market.note_anchors(noted)
            if self._quiet_until_ms:
                self._quiet_until_ms = min(self._still_until_ms, self.market.quiet_until_ms())

    @property
    def changes(self) -> tuple[int, int, int]:
        """Differs where its nodes or what its board reads may have changed."""
        return self._frame.binds, self.market.operands.changes, self._network.board.sources

    @property
    def readings(self) -> list[tuple[int, Source]]:
        """The series that the base timeframe's close moves, and where each is read."""
        return self._network.board.readings()

    @property
    def frame(self) -> Frame:
        """Of its base bars."""
        return self._frame

    @property
    def quiet_until_ms(self) -> int:
        """On bars that open before that, where they are expected, nothing is due but what the board sees."""
        return self._quiet_until_ms

    @property
    def still_until_ms(self) -> int:
        """The same, where anchors are noted when they are due; never earlier than `quiet_until_ms`."""
        return self._still_until_ms if self._quiet_until_ms else 0

    def caught_up(self, bars: int, pos: int) -> None:
        """So many quiet bars, the last of them at `pos`, have gone over the board and flipped nothing."""
        self._pos = pos
        self.market.appended(self._tape.expected_ms + bars * self._length_ms, bars)
        self._moments.now_ms = self._tape.expected_ms
        self._network.newest = self._newest

    def passed(self, opened: int, pos: int, flips: int, low: float, high: float) -> list[Output]:
        """A quiet bar has gone over the board, which said `flips`."""
        self._pos = pos
        close_ms = opened + self._length_ms
        self.market.appended(close_ms)
        before_ms, self._moments.now_ms = self._moments.now_ms, close_ms
        if flips == 0:
            self._network.newest = self._newest
            return []
        moment = Moment(self.market.next - 1, opened, close_ms, close_ms, low, high, False, before_ms)
        self._network.moment = moment
        hits = self._watching.notice(self._network.flipped(flips), moment)
        due_ms = min(self._watching.wake_ms, self._network.due_ms(close_ms))
        if due_ms < self._quiet_until_ms + self._length_ms:
            self._quiet_until_ms = due_ms - self._length_ms
        self._still_until_ms = min(self._still_until_ms, due_ms - self._length_ms)
        if not hits:
            return []
        outputs = self._firing.fire(hits, moment)
        # What fired may have given operands back, which go after a day.
        self._quiet_until_ms = min(self._quiet_until_ms, self.market.operands.expires_ms)
        self._still_until_ms = min(self._still_until_ms, self.market.operands.expires_ms)
        return outputs

    def _quiet(self) -> int:
        """Bars that open before that need not be looked at but by the board."""
        close_ms = self._moments.now_ms
        self._still_until_ms = 0
        if self._recovery.asleep or close_ms > self._tape.expected_ms:
            return 0
        watching = self._watching
        instant_ms = min(watching.wake_ms, watching.expires_ms, self._network.quiet_until_ms(close_ms))
        until_ms = min(watching.waits_for_ms, instant_ms - self._length_ms)
        self._still_until_ms = min(self.market.quiet_until_ms(anchors=False), until_ms)
        return min(self.market.quiet_until_ms(), until_ms)

    def _applied(self, kline: Kline) -> list[Output]:
        if not kline.closed and self._watching.on_tick:
            return self._ticking.update(kline)
        outcome = self.market.apply(kline)
        if type(outcome) is not Applied:
            return self._not_applied(kline, outcome)
        if outcome.next - outcome.first == 1 and outcome.gap_ms is None and outcome.first:
            close_ms = kline.open_time_ms + self._length_ms
            before_ms, now_ms = self._moments.now_ms, self._moments.advance(close_ms)
            moment = Moment(
                outcome.first, kline.open_time_ms, close_ms, now_ms, kline.low, kline.high, False, before_ms
            )
            return self._step(moment, newest=True)
        return self._after_a_hole(outcome)

    def on_tick(self, tick: Tick, pos: int) -> list[Output]:
        """Take in the tick at offset `pos`: if no bar closed at its instant, it stands for that bar (law 1)."""
        if pos <= self._pos:
            self.counters["replayed"] += 1
            return []
        self._recovery.wake(pos)
        self._pos = pos
        on_grid = (tick.time_ms - self._shift_ms) % self._length_ms == 0
        moment = self._moments.of_tick(tick.time_ms) if on_grid else None
        if moment is None:
            return []
        self._quiet_until_ms = 0
        self.counters["stand_ins"] += 1
        self.stood_in = moment
        outputs = self._firing.expire(moment)
        hits = self._watching.notice_stand_in(moment)
        return outputs + self._firing.fire(hits, moment) if hits else outputs

    def on_command(self, command: GroupCommand, pos_hint: int) -> list[Output]:
        """Arm or remove a group. `pos_hint`: the last offset folded into this symbol, where the engine saw none."""
        self._quiet_until_ms = 0
        self._pos = max(self._pos, pos_hint)
        return self._commands.group(command, self._pos)

    def on_alert(
        self, command: AlertCommand, generation: int, effective_from_ms: int, limits: Limits | None = None
    ) -> list[Output]:
        """Take in a user's alert, which sees bars from `effective_from_ms`, rounded up. `generation`: its offset.

        One beyond `limits` is refused; None: there are none, as for those that were accepted before.
        """
        self._quiet_until_ms = 0
        return self._commands.alert(command, generation, effective_from_ms, self._pos, limits)

    def needs_history(self, command: GroupCommand | AlertCommand) -> bool:
        """Whether the caller should read bars back and `load_history` before it hands this command over."""
        self._quiet_until_ms = 0
        return self._commands.needs_history(command)

    def generation_of(self, group_id: str) -> int:
        """The newest generation of a group that it has heard of, -1 before the first."""
        unit = self._register.units.get(group_id)
        return -1 if unit is None else unit.generation

    def load_history(self, bars: BarArrays) -> None:
        """Take older bars; see Market.load_history."""
        self._quiet_until_ms = 0
        self.market.load_history(bars)

    def unanswered(self, group_id: str, open_time_ms: int) -> BotEvent:
        """The event of a held group whose trigger on the bar that opened then got no answer in time."""
        return self._commands.unanswered(group_id, open_time_ms)

    def unit(self, name: str) -> Unit | None:
        """The group or alert of that name, in whatever state."""
        return self._register.units.get(name)

    @property
    def moment(self) -> Moment | None:
        """The newest bar as conditions see it; None before the first."""
        return self._network.moment

    @property
    def conditions(self) -> list[Condition]:
        """What is asked of this symbol now: every resolved condition and part of one, each once."""
        return self._network.conditions

    @property
    def stand_ins(self) -> bytes:
        """The bars that ticks stood in for; they belong to the row of the symbol, whose bars they stand between."""
        return self._moments.stand_ins.dump()

    def dirty_groups(self) -> Iterator[GroupRow]:
        """Rows to be written since the last call. An empty body: the key may be deleted."""
        yield from self._register.rows(self._pos, self._moments.now_ms)

    @property
    def unsaved(self) -> bool:
        """Whether `dirty_groups` has rows to be written."""
        return self._register.unsaved

    def _step(self, moment: Moment, *, newest: bool, anew: bool = False) -> list[Output]:
        outputs = self._firing.expire(moment)
        flipped = self._network.resync(moment) if anew else self._network.step(moment, newest=newest)
        hits = self._watching.notice(flipped, moment)
        if anew:
            outputs += self._suppressed(flipped, moment)
        return outputs + self._firing.fire(hits, moment) if hits else outputs

    def _after_a_hole(self, outcome: Applied) -> list[Output]:
        """The first bar ever, filled bars before a bar, or a bar after a gap."""
        outputs: list[Output] = []
        newest = outcome.next - 1
        if outcome.filled:
            self.counters["filled"] += outcome.filled
            at_ms = self.market.bar(newest).open_time_ms
            reason = "missing bars were filled flat"
            outputs.append(
                reports.market_event("gap_filled", self.symbol, at_ms, reason, {"bars": outcome.filled})
            )
        if outcome.gap_ms is not None:
            self.counters["gaps"] += 1
            from_ms, to_ms = outcome.gap_ms
            reason = "too many bars are missing to fill: operands are unknown until clean"
            gap: dict[str, str | int | float | None] = {"from_ms": from_ms, "to_ms": to_ms}
            outputs.append(reports.market_event("tainted", self.symbol, to_ms, reason, gap))
        anew = outcome.first == 0 or outcome.gap_ms is not None
        for index in range(outcome.first, outcome.next):
            moment = self._moments.of_bar(self.market.bar(index))
            outputs += self._step(moment, newest=index == newest, anew=anew)
        return outputs

    def _not_applied(self, kline: Kline, outcome: Outcome) -> list[Output]:
        self.counters[type(outcome).__name__.lower()] += 1
        if isinstance(outcome, Restated):
            reason = "the bar was applied before with other numbers, which stay"
            return [
                reports.market_event(
                    "restated", self.symbol, kline.open_time_ms, reason, {"close": kline.close}
                )
            ]
        if isinstance(outcome, Late):
            reason = "the bar came after a later one and was never applied"
            return [
                reports.market_event("late", self.symbol, kline.open_time_ms, reason, {"close": kline.close})
            ]
        return []

    def _suppressed(self, flipped: list[Node], moment: Moment) -> list[Output]:
        """One event per group or alert whose condition a gap made unknown, so that silence has a reason."""
        units = {}
        for node in flipped:
            for watcher in node.watchers if node.truth is None else ():
                unit = watcher.group if hasattr(watcher, "group") else watcher
                units[unit.key] = unit
        self.counters["suppressed"] += len(units)
        return [
            reports.suppressed(unit.command, unit.generation, moment.open_time_ms)
            for _, unit in sorted(units.items())
            if watchers(unit)
        ]
