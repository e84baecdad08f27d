"""What channels and moves mean: values read at the closes of a clock, as comparisons read them.

Most are comparisons in other words (`plainly`): those the network keeps by thresholds, which cost nothing until they
are crossed. The rest is decided at each close of its clock.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from itertools import chain
from math import inf, nan, nextafter

from msgspec.structs import replace

from schemas.conditions import (
    All,
    AnyOf,
    Arithmetic,
    Channel,
    Compare,
    Condition,
    Const,
    Moves,
    Not,
    Operand,
    Price,
)
from streams.engine.conditions.comparisons import AnyReader, ConstReader, Moment, compile_operands, grid
from streams.engine.conditions.reach import clock_of, leaves, reaches
from streams.engine.conditions.resolve import calculate, label
from streams.engine.conditions.truth import Truth
from streams.engine.market.market import Market

_PERCENT = 100.0
# Prices are decimals, kept as floats: from 12 to 13.2 is a move by 10 %, and comes out as 9.999999999999994 %.
_SLACK = 1e-6


def plainly(node: Condition) -> Condition:
    """Comparisons that are true, false and unknown when `node` is; `node` itself where there are none.

    In a channel between constants every comparison is of one operand, so all are known or none is.
    """
    match node:
        case Channel(op, left, Const(low), Const(high)):
            return _between_constants(op, left, low, high)
        case Moves(op, left, _, bars) if len({leaf.timeframe for leaf in leaves(left)}) == 1:
            before = _ago(left, bars)
            change = Arithmetic("-", left, before) if "up" in op else Arithmetic("-", before, left)
            if not op.endswith("_percent"):
                return Compare("gte", change, Const(least(node)))
            if isinstance(left, Price):  # which is never below zero
                percent = Arithmetic("*", Arithmetic("/", change, before), Const(_PERCENT))
                return Compare("gte", percent, Const(least(node)))
    return node


def least(node: Moves) -> float:
    """The smallest difference that counts as a move by `right`: a millionth less, so that rounding loses none."""
    return node.right * (1.0 - _SLACK)


def _between_constants(op: str, left: Operand, low: float, high: float) -> Condition:
    if op == "inside":
        return All((Compare("gt", left, Const(low)), Compare("lt", left, Const(high))))
    if op == "outside":
        return AnyOf((Compare("lte", left, Const(low)), Compare("gte", left, Const(high))))
    if op == "enters":
        from_below = All((Compare("crosses_above", left, Const(low)), Compare("lt", left, Const(high))))
        from_above = All((Compare("crosses_below", left, Const(high)), Compare("gt", left, Const(low))))
        return AnyOf((from_below, from_above))
    # A cross is `before >= and now <`; leaving is `before > and now <=`, which is a cross of the next number.
    downwards = Compare("crosses_below", left, Const(nextafter(low, inf)))
    upwards = Compare("crosses_above", left, Const(nextafter(high, -inf)))
    from_above_it = Compare("crosses_below", left, Const(high))
    from_below_it = Compare("crosses_above", left, Const(low))
    return AnyOf((All((downwards, Not(from_above_it))), All((upwards, Not(from_below_it)))))


def _ago(operand: Operand, bars: int) -> Operand:
    match operand:
        case Const():
            return operand
        case Arithmetic(op, left, right):
            return Arithmetic(op, _ago(left, bars), _ago(right, bars))
        case _:
            return replace(operand, bars_ago=operand.bars_ago + bars)


class Measure(ABC):
    """A compiled channel or move, and the slots it holds in the market."""

    def __init__(self, market: Market, node: Channel | Moves, operands: Iterable[Operand]) -> None:
        """Raises NeedsHistory or ConditionError (from the market), holding nothing."""
        self._market = market
        self._operands = tuple(operands)
        self.length, self.shift = grid(clock_of(node) or "1m")
        # The deepest first: what is kept for them serves the others.
        deep = [reach.deep for reach in reaches(node)]
        readers, self.slots = compile_operands(market, chain(deep, self._operands))
        self._readers = readers[len(deep) :]

    def release(self, now_ms: int) -> None:
        """Give the slots back."""
        for slot in self.slots:
            self._market.release(slot, now_ms)
        self.slots.clear()

    def decide(self, moment: Moment) -> Truth:
        """Its truth at `moment`: decided at the last close of the clock, and held since."""
        return None if moment.stand_in else self.decide_at(moment, moment.close_ms)

    @abstractmethod
    def decide_at(self, moment: Moment, asked_ms: int) -> Truth:
        """Its truth at `asked_ms`, an earlier instant, as seen from the bar of `moment`."""

    def values(self, moment: Moment, base: str) -> dict[str, float]:
        """Known values of its operands at `moment`, by their text."""
        return {text: value for text, value in self._shown(moment, base) if value == value}

    def unknown(self, moment: Moment, base: str) -> list[str]:
        """Texts of the operands that are unknown at `moment`."""
        return [text for text, value in self._shown(moment, base) if value != value]

    def _shown(self, moment: Moment, base: str) -> list[tuple[str, float]]:
        at_ms = self._clock_at(moment.close_ms)
        return [
            (label(operand, base), nan if moment.stand_in else self._read(reader, moment, at_ms))
            for operand, reader in zip(self._operands, self._readers, strict=True)
            if not isinstance(reader, ConstReader)
        ]

    def _clock_at(self, asked_ms: int) -> int:
        return asked_ms - (asked_ms - self.shift) % self.length

    @staticmethod
    def _read(reader: AnyReader, moment: Moment, at_ms: int) -> float:
        return reader.read(moment.number, moment.close_ms, at_ms)


class InChannel(Measure):
    """An operand between two others."""

    def __init__(self, market: Market, node: Channel) -> None:
        super().__init__(market, node, (node.left, node.low, node.high))
        self.op = node.op

    def decide_at(self, moment: Moment, asked_ms: int) -> Truth:
        at_ms = self._clock_at(asked_ms)
        now = self._inside(moment, at_ms)
        if now is None or self.op in {"inside", "outside"}:
            return now if now is None else now == (self.op == "inside")
        before = self._inside(moment, at_ms - self.length)
        if before is None:
            return None
        return now != before and now == (self.op == "enters")

    def _inside(self, moment: Moment, at_ms: int) -> Truth:
        left, low, high = (self._read(reader, moment, at_ms) for reader in self._readers)
        return None if left != left or low != low or high != high else low < left < high


class Moved(Measure):
    """An operand against its own value some closes of its clock before."""

    def __init__(self, market: Market, node: Moves) -> None:
        super().__init__(market, node, (node.left,))
        self._node = node

    def decide_at(self, moment: Moment, asked_ms: int) -> Truth:
        at_ms = self._clock_at(asked_ms)
        now = self._read(self._readers[0], moment, at_ms)
        before = self._read(self._readers[0], moment, at_ms - self._node.bars * self.length)
        change = calculate("-", now, before) if "up" in self._node.op else calculate("-", before, now)
        if self._node.op.endswith("_percent"):
            change = calculate("*", calculate("/", change, abs(before)), _PERCENT)
        return None if change != change else change >= least(self._node)


def measure_of(market: Market, node: Channel | Moves) -> Measure:
    """The compiled form of `node`."""
    return InChannel(market, node) if isinstance(node, Channel) else Moved(market, node)
