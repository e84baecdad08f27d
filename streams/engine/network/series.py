"""Series: what thresholds hang on, by the clock that decides them: an operand, the difference of two, a bar's low or
high.

`left op right` is `left - right op 0`: a difference of floats has the sign that a comparison of them has.
"""

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple, TypeAlias

from schemas.conditions import Compare, Const, Operand
from streams.engine.bars import HIGH, LOW
from streams.engine.conditions.comparisons import (
    AnyReader,
    Comparison,
    ConstReader,
    LeafReader,
    Moment,
    compile_operands,
    grid,
    seen,
)
from streams.engine.conditions.resolve import clock_of
from streams.engine.conditions.truth import MIRRORED
from streams.engine.market.market import Market, Slot
from streams.engine.market.operands import NEVER_MS
from streams.engine.network.board import Board, Source
from streams.engine.network.machine import BAR, PAIR, TOLD, USABLE

_NAN: Final = float("nan")
Grid: TypeAlias = tuple[int, int]
Operands: TypeAlias = tuple[Operand, ...]
Side: TypeAlias = Operands | str
"""What a series is shared by: one operand, two, or the name of a bar's column."""


class Split(NamedTuple):
    """A comparison as a threshold: `key op constant`."""

    key: Operands
    op: str
    constant: float


def split(node: Compare) -> Split:
    """A comparison with a constant, which may stand on either side, or of two operands by their difference."""
    if isinstance(node.right, Const):
        return Split((node.left,), node.op, node.right.value)
    if isinstance(node.left, Const):
        return Split((node.right,), MIRRORED[node.op], node.left.value)
    return Split((node.left, node.right), node.op, 0.0)


class Series:
    """One row of the board. `users`: how many rungs hang on it; `told`: read here and not by compiled code. `readers`
    and `slots`: of its operands, none for a column of the bar.
    """

    __slots__ = ("clock", "key", "readers", "row", "slots", "told", "users")

    def __init__(self, key: Side, clock: "Clock", readers: list[AnyReader], slots: list[Slot]) -> None:
        self.key = key
        self.clock = clock
        self.readers = readers
        self.slots = slots
        self.users = 0
        self.row = -1
        self.told = False

    def source(self, base_block: int) -> Source:
        """Where compiled code reads it; TOLD where it cannot."""
        if isinstance(self.key, str):
            return Source(BAR, base_block, LOW if self.key == "low" else HIGH) if base_block else Source(TOLD)
        leaves = [reader for reader in self.readers if isinstance(reader, LeafReader)]
        if len(leaves) < len(self.readers) or not all(one.slot.frame.program.block_at for one in leaves):
            return Source(TOLD)
        words = [
            word
            for one in leaves
            for word in (one.slot.frame.program.block_at, one.slot.column, one.bars_ago)
        ]
        return Source(PAIR if len(leaves) == 2 else USABLE, *words)

    def at(self, moment: Moment, closes_back: int = 0) -> float:
        """Its value at the last close of its clock by the definition, or at one before."""
        if isinstance(self.key, str):
            return _NAN if closes_back else moment.low if self.key == "low" else moment.high
        length, shift = self.clock.length, self.clock.shift
        values = [seen(reader, moment, length, shift, closes_back) for reader in self.readers]
        return values[0] if len(values) == 1 else values[0] - values[1]

    def compared(self, node: Compare) -> Comparison:
        """A comparison that hangs here, by its definition."""
        one = self.readers[0]
        if isinstance(node.right, Const):
            return Comparison(node, one, ConstReader(node.right.value), self.slots)
        if isinstance(node.left, Const):
            return Comparison(node, ConstReader(node.left.value), one, self.slots)
        return Comparison(node, one, self.readers[1], self.slots)


