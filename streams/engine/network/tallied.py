"""Conditions that are comparisons with `and`, or with `or`, between them, and nothing else: most alerts are.

They are counted on the board (`tallies`) and have no nodes below them. What is part of a larger condition has.
"""

from collections.abc import Callable, Iterator
from typing import Final

from schemas.conditions import All, AnyOf, Compare, Condition
from streams.engine.conditions.comparisons import Comparison, Moment
from streams.engine.conditions.measures import plainly
from streams.engine.conditions.truth import ORDERED, Truth
from streams.engine.market.market import Slot
from streams.engine.network.board import Board
from streams.engine.network.predicates import Node
from streams.engine.network.series import Operands, Series, split
from streams.engine.network.tallies import MOST

_NEGATED: Final = {"lt": "gte", "lte": "gt", "gt": "lte", "gte": "lt"}


def compared_in(condition: Condition) -> tuple[Compare, ...] | None:
    """The comparisons in `condition`, where it is nothing else and none of them is a cross; else None."""
    items: tuple[Condition, ...] = (
        condition.items if type(condition) is All or type(condition) is AnyOf else (condition,)
    )
    found = []
    for item in items:
        plain = item if type(item) is Compare else plainly(item)
        if type(plain) is not Compare or plain.op not in ORDERED:
            return None
        found.append(plain)
    return tuple(found) if len(found) <= MOST else None


class TallyNode(Node):
    """Such a condition as a whole. `number` is its tally on the board; `compared` hang on `series`, in this order."""

    __slots__ = ("_comparisons", "compared", "series")

    def __init__(self, board: Board, key: Condition, compared: tuple[Compare, ...]) -> None:
        super().__init__(board, key)
        self.compared = compared
        self.series: tuple[Series, ...] = ()
        self._comparisons: tuple[Comparison, ...] | None = None

    def _row(self, kind: int, rank: int, clock: int) -> int:
        return self._board.tally()

    def _tell(self, *, watched: bool) -> None:
        """The board tells of all tallies, also of those nobody watches yet."""

    @property
    def is_any(self) -> bool:
        """Whether one comparison is enough."""
        return type(self.key) is AnyOf

    @property
    def truth(self) -> Truth:
        tallied = self._board.tallied(self.number)
        return tallied if tallied is None or not self.is_any else not tallied

    def hang(self, find: Callable[[Operands, Compare], Series]) -> None:
        """Hang on the series that `find` gives. Where it raises, hang on none."""
        board, n, negated = self._board, self.number, self.is_any
        hung: list[Series] = []
        try:
            for one in self.compared:
                key, op, constant = split(one)
                series = find(key, one)
                board.hang(series.row, _NEGATED[op] if negated else op, constant, n, tally=True)
                series.users += 1
                hung.append(series)
        finally:
            self.series = tuple(hung)

    def unhang(self, leave: Callable[[Series], None]) -> None:
        """Let go of everything it hangs on, and of its tally; `leave` is told of each series."""
        negated = self.is_any
        for series, one in zip(self.series, self.compared, strict=False):  # fewer where hanging was refused
            _, op, constant = split(one)
            self._board.unhang(series.row, _NEGATED[op] if negated else op, constant, self.number, tally=True)
            leave(series)
        self._board.free_tally(self.number)

    def decide(self, moment: Moment) -> Truth:
        return self.joined([one.decide(moment) for one in self.comparisons()])

    def joined(self, truths: list[Truth]) -> Truth:
        """Its truth where those of its comparisons are these (Kleene)."""
        settles = self.is_any
        if settles in truths:
            return settles
        return None if None in truths else not settles

    def slots(self) -> Iterator[Slot]:
        return (slot for series in self.series for slot in series.slots)

    def comparisons(self) -> Iterator[Comparison]:
        if self._comparisons is None:
            pairs = zip(self.series, self.compared, strict=True)
            self._comparisons = tuple(series.compared(one) for series, one in pairs)
        return iter(self._comparisons)
