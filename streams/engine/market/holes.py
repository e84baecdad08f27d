"""Holes: rows whose outputs were not written, because the nodes ran elsewhere, and the states to write them from.

Whoever asks for such a row has the nodes run over the hole once more, to the same bits. Most rows nobody asks for.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from streams.engine.market.nodes import Node, State, States

# A hole that begins so soon after another is part of it: the rows between are written again, the same.
NEAR: Final = 512


@dataclass(slots=True)
class Hole:
    """Outputs of rows [start, stop) are missing; `states` are those before row `start`."""

    start: int
    stop: int
    states: dict[Node, State]


class Holes:
    """Those of one frame, oldest first."""

    def __init__(self) -> None:
        self._holes: list[Hole] = []

    def __bool__(self) -> bool:
        return bool(self._holes)

    def add(self, start: int, stop: int, nodes: Iterable[Node], states: Callable[[], States]) -> None:
        """A new one after all others. `states` gives those of `nodes` before row `start`."""
        last = self._holes[-1] if self._holes else None
        if last is not None and start - last.start < NEAR and last.states.keys() == set(nodes):
            last.stop = stop
        else:
            self._holes.append(Hole(start, stop, dict(states())))

    def take(self, start: int, stop: int) -> list[Hole]:
        """Those among rows [start, stop), which are holes no longer."""
        found = [hole for hole in self._holes if hole.start < stop and start < hole.stop]
        for hole in found:
            self._holes.remove(hole)
        return found

    def forget(self, node: Node) -> None:
        """The node goes, or was computed anew over all rows."""
        for hole in self._holes:
            hole.states.pop(node, None)

    def forget_before(self, row: int) -> list[Hole]:
        """Rows before `row` go, and holes among them. Those to be written first: they reach beyond."""
        self._holes = [hole for hole in self._holes if hole.stop > row]
        return self.take(0, row)

    def whole_from(self, row: int, lookback: int) -> int:
        """`row`, or the first one that kernels read to fill a hole that reaches beyond it."""
        for hole in reversed(self._holes):
            if hole.stop > row:
                row = min(row, hole.start - lookback)
        return row

    def clear(self) -> None:
        """There are no rows."""
        self._holes.clear()
