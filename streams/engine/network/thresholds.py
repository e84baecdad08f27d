"""Thresholds on one operand, sorted, with the place where its value stands: a bar touches only what it moved across."""

from bisect import bisect_left, bisect_right
from typing import Final, Protocol

from streams.engine.conditions.truth import ABOVE, BELOW, EQUAL, ORDERED, Truth, crossed
from streams.engine.network.predicates import Node

_INFINITE: Final = float("inf")


class Sink(Protocol):
    """The network: takes truths as they change."""

    def put(self, node: Node, truth: Truth) -> None: ...
    def pulse(self, node: Node) -> None:
        """`node` became true for this one close of its clock."""


class Thresholds:
    """Constants in ascending order; at each, the nodes that compare the operand with it.

    While `low < value < high` nothing that hangs here can change: the caller compares before it calls `move`.
    `left` and `right` delimit the constants equal to the value. `settled` is False until two values in a row were
    known: before, crosses are unknown.
    """

    __slots__ = ("constants", "crosses", "high", "known", "left", "low", "nodes", "right", "settled")

    def __init__(self) -> None:
        self.constants: list[float] = []
        self.nodes: list[list[tuple[str, Node]]] = []
        self.crosses = 0
        self.left = self.right = 0
        self.known = self.settled = False
        self.low, self.high = _INFINITE, -_INFINITE

    def insert(self, constant: float, op: str, node: Node) -> None:
        """Hang `node` at `constant`; `place` must follow."""
        at = bisect_left(self.constants, constant)
        if at == len(self.constants) or self.constants[at] != constant:
            self.constants.insert(at, constant)
            self.nodes.insert(at, [])
        self.nodes[at].append((op, node))
        self.crosses += op not in ORDERED

    def remove(self, constant: float, op: str, node: Node) -> None:
        """Take `node` away; `place` must follow."""
        at = bisect_left(self.constants, constant)
        self.nodes[at].remove((op, node))
        self.crosses -= op not in ORDERED
        if not self.nodes[at]:
            del self.constants[at], self.nodes[at]

    def place(self, value: float, *, settled: bool) -> None:
        """Stand at `value` (NaN: unknown) without a word to the nodes; `settled`: the value before was known too."""
        self.known = value == value
        self.settled = settled and self.known
        if self.known:
            self.left = bisect_left(self.constants, value)
            self.right = bisect_right(self.constants, value, self.left)
        self._guard()

    def move(self, value: float, sink: Sink) -> None:
        """The next value. Puts every truth that changed, and announces the crosses that became true as pulses."""
        if value != value:
            if self.known:
                self._put_all_unknown(sink)
                self.place(value, settled=False)
            return
        left = bisect_left(self.constants, value)
        right = bisect_right(self.constants, value, left)
        if not self.known:
            self._recover(left, right, sink)
        elif not self.settled:
            self._pass_over(0, len(self.constants), left, right, sink)
            self.settled = True
        else:
            self._pass_over(min(left, self.left), max(right, self.right), left, right, sink)
        self.known = True
        self.left, self.right = left, right
        self._guard()

    def _guard(self) -> None:
        if not self.known or self.left != self.right or (self.crosses and not self.settled):
            self.low, self.high = _INFINITE, -_INFINITE
            return
        self.low = self.constants[self.left - 1] if self.left else -_INFINITE
        self.high = self.constants[self.right] if self.right < len(self.constants) else _INFINITE

    def _pass_over(self, start: int, stop: int, left: int, right: int, sink: Sink) -> None:
        for at in range(start, stop):
            before = ABOVE if at < self.left else EQUAL if at < self.right else BELOW
            now = ABOVE if at < left else EQUAL if at < right else BELOW
            for op, node in self.nodes[at]:
                if op in ORDERED:
                    sink.put(node, ORDERED[op][now])
                elif crossed(op, before, now):
                    sink.put(node, True)
                    sink.pulse(node)
                elif node.truth is None:
                    sink.put(node, False)

    def _recover(self, left: int, right: int, sink: Sink) -> None:
        for at, nodes in enumerate(self.nodes):
            now = ABOVE if at < left else EQUAL if at < right else BELOW
            for op, node in nodes:
                if op in ORDERED:
                    sink.put(node, ORDERED[op][now])

    def _put_all_unknown(self, sink: Sink) -> None:
        for nodes in self.nodes:
            for _, node in nodes:
                sink.put(node, None)
