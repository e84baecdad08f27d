"""Comparisons by the clock that decides them: what is read, and moved, when a timeframe closes."""

from schemas.conditions import Compare, Const, Operand
from streams.engine.conditions.comparisons import AnyReader, Comparison, LeafReader, Moment
from streams.engine.conditions.truth import MIRRORED, ORDERED, Truth, standing
from streams.engine.network.predicates import CompareNode, Node
from streams.engine.network.thresholds import Sink, Thresholds


class Watched(Thresholds):
    """An operand with thresholds: read at every close of its clock. `direct`: at hand in the frame, at `column`."""

    __slots__ = ("column", "comparison", "direct", "key", "reader")

    def __init__(self, key: Operand, comparison: Comparison, reader: AnyReader) -> None:
        super().__init__()
        self.key = key
        self.comparison = comparison
        self.reader = reader
        self.direct = isinstance(reader, LeafReader) and reader.bars_ago == 0
        self.column = reader.slot.column if isinstance(reader, LeafReader) else -1

    def stand(self, moment: Moment) -> None:
        """Stand where the definition says the value is, and was at the close before."""
        before = self.comparison.sees(self.reader, moment, 1)
        self.place(self.comparison.sees(self.reader, moment), settled=before == before)


class Clock:
    """What is decided when one timeframe closes. `pulses`: crosses that became true at its last close."""

    __slots__ = ("direct", "length", "operands", "others", "pairs", "pulses", "shift")

    def __init__(self, length: int, shift: int) -> None:
        self.length = length
        self.shift = shift
        self.operands: dict[Operand, Watched] = {}
        self.direct: list[Watched] = []
        self.others: list[Watched] = []
        self.pairs: dict[CompareNode, None] = {}
        self.pulses: list[Node] = []

    @property
    def idle(self) -> bool:
        return not (self.operands or self.pairs)

    def arrange(self) -> None:
        """Sort the operands anew by how they are read."""
        self.direct = [one for one in self.operands.values() if one.direct]
        self.others = [one for one in self.operands.values() if not one.direct]


class Clocks:
    """All comparisons of a symbol."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._clocks: dict[tuple[int, int], Clock] = {}
        self._open: list[Clock] = []
        self._now: Clock | None = None

    def hang(self, node: CompareNode, moment: Moment | None) -> None:
        """Take in a comparison, whose truth at `moment` is decided already."""
        comparison = node.comparison
        grid = (comparison.length, comparison.shift)
        clock = self._clocks.get(grid)
        if clock is None:
            clock = self._clocks[grid] = Clock(*grid)
            self._open = list(self._clocks.values())
        split = _split(comparison)
        if split is None:
            clock.pairs[node] = None
            return
        if node.truth and comparison.op not in ORDERED:
            clock.pulses.append(node)
        operand, op, constant, reader = split
        watched = clock.operands.get(operand)
        if watched is None:
            watched = clock.operands[operand] = Watched(operand, comparison, reader)
            clock.arrange()
        watched.insert(constant, op, node)
        if moment is not None:
            watched.stand(moment)

    def unhang(self, node: CompareNode, moment: Moment | None) -> None:
        """Let a comparison go."""
        comparison = node.comparison
        clock = self._clocks[comparison.length, comparison.shift]
        if node in clock.pulses:
            clock.pulses.remove(node)
        split = _split(comparison)
        if split is None:
            del clock.pairs[node]
        else:
            self._unhang_threshold(clock, node, split[0], split[1], split[2], moment)
        if clock.idle:
            del self._clocks[comparison.length, comparison.shift]
            self._open = list(self._clocks.values())

    def _unhang_threshold(
        self,
        clock: Clock,
        node: CompareNode,
        operand: Operand,
        op: str,
        constant: float,
        moment: Moment | None,
    ) -> None:
        watched = clock.operands[operand]
        # Operands of equal definition share their node, so what is left may be read through a slot given back.
        watched.remove(constant, op, node)
        if not watched.constants:
            del clock.operands[operand]
            clock.arrange()
            return
        if moment is not None:
            watched.stand(moment)

    def pulse(self, node: Node) -> None:
        """Remember that `node` is true for one close of the clock that is being stepped."""
        if self._now is not None:
            self._now.pulses.append(node)

    def step(self, moment: Moment, *, newest: bool) -> None:
        """Decide what hangs on the timeframes that close with this bar."""
        close_ms = moment.close_ms
        for clock in self._open:
            if (close_ms - clock.shift) % clock.length == 0:
                self._close(clock, moment, newest)

    def _close(self, clock: Clock, moment: Moment, newest: bool) -> None:
        self._now = clock
        if clock.pulses:
            over, clock.pulses = clock.pulses, []
            for node in over:
                self._sink.put(node, False)
        if newest:
            for watched in clock.direct:
                value = watched.reader.slot.frame.now[watched.column]  # type: ignore[union-attr]
                if not watched.low < value < watched.high:
                    watched.move(value, self._sink)
        for watched in clock.others if newest else clock.operands.values():
            value = watched.reader.read(moment.number, moment.close_ms, moment.close_ms)
            if not watched.low < value < watched.high:
                watched.move(value, self._sink)
        for node in clock.pairs:
            self._sink.put(node, _at_hand(node.comparison, moment) if newest else node.decide(moment))

    def place(self, moment: Moment) -> None:
        """Stand where the definition says, after a gap; the nodes' truths are decided already."""
        for clock in self._open:
            clock.pulses.clear()
            for watched in clock.operands.values():
                watched.stand(moment)
                clock.pulses.extend(
                    one for nodes in watched.nodes for op, one in nodes if one.truth and op not in ORDERED
                )


def _split(comparison: Comparison) -> tuple[Operand, str, float, AnyReader] | None:
    """(operand, op, constant, reader) of a comparison with a constant, which may stand on either side."""
    node: Compare = comparison.node
    if isinstance(node.right, Const):
        return node.left, node.op, node.right.value, comparison.left
    if isinstance(node.left, Const):
        return node.right, MIRRORED[node.op], node.left.value, comparison.right
    return None


def _at_hand(comparison: Comparison, moment: Moment) -> Truth:
    """`decide` at a close of the comparison's clock on the newest bar, quicker where both sides are at hand."""
    left, right = comparison.left, comparison.right
    if not (isinstance(left, LeafReader) and isinstance(right, LeafReader)):
        return comparison.decide(moment)
    if left.bars_ago or right.bars_ago or comparison.op not in ORDERED:
        return comparison.decide(moment)
    one, other = left.newest, right.newest
    return None if one != one or other != other else ORDERED[comparison.op][standing(one, other)]
