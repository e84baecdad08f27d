"""What a comparison means: values read at the closes of its clock, compared in three values.

This is the definition. The network reaches the same truths by following changes; what arrives late is decided here.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Final, NamedTuple, Protocol, TypeAlias

from schemas.conditions import Arithmetic, Compare, CompareOp, Const, Indicator, Operand, Price
from schemas.interval import bucket_start_ms, interval_ms
from streams.engine.conditions.reach import clock_of
from streams.engine.conditions.resolve import calculate, label
from streams.engine.conditions.truth import ORDERED, Truth, crossed, standing
from streams.engine.market.market import Market, Slot

_NAN: Final = float("nan")


class Moment(NamedTuple):
    """A bar as conditions see it. `now_ms` is the newest instant that bars and stand-ins told of, `before_ms` the one
    they told of before this moment. On a stand-in only `at` and `schedule` count.
    """

    number: int
    open_time_ms: int
    close_ms: int
    now_ms: int
    low: float
    high: float
    stand_in: bool = False
    before_ms: int = -1

    def since(self, armed_from_ms: int) -> "Moment":
        """As seen by who sees bars from then on only: instants up to there are none of its business."""
        return self if self.before_ms >= armed_from_ms else self._replace(before_ms=armed_from_ms)


class Reader(Protocol):
    """Gives a value as it stood at `at_ms`, seen from base bar `index` that closes at `close_ms`; NaN is unknown."""

    def read(self, index: int, close_ms: int, at_ms: int) -> float: ...


class ConstReader(NamedTuple):
    value: float

    def read(self, index: int, close_ms: int, at_ms: int) -> float:
        return self.value


class LeafReader:
    """A price or an indicator, `bars_ago` bars of its own timeframe back."""

    __slots__ = ("_length", "_market", "_shift", "bars_ago", "slot")

    def __init__(self, market: Market, slot: Slot, timeframe: str, bars_ago: int) -> None:
        self._market = market
        self.slot = slot
        self.bars_ago = bars_ago
        self._length, self._shift = grid(timeframe)

    def read(self, index: int, close_ms: int, at_ms: int) -> float:
        closed_since = (close_ms - self._shift) // self._length - (at_ms - self._shift) // self._length
        return self._market.value(self.slot, index, self.bars_ago + closed_since)

    @property
    def newest(self) -> float:
        """As of the newest bar, without a call where it is at hand."""
        return self.slot.frame.newest(self.slot.column)


class ArithmeticReader(NamedTuple):
    op: str
    left: "AnyReader"
    right: "AnyReader"

    def read(self, index: int, close_ms: int, at_ms: int) -> float:
        return calculate(
            self.op, self.left.read(index, close_ms, at_ms), self.right.read(index, close_ms, at_ms)
        )


AnyReader: TypeAlias = ConstReader | LeafReader | ArithmeticReader


@lru_cache(maxsize=256)
def grid(timeframe: str) -> tuple[int, int]:
    """(length, shift) of the buckets of `timeframe` in milliseconds."""
    length = interval_ms(timeframe)
    return length, bucket_start_ms(8 * length, timeframe) % length


def seen(reader: AnyReader, moment: Moment, length: int, shift: int, closes_back: int = 0) -> float:
    """A value at the last close, at or before `moment`, of the clock with this grid, or at one before; NaN on a
    stand-in.
    """
    if moment.stand_in:
        return _NAN
    at_ms = moment.close_ms - (moment.close_ms - shift) % length - closes_back * length
    return reader.read(moment.number, moment.close_ms, at_ms)


class Asked(Protocol):
    """A question about values, as reports show it."""

    slots: list[Slot]

    def values(self, moment: Moment, base: str) -> dict[str, float]:
        """Known values of its sides at `moment`, by their text."""

    def unknown(self, moment: Moment, base: str) -> list[str]:
        """Texts of the sides that are unknown at `moment`."""


def compile_operands(market: Market, operands: Iterable[Operand]) -> tuple[list[AnyReader], list[Slot]]:
    """Readers of operands, and the slots they hold until released. Raises NeedsHistory or ConditionError (from the
    market), holding nothing.
    """
    slots: list[Slot] = []
    done = False
    try:
        readers = [_reader(market, operand, slots) for operand in operands]
        done = True
    finally:
        if not done:
            for slot in slots:
                market.release(slot, 0)
    return readers, slots


def _reader(market: Market, operand: Operand, slots: list[Slot]) -> AnyReader:
    match operand:
        case Const(value):
            return ConstReader(value)
        case Price() | Indicator():
            timeframe = str(operand.timeframe)
            slot = market.acquire(operand, timeframe)
            slots.append(slot)
            return LeafReader(market, slot, timeframe, operand.bars_ago)
        case Arithmetic(op, left, right):
            return ArithmeticReader(op, _reader(market, left, slots), _reader(market, right, slots))


class Comparison:
    """A compiled comparison. `slots`: what its operands hold in the market."""

    __slots__ = ("_labels", "left", "length", "node", "op", "right", "shift", "slots")

    def __init__(self, node: Compare, left: AnyReader, right: AnyReader, slots: list[Slot]) -> None:
        self._labels: tuple[str, str] | None = None
        self.node = node
        self.op: CompareOp = node.op
        self.length, self.shift = grid(clock_of(node) or "1m")
        self.left = left
        self.right = right
        self.slots = slots

    def clock_at(self, close_ms: int) -> int:
        """When the clock closed last, at or before `close_ms`."""
        return close_ms - (close_ms - self.shift) % self.length

    def decide(self, moment: Moment) -> Truth:
        """Its truth at `moment`: decided at the last close of the clock, and held since.

        After a long gap no value from before it can be read, so neither a truth nor a cross reaches over one.
        """
        return None if moment.stand_in else self.decide_at(moment, moment.close_ms)

    def decide_at(self, moment: Moment, asked_ms: int) -> Truth:
        """Its truth at `asked_ms`, an earlier instant, as seen from the bar of `moment`."""
        at_ms = self.clock_at(asked_ms)
        index, close_ms = moment.number, moment.close_ms
        left, right = self.left.read(index, close_ms, at_ms), self.right.read(index, close_ms, at_ms)
        if left != left or right != right:
            return None
        if self.op in ORDERED:
            return ORDERED[self.op][standing(left, right)]
        before_ms = at_ms - self.length
        left_before = self.left.read(index, close_ms, before_ms)
        right_before = self.right.read(index, close_ms, before_ms)
        if left_before != left_before or right_before != right_before:
            return None
        return crossed(self.op, standing(left_before, right_before), standing(left, right))

    def sees(self, reader: AnyReader, moment: Moment, closes_back: int = 0) -> float:
        """The value of one side at the last close of the clock, or at one before; NaN on a stand-in."""
        return seen(reader, moment, self.length, self.shift, closes_back)

    def values(self, moment: Moment, base: str) -> dict[str, float]:
        """Known values of its sides at `moment`, by their text."""
        known = {}
        for text, reader in self._sides(base):
            value = self.sees(reader, moment)
            if not isinstance(reader, ConstReader) and value == value:
                known[text] = value
        return known

    def unknown(self, moment: Moment, base: str) -> list[str]:
        """Texts of the sides that are unknown at `moment`."""
        return [text for text, reader in self._sides(base) if (value := self.sees(reader, moment)) != value]

    def _sides(self, base: str) -> tuple[tuple[str, AnyReader], tuple[str, AnyReader]]:
        if self._labels is None:
            self._labels = label(self.node.left, base), label(self.node.right, base)
        return (self._labels[0], self.left), (self._labels[1], self.right)
