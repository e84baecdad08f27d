"""One symbol's market: its bars, its higher timeframes and its indicator nodes, kept by the laws 1 to 6.

A pure state machine: `apply` takes klines, `value` answers what an operand was worth as seen at the close of
any bar that is kept. No clock, no input or output.
"""

from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from schemas.conditions import Indicator, Price
from schemas.market import Kline
from streams.engine.bars import BarArrays, BaseBar
from streams.engine.errors import HistoryGone, WrongInterval
from streams.engine.indicators import lookup, names
from streams.engine.kernels.program import CompiledProgram, Program, compile_all
from streams.engine.market.anchors import EVERY
from streams.engine.market.folding import HigherFrame
from streams.engine.market.nodes import States
from streams.engine.market.operands import Operands, Slot
from streams.engine.market.outcomes import Applied, Duplicate, Forming, Late, Outcome, Restated
from streams.engine.market.prices import STEPS
from streams.engine.market.snapshots import (
    Saved,
    SavedAnchor,
    begins_at,
    decode,
    read_back,
    restore_anchor,
    save_anchor,
)
from streams.engine.market.tape import Tape
from streams.engine.market.upkeep import take_anchor, take_noted, trim

__all__ = ["Market", "Slot", "warm_up"]

_FORMING: Final = Forming()
_COUNTED: Final = {Duplicate: "duplicates", Restated: "restated", Late: "late"}


