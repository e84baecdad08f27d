"""How far back a condition looks: what must be kept of each operand, and which clock decides."""

from collections.abc import Iterator
from typing import Final, NamedTuple, TypeAlias

from msgspec.structs import replace

from schemas.conditions import (
    All,
    AnyOf,
    Arithmetic,
    Channel,
    Compare,
    Condition,
    Holds,
    Indicator,
    Moves,
    Not,
    Operand,
    Price,
    Sequenced,
)
from schemas.interval import interval_ms

Leaf: TypeAlias = Price | Indicator
# The close before, which a cross reads, and a bar that closes between two closes of the clock.
_SPARE: Final = 2


class Reach(NamedTuple):
    """`bars`: how many bars of its own timeframe before the newest one the leaf is read, `bars_ago` included."""

    leaf: Leaf
    bars: int

    @property
    def deep(self) -> Leaf:
        """An operand for which as much is kept."""
        return replace(self.leaf, bars_ago=self.bars + _SPARE)


def leaves(node: Condition | Operand) -> Iterator[Leaf]:
    """The prices and indicators below `node`, from left to right."""
    match node:
        case Price() | Indicator():
            yield node
        case Arithmetic(_, left, right) | Compare(_, left, right):
            yield from leaves(left)
            yield from leaves(right)
        case Channel(_, left, low, high):
            for side in (left, low, high):
                yield from leaves(side)
        case Moves(_, left, _, _):
            yield from leaves(left)
        case All(items) | AnyOf(items) | Sequenced(items, _):
            for item in items:
                yield from leaves(item)
        case Not(item) | Holds(item, _):
            yield from leaves(item)


def clock_of(node: Condition | Operand) -> str | None:
    """The smallest timeframe among the operands: when what they tell is decided anew. None: there are none."""
    return min((str(leaf.timeframe) for leaf in leaves(node)), key=interval_ms, default=None)


def reaches(node: Condition | Operand, back_ms: int = 0) -> Iterator[Reach]:
    """What is read of each leaf below `node`, where `node` is asked `back_ms` back. Its timeframes are filled in."""
    clock_ms = interval_ms(clock_of(node) or "1m")
    match node:
        case Price() | Indicator():
            yield Reach(node, node.bars_ago - -back_ms // interval_ms(str(node.timeframe)))
        case Arithmetic(_, left, right) | Compare(_, left, right):
            yield from reaches(left, back_ms)
            yield from reaches(right, back_ms)
        case Channel(_, left, low, high):
            for side in (left, low, high):
                yield from reaches(side, back_ms)
        case Moves(_, left, _, bars):
            yield from reaches(left, back_ms + bars * clock_ms)
        case All(items) | AnyOf(items):
            for item in items:
                yield from reaches(item, back_ms)
        case Not(item):
            yield from reaches(item, back_ms)
        case Holds(item, bars):
            yield from reaches(item, back_ms + (bars - 1) * clock_ms)
        case Sequenced(items, within):
            for item in items:
                yield from reaches(item, back_ms + (within + 1) * clock_ms)
