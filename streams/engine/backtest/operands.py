"""What operands are worth at the close of every bar: the same readings as a comparison makes, over whole arrays.

Operands of the base timeframe are computed over columns; those of higher ones over the frames that a market keeps,
given all bars at once, so that buckets, gaps and readiness are the same. NaN is unknown.
"""

from typing import Final, TypeAlias, TypeVar

import numpy as np

from schemas.conditions import Arithmetic, Const, Indicator, Operand, Price
from streams.engine.backtest.candles import Candles
from streams.engine.backtest.whole import over
from streams.engine.bars import Floats, Ints
from streams.engine.conditions.comparisons import grid
from streams.engine.market.folding import HigherFrame
from streams.engine.market.frames import Frame
from streams.engine.market.nodes import Key, Leaf, Node, key_of

Grid: TypeAlias = tuple[int, int]
"""(length, shift) of a clock in milliseconds."""
_PRICES: Final = ("open", "high", "low", "close", "volume")


_K = TypeVar("_K")
_V = TypeVar("_V")
KEPT: Final = 48
"""Arrays of one kind that are kept, the newest: of a year of minutes each takes 4 MB."""


class Recent(dict[_K, _V]):
    """What was computed lately."""

    def keep(self, key: _K, value: _V) -> _V:
        """Remember `value`, and forget the oldest of too many."""
        while len(self) >= KEPT:
            del self[next(iter(self))]
        self[key] = value
        return value


class Operands:
    """Arrays of one symbol's operands, each computed once while it is in use."""

    def __init__(self, candles: Candles) -> None:
        self.candles = candles
        self.base = grid(candles.interval)
        self._nodes: Recent[Key, tuple[Node, Floats]] = Recent()
        self._leaves: Recent[Leaf, Floats] = Recent()
        self._read: Recent[tuple[Operand, Grid, int], Floats] = Recent()
        self._frames: dict[str, tuple[HigherFrame, dict[Key, Node]]] = {}
        self._base_frame: Frame | None = None

    def read(self, operand: Operand, clock: Grid, closes_back: int = 0) -> Floats:
        """Its value at the last close of `clock` at or before each bar's, or `closes_back` closes before."""
        key = (operand, clock, closes_back)
        found = self._read.get(key)
        if found is None:
            found = self._read.keep(key, self._computed(operand, clock, closes_back))
        return found

    def _computed(self, operand: Operand, clock: Grid, closes_back: int) -> Floats:
        match operand:
            case Const(value):
                return np.full(len(self.candles), value)
            case Arithmetic(op, left, right):
                return calculated(
                    op, self.read(left, clock, closes_back), self.read(right, clock, closes_back)
                )
            case _:
                return self._leaf(operand, clock, closes_back)

    def _leaf(self, leaf: Leaf, clock: Grid, closes_back: int) -> Floats:
        if str(leaf.timeframe) == self.candles.interval:
            if clock == self.base:
                return self._shifted(self._usable(leaf), leaf.bars_ago + closes_back)
            # A clock above the base has no operand of the base: its smallest timeframe would be the clock.
            raise AssertionError("an operand faster than its clock")
        return self._higher(leaf, str(leaf.timeframe), clock, closes_back)

    def _usable(self, leaf: Leaf) -> Floats:
        """Values of the base timeframe, NaN where they may not be used."""
        plain = leaf if not leaf.bars_ago else _now(leaf)
        found = self._leaves.get(plain)
        if found is None:
            found = self._leaves.keep(plain, self._masked(plain))
        return found

    def _masked(self, leaf: Leaf) -> Floats:
        if isinstance(leaf, Price) and leaf.field in _PRICES:
            return self.candles.column(_PRICES.index(leaf.field))
        key, output = key_of(leaf)
        if key not in self._nodes:
            node = Node(key)
            self._nodes.keep(key, (node, over(node, self.candles)))
        node, out = self._nodes[key]
        column = node.outputs.index(output)
        values: Floats = out[column]
        if node.tells_reach:
            age = np.arange(len(self.candles)) - self.candles.run_start + 1
            return np.where(age >= out[-1], values, np.nan)
        for first, _ in self.candles.runs:
            # In place: nobody else has these numbers.
            values[first : first + node.ready[column] - 1] = np.nan
        return values

    def _shifted(self, values: Floats, back: int) -> Floats:
        """The values `back` bars earlier; none from before a gap."""
        if not back:
            return values
        out = np.empty_like(values)
        out[back:] = values[: len(values) - back] if back < len(values) else values[:0]
        for first, _ in self.candles.runs:
            out[first : first + back] = np.nan
        return out

    def _higher(self, leaf: Leaf, timeframe: str, clock: Grid, closes_back: int) -> Floats:
        frame, node, column = self._node_above(leaf, timeframe)
        length, shift = grid(timeframe)
        close_ms = self.candles.close_ms
        at_ms = close_ms - (close_ms - clock[1]) % clock[0] - closes_back * clock[0]
        back = leaf.bars_ago + (close_ms - shift) // length - (at_ms - shift) // length
        base = np.arange(len(self.candles))
        row = np.searchsorted(np.array(frame.closed_at, np.int64), base, side="right") - 1 - back
        clean = _clean_rows(frame, base)
        inside = row >= 0
        kept = np.where(inside, row, 0)
        out = frame.out[: max(frame.size, 1)]
        need = out[kept, node.column + node.width - 1] if node.tells_reach else node.ready[column]
        usable = inside & (row - clean + 1 >= need)
        return np.where(usable, out[kept, node.column + column], np.nan)

    def _node_above(self, leaf: Leaf, timeframe: str) -> tuple[HigherFrame, Node, int]:
        if timeframe not in self._frames:
            self._frames[timeframe] = _folded(timeframe, self._base(), self.candles), {}
        frame, nodes = self._frames[timeframe]
        key, output = key_of(leaf)
        if key not in nodes:
            node = nodes[key] = Node(key)
            frame.add(node)
            frame.compute(node, [])
        return frame, nodes[key], nodes[key].outputs.index(output)

    def _base(self) -> Frame:
        if self._base_frame is None:
            from streams.engine.kernels.program import CompiledProgram

            self._base_frame = Frame(self.candles.interval, CompiledProgram)
            self._base_frame.begin_at(len(self.candles), self.candles.rows(), 0)
        return self._base_frame