class Clock:
    """What is decided when one timeframe closes. `called`: nodes decided anew at every close."""

    __slots__ = ("called", "length", "number", "series", "shift")

    def __init__(self, number: int, length: int, shift: int) -> None:
        self.number = number
        self.length = length
        self.shift = shift
        self.series: dict[Side, Series] = {}
        self.called: dict[object, Callable[[Moment], None]] = {}

    @property
    def told(self) -> Iterator[Series]:
        return (one for one in self.series.values() if one.told)

    def next_after(self, close_ms: int) -> int:
        """Its first close after `close_ms`."""
        return close_ms + self.length - (close_ms - self.shift) % self.length

    def closes_at(self, close_ms: int) -> bool:
        return (close_ms - self.shift) % self.length == 0


class Clocks:
    """All series of a symbol. The first clock is the base timeframe's; it is there from the start."""

    def __init__(self, market: Market, board: Board) -> None:
        self._market = market
        self._board = board
        self._base = self._new(grid(market.interval))
        self._by_grid: dict[Grid, Clock] = {(self._base.length, self._base.shift): self._base}
        self._higher: list[Clock] = []
        self._compared: dict[Operands, Series] = {}
        self.steady = True
        """Whether at the close of a base bar alone nothing changes but series that compiled code reads."""

    def _new(self, at: Grid) -> Clock:
        return Clock(self._board.clock(), *at)

    def clock(self, at: Grid) -> Clock:
        """The clock of a timeframe."""
        found = self._by_grid.get(at)
        if found is None:
            found = self._by_grid[at] = self._new(at)
            self._higher.append(found)
        return found

    def quiet_until_ms(self, close_ms: int) -> int:
        """When, after `close_ms`, more than the base clock closes; at once where that alone is not steady."""
        if not self.steady:
            return close_ms
        return min((clock.next_after(close_ms) for clock in self._higher), default=NEVER_MS)

    def of(self, node: Compare, moment: Moment | None) -> Series:
        """The series that a comparison hangs on, made if there is none. Raises what the market's `acquire` does."""
        return self.at(split(node).key, node, moment)

    def at(self, key: Operands, node: Compare, moment: Moment | None) -> Series:
        """As `of`, where it is known by what `node` is split."""
        found = self._compared.get(key)
        if found is None:
            clock = self.clock(grid(clock_of(node) or self._market.interval))
            found = self._enter(Series(key, clock, *compile_operands(self._market, key)), moment)
            self._compared[key] = found
        return found

    def of_bar(self, column: str, moment: Moment | None) -> Series:
        """The series of the bar's low or high."""
        return self._base.series.get(column) or self._enter(Series(column, self._base, [], []), moment)

    def _enter(self, series: Series, moment: Moment | None) -> Series:
        source = series.source(self._market.tape.frame.program.block_at)
        series.told = source.kind == TOLD
        series.row = self._board.series(series.clock.number, source)
        series.clock.series[series.key] = series
        self._judge()
        if moment is not None:
            self._board.stand(series.row, series.at(moment, 1), series.at(moment))
        return series

    def leave(self, series: Series, now_ms: int) -> None:
        """One rung less; the last one frees the series."""
        series.users -= 1
        if series.users:
            return
        del series.clock.series[series.key]
        if not isinstance(series.key, str):
            del self._compared[series.key]
        self._board.drop(series.row, series.clock.number)
        for slot in series.slots:
            self._market.release(slot, now_ms)
        self._judge()

    def _judge(self) -> None:
        self.steady = not self._base.called and not any(self._base.told)

    def step(self, moment: Moment, *, newest: bool) -> None:
        """Decide what hangs on the timeframes that close with this bar."""
        self._close(self._base, moment, newest)
        for clock in self._higher:
            if clock.closes_at(moment.close_ms):
                self._close(clock, moment, newest)

    def _close(self, clock: Clock, moment: Moment, newest: bool) -> None:
        board = self._board
        if newest:
            board.close(clock.number)
        else:
            board.end_pulses(clock.number)
        for series in clock.told if newest else clock.series.values():
            board.tell(series.row, series.at(moment))
        for decide in list(clock.called.values()):
            decide(moment)

    def stand(self, moment: Moment) -> None:
        """Put everything where the definition says, after a gap."""
        for clock in self._by_grid.values():
            self._board.end_pulses(clock.number, quiet=True)
            for series in clock.series.values():
                self._board.stand(series.row, series.at(moment, 1), series.at(moment))
