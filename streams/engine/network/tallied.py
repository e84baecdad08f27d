"""Conditions that are comparisons with `and`, or with `or`, between them, and nothing else: most alerts are.

They are counted on the board (`tallies`) and have no nodes below them. What is part of a larger condition has.
"""

from collections.abc import Iterator
from typing import Final

from schemas.conditions import All, AnyOf, Compare, Condition
from streams.engine.conditions.comparisons import Comparison, Moment
from streams.engine.conditions.measures import plainly
from streams.engine.conditions.truth import ORDERED, Truth
from streams.engine.market.market import Slot
from streams.engine.network.board import Board
from streams.engine.network.predicates import Node
from streams.engine.network.series import Series, split
from streams.engine.network.tallies import MOST

_NEGATED: Final = {"lt": "gte", "lte": "gt", "gt": "lte", "gte": "lt"}


def compared_in(condition: Condition) -> tuple[Compare, ...] | None:
    """The comparisons in `condition`, where it is nothing else and none of them is a cross; else None."""
    if isinstance(condition, All | AnyOf):
        items: tuple[Condition, ...] = condition.items
    else:
        items = (condition,)
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

    def __init__(
        self, board: Board, key: Condition, compared: tuple[Compare, ...], series: tuple[Series, ...]
    ) -> None:
        super().__init__(board, key)
        self.compared = compared
        self.series = series
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

    @property
    def rungs(self) -> Iterator[tuple[Series, str, float]]:
        """(series, op, constant) by which it hangs."""
        negated = self.is_any
        for series, one in zip(self.series, self.compared, strict=True):
            _, op, constant = split(one)
            yield series, _NEGATED[op] if negated else op, constant

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