def calculated(op: str, left: Floats, right: Floats) -> Floats:
    """`left op right`; NaN (unknown) where that is no finite number."""
    with np.errstate(all="ignore"):
        if op == "+":
            value = left + right
        elif op == "-":
            value = left - right
        elif op == "*":
            value = left * right
        else:
            value = left / right
    return np.where(np.isfinite(value), value, np.nan)


def _now(leaf: Leaf) -> Leaf:
    if isinstance(leaf, Price):
        return Price(leaf.field, leaf.timeframe)
    return Indicator(leaf.name, leaf.params, leaf.output, leaf.timeframe, 0, leaf.seed)


def _folded(timeframe: str, base: Frame, candles: Candles) -> HigherFrame:
    """The bars of `timeframe`, closed as a market closes them, one run of base bars after the other."""
    from streams.engine.kernels.program import CompiledProgram

    frame = HigherFrame(timeframe, CompiledProgram, base)
    ends = [first for first, _ in candles.runs[1:]] + [len(candles)]
    for (start, opened), end in zip(candles.runs, ends, strict=True):
        if start == 0:
            frame.begin(start, opened)
        else:
            frame.after_gap(start, opened)
        frame.close_upto(end, opened + (end - start) * candles.step_ms, candles.step_ms)
    return frame


def _clean_rows(frame: HigherFrame, base: Ints) -> Ints:
    """The first clean row as seen at each base bar."""
    indices = np.array([index for index, _ in frame.marks], np.int64)
    rows = np.array([row for _, row in frame.marks], np.int64)
    return rows[np.maximum(np.searchsorted(indices, base, side="right") - 1, 0)]