class Market:
    """Bars are numbered from the symbol's first; `capacity` of them at least, `[first, next)`, may be asked for.

    `seeded_from_ms` is set when bars from the origin on were gone: operands acquired after that begin there.
    """

    def __init__(
        self,
        symbol: str,
        interval: str = "1m",
        *,
        fill_up_to: int = 5,
        capacity: int = 5_000,
        programs: Callable[[], Program] = CompiledProgram,
    ) -> None:
        self.symbol = symbol
        self.interval = interval
        self.fill_up_to = fill_up_to
        self.capacity = capacity
        self.next = 0
        self.counters = dict.fromkeys(("duplicates", "restated", "late", "forming", "filled", "gaps"), 0)
        self.tape = Tape(symbol, interval, programs)
        self.operands = Operands(self.tape, programs)
        self.bar: Callable[[int], BaseBar] = self.tape.bar
        self.index_at: Callable[[int], int] = self.tape.index_at
        self._anchor_at = 0
        self._saved_anchor: tuple[tuple[int, int], msgspec.Raw] | None = None

    @property
    def first(self) -> int:
        return self.tape.first

    @property
    def origin_ms(self) -> int | None:
        return self.tape.origin_ms

    @property
    def seeded_from_ms(self) -> int | None:
        return self.operands.seeded_from_ms

    @property
    def last_open_time_ms(self) -> int | None:
        """Open time of the newest bar applied."""
        return None if self.next == 0 else self.tape.expected_ms - self.tape.step_ms

    def apply(self, kline: Kline) -> Outcome:
        """Take a kline by law 2, fill or mark what is missing before it (law 4), run every node that it
        closes.

        Raises WrongInterval for a kline that is not of this market's base interval.
        """
        if not kline.closed:
            self.counters["forming"] += 1
            return _FORMING
        opened = kline.open_time_ms
        if opened != self.tape.expected_ms or kline.interval != self.interval:
            if kline.interval != self.interval:
                raise WrongInterval(f"{self.symbol}: {kline.interval} at {opened}, expected {self.interval}")
            if opened < self.tape.expected_ms:
                outcome = self.tape.known(kline)
                self.counters[_COUNTED[type(outcome)]] += 1
                return outcome
        return self._take(opened, kline.open, kline.high, kline.low, kline.close, kline.volume)

    def _take(self, opened: int, o: float, h: float, low: float, c: float, v: float) -> Applied:
        """A bar that was never applied, after all that were."""
        tape = self.tape
        if self.next >= self._anchor_at or tape.expected_ms >= self.operands.expires_ms:
            self._upkeep(opened)
        first, filled, gap = self.next, 0, None
        if opened != tape.expected_ms:
            filled = (opened - tape.expected_ms) // tape.step_ms
            if filled > self.fill_up_to:
                filled, gap = 0, (tape.expected_ms, opened)
                self._skip_to(opened)
            self._fill(filled)
        self._append(o, h, low, c, v)
        return Applied(first, self.next, filled, gap)

    def _append(self, o: float, h: float, low: float, c: float, v: float) -> None:
        tape = self.tape
        tape.frame.append(o, h, low, c, v)
        index = self.next
        self.next = index + 1
        tape.expected_ms = end = tape.expected_ms + tape.step_ms
        for frame in self.operands.higher:
            if end >= frame.ends_ms:
                frame.close_bucket(index + 1, index)

    def quiet_until_ms(self, *, anchors: bool = True) -> int:
        """Bars that open before that, each where it is expected, need nothing but `appended` besides a push. Without
        `anchors`: and anchors to be noted; see `note_anchors`.
        """
        tape, operands = self.tape, self.operands
        if not self.next or not tape.frame.program.block_at:
            return 0
        room = tape.frame.room
        if anchors or operands.higher:
            room = min(self._anchor_at - self.next, room)
        ends = min((frame.ends_ms for frame in operands.higher), default=operands.expires_ms)
        return min(tape.expected_ms + room * tape.step_ms, ends - tape.step_ms, operands.expires_ms)

    def keep_up(self) -> None:
        """Do what is due before the next bar if it is the expected one: an anchor, unused nodes, room for its row."""
        if self.next >= self._anchor_at or self.tape.expected_ms >= self.operands.expires_ms:
            self._upkeep(self.tape.expected_ms)
        self.tape.frame.make_room()

    @property
    def bars_to_anchor(self) -> int:
        """How many bars come before the next anchor is due."""
        return self._anchor_at - self.next

    def note_anchors(self, noted: Iterable[tuple[int, States]]) -> None:
        """Anchors that came due while bars were appended: before which bar, and the states of the base frame's nodes
        then. Only where there are no higher timeframes.
        """
        for index, states in noted:
            take_noted(self.tape, self.operands, index, states)
            self._anchor_at = index + EVERY
            trim(self.tape, self.operands, self.capacity, index)

    def appended(self, close_ms: int, bars: int = 1) -> None:
        """Bars that were expected, the last of which closes at `close_ms`, have been pushed onto the base frame."""
        tape = self.tape
        frame = tape.frame
        frame.size += bars
        frame.version += bars
        self.next += bars
        tape.expected_ms = close_ms

    def _begin(self, opened: int) -> None:
        self.tape.begin_run(opened)
        for frame in self.operands.higher:
            frame.begin(0, opened)

    def _fill(self, missing: int) -> None:
        self.counters["filled"] += missing
        price = self.tape.last_close()
        for _ in range(missing):
            self.tape.filled.add(self.next)
            self._append(price, price, price, price, 0.0)

    def _skip_to(self, opened: int) -> None:
        self.counters["gaps"] += 1
        self.tape.begin_run(opened)
        self.tape.frame.taint(self.next, self.next)
        for frame in self.operands.higher:
            frame.after_gap(self.next, opened)

    def begin_with(self, bars: BarArrays) -> None:
        """Take accepted bars from before the first kline, all at once; only before any bar."""
        for opened, row in zip(bars.open_time_ms.tolist(), bars.ohlcv.tolist(), strict=True):
            self._take(opened, *row)

    def acquire(self, leaf: Price | Indicator, timeframe: str, path: str = "") -> Slot:
        """The slot of an operand, shared with whoever has an equal one and counted until `release`.

        A new node is computed over all bars from the origin on. `leaf.bars_ago` says how deep values are
        kept. Raises NeedsHistory, UnknownIndicator, BadParameter, StateTooLarge.
        """
        return self.operands.acquire(leaf, timeframe, path)

    def release(self, slot: Slot, now_ms: int) -> None:
        """Give a slot back at event time `now_ms`; its node goes a day after nobody has it any more."""
        self.operands.release(slot, now_ms)

    def value(self, slot: Slot, i: int, back: int = 0) -> float:
        """What the operand was worth at the close of base bar `i`, `back` bars of its timeframe earlier; NaN:
        unknown.

        IndexError where bar `i` may not be asked for.
        """
        self.tape.check(i)
        frame = slot.frame
        return frame.usable(slot.column, frame.row_seen_at(i) - back, frame.clean_row(i))

    def glance(self, kline: Kline, slots: Iterable[Slot]) -> None:
        """See what the base timeframe's operands among `slots` would be worth if the forming `kline` closed now.

        It must be the next bar. `glanced` tells, until that bar is applied; no state changes (law 2).
        """
        frame = self.tape.frame
        nodes = {slot.node: None for slot in slots if slot.frame is frame}
        row = (kline.open, kline.high, kline.low, kline.close, kline.volume, float(kline.open_time_ms))
        frame.glance(row, nodes)

    def glanced(self, slot: Slot) -> float:
        """What an operand of the base timeframe was worth at the last `glance` that it was among; NaN: unknown."""
        frame = slot.frame
        return frame.usable(slot.column, frame.next, frame.marks[-1][1])

    def closes(self, timeframe: str, i: int) -> bool:
        """Whether a bar of `timeframe`, the base one or one that an operand uses, closed with base bar
        `i`.
        """
        frame = self.operands.frames[timeframe]
        return not isinstance(frame, HigherFrame) or frame.closed_with(i)

    def load_history(self, bars: BarArrays) -> None:
        """Take bars from before the first one kept, read back from the topic, in the order of their records.

        From the origin on: everything is computed anew over them, to the same bits. If the first are gone,
        operands acquired from now on begin at the earliest there is, and `seeded_from_ms` says so. Raises
        HistoryGone where the bars are others than those this market was made of.
        """
        tape = self.tape
        if tape.origin_ms is None:
            return
        if tape.frame.first == 0:
            tape.first = 0  # those too old are all there still: they are dropped many at a time
            return
        tape.prepend(bars, self.fill_up_to)
        self.operands.history_loaded = True
        if tape.frame.first == 0:
            self.operands.recompute()
        else:
            self.operands.seeded_from_ms = tape.timeline.open_time_ms(tape.frame.first)

    def snapshot(self) -> bytes:
        """The market as it is, without its bars: less than 64 kB."""
        operands, of = self.operands, (self._anchor_at, self.operands.changes)
        if self._saved_anchor is None or self._saved_anchor[0] != of:
            self._saved_anchor = of, save_anchor(self.tape, operands)
        return msgspec.msgpack.encode(
            Saved(
                self.symbol, self.interval, self.fill_up_to, self.capacity, self.origin_ms,
                self.seeded_from_ms, self.counters, self.next, self.last_open_time_ms, self._saved_anchor[1],
            )
        )  # fmt: skip

    @property
    def anchor_open_time_ms(self) -> int | None:
        """From when on klines must be read back to `restore` a snapshot taken now; None before any bar."""
        if not self.operands.anchors:
            return None
        return self.tape.timeline.open_time_ms(begins_at(self.tape, self.operands.anchors[0]))

    @staticmethod
    def read_from_ms(snapshot: bytes) -> int | None:
        """From when on klines must be read back to `restore` this snapshot; None: there are none to read."""
        anchor = decode(snapshot)[1]
        return None if anchor is None else anchor.begins_ms

    @classmethod
    def restore(
        cls, snapshot: bytes, bars: BarArrays, programs: Callable[[], Program] = CompiledProgram
    ) -> "Market":
        """The market that was saved, to the same bits, given the bars from `read_from_ms` on in topic order.

        Values are kept from the anchor on. Nobody holds its nodes yet: acquire them again within a day of
        event time. Raises HistoryGone where the bars are not all there, OtherState.
        """
        saved, anchor = decode(snapshot)
        settings = {"fill_up_to": saved.fill_up_to, "capacity": saved.capacity}
        market = cls(saved.symbol, saved.interval, **settings, programs=programs)
        market.operands.seeded_from_ms = saved.seeded_from_ms
        if anchor is not None:
            market._run_again(saved, anchor, bars)
        market.counters.update(saved.counters)
        return market

    def _run_again(self, saved: Saved, anchor: SavedAnchor, bars: BarArrays) -> None:
        since, layout = read_back(saved, anchor, bars, self.tape.step_ms)
        self.tape.origin_ms = saved.origin_ms
        restore_anchor(anchor, layout, self.tape, self.operands, saved.last_open_ms or 0)
        self.next = self._anchor_at = anchor.index
        for opened, row in zip(since.open_time_ms.tolist(), since.ohlcv.tolist(), strict=True):
            self._take(opened, *row)
        if self.next != saved.next:
            raise HistoryGone(self.symbol, anchor.begins_ms)
        if self.tape.frame.first == 0 < anchor.index:
            # Windows reach back to the origin. Whoever asks finds all bars there, and so must all values be.
            self.operands.recompute()

    def _upkeep(self, opened: int) -> None:
        """Before a bar comes: unused nodes go, an anchor is taken when it is time, and bars too old go."""
        operands = self.operands
        if self.tape.origin_ms is None:
            self._begin(opened)
        if self.tape.expected_ms >= operands.expires_ms:
            operands.drop_expired(self.tape.expected_ms)
        if self.next >= self._anchor_at:
            take_anchor(self.tape, operands)
            self._anchor_at = self.next + EVERY
            trim(self.tape, operands, self.capacity, self.next)


def warm_up() -> None:
    """Compile every kernel, or load it from numba's cache, so that no kline waits for it."""
    compile_all([*STEPS, *(step for name in names() for step in lookup(name).steps)])
