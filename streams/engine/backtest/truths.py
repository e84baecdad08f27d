"""Conditions over whole arrays, in three values (law 13): 1 true, 0 false, -1 unknown, one number per bar.

What a comparison, a channel, a move and `holds` mean stands in `streams.engine.conditions`; here is the same for all
bars at once. Kinds whose truth depends on when somebody began to watch, or on ticks, are refused as `BarByBar`.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from schemas.conditions import (
    All,
    AnyOf,
    At,
    Channel,
    Compare,
    Condition,
    Const,
    Holds,
    Level,
    Moves,
    Not,
    Operand,
    Schedule,
    Sequenced,
)
from streams.engine.backtest.candles import Candles
from streams.engine.backtest.operands import Grid, Operands, Recent, calculated
from streams.engine.bars import Floats
from streams.engine.conditions.comparisons import grid
from streams.engine.conditions.measures import least, plainly
from streams.engine.conditions.reach import clock_of
from streams.engine.conditions.resolve import label
from streams.engine.conditions.truth import MIRRORED
from streams.engine.kernels.kernel import kernel, source_digest
from streams.engine.kernels.program import compile_function

Truths = NDArray[np.int8]
UNKNOWN: Final = -1
_OPS: Final = {
    name: number
    for number, name in enumerate(("lt", "lte", "gt", "gte", "crosses", "crosses_above", "crosses_below"))
}


_WORDS: Final = {
    Sequenced: "a sequence",
    At: "an instant inside a condition",
    Schedule: "a schedule inside a condition",
}


class BarByBar(ValueError):
    """Something that whole arrays do not decide: the reason, in words that end "walked bar by bar because: …"."""


@kernel
def order_against(out: Truths, left: Floats, right: float, op: int) -> None:
    """`left op right` for the four orders."""
    for t in range(len(out)):
        x = left[t]
        if op == 0:
            truth = x < right
        elif op == 1:
            truth = x <= right
        elif op == 2:
            truth = x > right
        else:
            truth = x >= right
        out[t] = np.int8(truth) if x == x else np.int8(-1)


@kernel
def order_between(out: Truths, left: Floats, right: Floats, op: int) -> None:
    for t in range(len(out)):
        x, y = left[t], right[t]
        if op == 0:
            truth = x < y
        elif op == 1:
            truth = x <= y
        elif op == 2:
            truth = x > y
        else:
            truth = x >= y
        out[t] = np.int8(truth) if x == x and y == y else np.int8(-1)


class _Compare(NamedTuple):
    against: Callable[..., None]
    between: Callable[..., None]


@cache
def _compare() -> _Compare:
    """The compiled orders; `source` is part of numba's cache key, nothing else."""
    source = source_digest(order_against, order_between)

    def against(out: Truths, left: Floats, right: float, op: int) -> None:
        if source != 0:
            order_against(out, left, right, op)

    def between(out: Truths, left: Floats, right: Floats, op: int) -> None:
        if source != 0:
            order_between(out, left, right, op)

    return _Compare(
        compile_function("void(int8[::1], float64[::1], float64, int64)", against),
        compile_function("void(int8[::1], float64[::1], float64[::1], int64)", between),
    )


