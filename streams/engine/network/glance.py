"""Truths on a bar that has not closed: what its comparisons would say if it closed now, without a trace.

Operands of the base timeframe take the forming bar's values. Those of higher timeframes keep the value of their last
close, a comparison of higher timeframes only keeps its truth, and so does every kind of condition that counts closed
bars or instants.
"""

from collections.abc import Mapping
from typing import NamedTuple

from schemas.market import Kline
from streams.engine.conditions.comparisons import (
    AnyReader,
    ArithmeticReader,
    Comparison,
    ConstReader,
    LeafReader,
    Moment,
    seen,
)
from streams.engine.conditions.resolve import calculate, label
from streams.engine.conditions.truth import MIRRORED, ORDERED, Truth, crossed, standing
from streams.engine.market.market import Market
from streams.engine.network.predicates import AllNode, AnyNode, CompareNode, LevelNode, Node, NotNode
from streams.engine.network.tallied import TallyNode


class Glance(NamedTuple):
    """One update of the bar after `last`, the newest that closed. `market` has glanced at every operand asked for."""

    market: Market
    kline: Kline
    last: Moment

    def decide(self, node: Node) -> Truth:
        """What `node` would be if the bar closed now."""
        if isinstance(node, TallyNode):
            return node.joined([self._compared(one) for one in node.comparisons()])
        if isinstance(node, CompareNode):
            return self._compared(node.comparison)
        if isinstance(node, LevelNode):
            return self.kline.low <= node.price if node.below else self.kline.high >= node.price
        if isinstance(node, AllNode | AnyNode | NotNode):
            return self._joined(node)
        return node.truth

    def values(self, node: Node) -> dict[str, float]:
        """Known values of the operands below `node`, by their text."""
        known: dict[str, float] = {}
        for comparison in node.comparisons():
            if type(comparison) is not Comparison:
                known.update(comparison.values(self.last, self.market.interval))
                continue
            sides = (comparison.node.left, comparison.left), (comparison.node.right, comparison.right)
            for operand, reader in sides:
                value = self._now(comparison, reader)
                if not isinstance(reader, ConstReader) and value == value:
                    known[label(operand, self.market.interval)] = value
        return known

    def readings(self, readers: Mapping[str, tuple[AnyReader, tuple[int, int]]]) -> dict[str, float]:
        """Known values by text, of readers with the grid of the timeframe at whose closes each is read."""
        found = {}
        for text, (reader, (length, shift)) in readers.items():
            now = length == self.market.tape.step_ms
            value = self._read(reader) if now else seen(reader, self.last, length, shift)
            if value == value:
                found[text] = value
        return found

    def _compared(self, comparison: Comparison) -> Truth:
        crosses = comparison.op not in ORDERED
        if not self._moves(comparison) or comparison.op not in MIRRORED:
            return comparison.decide(self.last)
        left, right = self._now(comparison, comparison.left), self._now(comparison, comparison.right)
        if left != left or right != right:
            return None
        if not crosses:
            return ORDERED[comparison.op][standing(left, right)]
        before, against = (comparison.sees(side, self.last) for side in (comparison.left, comparison.right))
        if before != before or against != against:
            return None
        return crossed(comparison.op, standing(before, against), standing(left, right))

    def _moves(self, comparison: Comparison) -> bool:
        """Whether its clock is that of base bars."""
        return comparison.length == self.market.tape.step_ms

    def _now(self, comparison: Comparison, reader: AnyReader) -> float:
        return self._read(reader) if self._moves(comparison) else comparison.sees(reader, self.last)

    def _read(self, reader: AnyReader) -> float:
        if isinstance(reader, ArithmeticReader):
            return calculate(reader.op, self._read(reader.left), self._read(reader.right))
        if not isinstance(reader, LeafReader):
            return reader.value
        slot, back = reader.slot, reader.bars_ago
        if slot.frame is not self.market.tape.frame:
            return self.market.value(slot, self.last.number, back)
        return self.market.value(slot, self.last.number, back - 1) if back else self.market.glanced(slot)

    def _joined(self, node: AllNode | AnyNode | NotNode) -> Truth:
        truths = [self.decide(child) for child in node.children]
        if isinstance(node, NotNode):
            return None if truths[0] is None else not truths[0]
        settles = isinstance(node, AnyNode)
        if settles in truths:
            return settles
        return None if None in truths else not settles