class TruthTable:
    """Truths of one symbol's conditions, each computed once."""

    def __init__(self, candles: Candles, operands: Operands | None = None) -> None:
        self.candles = candles
        self.operands = operands or Operands(candles)
        self._found: Recent[Condition, Truths] = Recent()

    def of(self, condition: Condition) -> Truths:
        """Truth at every bar. Raises BarByBar."""
        plain = plainly(condition)
        found = self._found.get(plain)
        if found is None:
            found = self._found.keep(plain, self._decided(plain))
        return found

    def _decided(self, node: Condition) -> Truths:
        match node:
            case Compare():
                return self._compared(node)
            case All(items):
                return np.ascontiguousarray(_and([self.of(item) for item in items]))
            case AnyOf(items):
                return _negated(_and([_negated(self.of(item)) for item in items]))
            case Not(item):
                return _negated(self.of(item))
            case Channel():
                return self._in_channel(node)
            case Moves():
                return self._moved(node)
            case Holds():
                return self._held(node)
            case Level(price, side):
                low = side == "below"
                column = self.candles.low if low else self.candles.high
                out = np.empty(len(self.candles), np.int8)
                _compare().against(out, column, float(price), _OPS["lte" if low else "gte"])
                return out
            case _:
                raise BarByBar(_WORDS.get(type(node), "a condition that depends on who watches"))

    def _compared(self, node: Compare) -> Truths:
        clock = _clock(node, self.operands)
        if node.op in ("lt", "lte", "gt", "gte"):
            return self._ordered(node, clock)
        now, before = (self._standing(node, clock, back) for back in (0, 1))
        known = (now != -2) & (before != -2)
        crossed = (before != now) & (now != 0)
        if node.op == "crosses_above":
            crossed &= now == 1
        elif node.op == "crosses_below":
            crossed &= now == -1
        return np.where(known, crossed, UNKNOWN).astype(np.int8)

    def _ordered(self, node: Compare, clock: Grid) -> Truths:
        out = np.empty(len(self.candles), np.int8)
        left, right, op = node.left, node.right, node.op
        if isinstance(left, Const):
            left, right, op = right, left, MIRRORED[op]
        values = np.ascontiguousarray(self.operands.read(left, clock))
        if isinstance(right, Const):
            _compare().against(out, values, right.value, _OPS[op])
        else:
            _compare().between(out, values, np.ascontiguousarray(self.operands.read(right, clock)), _OPS[op])
        return out

    def _standing(self, node: Compare, clock: Grid, back: int) -> NDArray[np.int8]:
        """Where left stands to right: 1 above, 0 equal, -1 below, -2 unknown."""
        left, right = (self.operands.read(side, clock, back) for side in (node.left, node.right))
        with np.errstate(invalid="ignore"):
            standing = (left > right).astype(np.int8) - (left < right).astype(np.int8)
        return np.where(np.isnan(left) | np.isnan(right), np.int8(-2), standing)

    def _in_channel(self, node: Channel) -> Truths:
        clock = _clock(node, self.operands)
        now = self._inside(node, clock, 0)
        if node.op in {"inside", "outside"}:
            return now if node.op == "inside" else _negated(now)
        before = self._inside(node, clock, 1)
        known = (now != UNKNOWN) & (before != UNKNOWN)
        flipped = (now != before) & (now == (node.op == "enters"))
        return np.where(known, flipped, UNKNOWN).astype(np.int8)

    def _inside(self, node: Channel, clock: Grid, back: int) -> Truths:
        left, low, high = (self.operands.read(side, clock, back) for side in (node.left, node.low, node.high))
        known = ~(np.isnan(left) | np.isnan(low) | np.isnan(high))
        with np.errstate(invalid="ignore"):
            return np.where(known, (low < left) & (left < high), UNKNOWN).astype(np.int8)

    def _moved(self, node: Moves) -> Truths:
        clock = _clock(node, self.operands)
        now, before = (self.operands.read(node.left, clock, back) for back in (0, node.bars))
        change = calculated("-", now, before) if "up" in node.op else calculated("-", before, now)
        if node.op.endswith("_percent"):
            share = calculated("/", change, np.abs(before))
            change = calculated("*", share, np.full(len(share), 100.0))
        with np.errstate(invalid="ignore"):
            return np.where(np.isnan(change), UNKNOWN, change >= least(node)).astype(np.int8)

    def _held(self, node: Holds) -> Truths:
        """Kleene's `and` over the truths at the last closes of its clock; none can be seen over a gap."""
        length, shift = _clock(node, self.operands)
        child = self.of(node.item)
        candles = self.candles
        close_ms = candles.close_ms
        at_ms = close_ms - (close_ms - shift) % length
        rows = np.arange(len(candles)) - (close_ms - at_ms) // candles.step_ms
        seen = []
        for back in range(node.bars):
            row = rows - back * (length // candles.step_ms)
            inside = row >= candles.run_start
            seen.append(np.where(inside, child[np.where(inside, row, 0)], UNKNOWN).astype(np.int8))
        return _and(seen)


def _clock(node: Condition, operands: Operands) -> Grid:
    timeframe = clock_of(node)
    return operands.base if timeframe is None else grid(timeframe)


def _and(truths: list[Truths]) -> Truths:
    """False where one is, else unknown where one is."""
    out = truths[0]
    for other in truths[1:]:
        either = np.minimum(out, other)
        out = np.where((out == 0) | (other == 0), np.int8(0), either)
    return out


def _negated(truths: Truths) -> Truths:
    return np.where(truths == UNKNOWN, np.int8(UNKNOWN), np.int8(1) - truths)


def asked(condition: Condition) -> Iterator[tuple[tuple[Operand, ...], str | None]]:
    """The questions about values below `condition`, from left to right: operands, and the timeframe of their clock."""
    node = plainly(condition)
    match node:
        case Compare(_, left, right):
            yield (left, right), clock_of(node)
        case Channel(_, left, low, high):
            yield (left, low, high), clock_of(node)
        case Moves(_, left, _, _):
            yield (left,), clock_of(node)
        case All(items) | AnyOf(items):
            for item in items:
                yield from asked(item)
        case Not(item) | Holds(item, _):
            yield from asked(item)
        case _:
            return


Watched: TypeAlias = list[tuple[str, Floats]]
"""Operands by their text, each with its value at every bar."""


def watched(conditions: Sequence[Condition], operands: Operands) -> Watched:
    """The operands of conditions that are no constants, in the order in which they are asked for."""
    return [
        (
            label(side, operands.candles.interval),
            operands.read(side, operands.base if timeframe is None else grid(timeframe)),
        )
        for condition in conditions
        for sides, timeframe in asked(condition)
        for side in sides
        if not isinstance(side, Const)
    ]


def told_at(operands: Watched, row: int) -> dict[str, float]:
    """What they were worth at a bar; what is unknown is left out."""
    seen: dict[str, float] = {}
    for name, column in operands:
        value = float(column[row])
        if value == value:
            seen[name] = value
    return seen


def values_at(conditions: Sequence[Condition], operands: Operands, row: int) -> dict[str, float]:
    """What the operands of conditions were worth at a bar, by their text; what is unknown is left out."""
    return told_at(watched(conditions, operands), row)
