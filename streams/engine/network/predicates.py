"""Nodes of the predicate network. Equal conditions are one node, however many alerts use it.

Each knows its truth two ways: `truth`, kept up by changes on the board, and `decide(moment)`, from the definition.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any

from schemas.conditions import All, AnyOf, At, Compare, Condition, Level, Not
from streams.engine.conditions.comparisons import Asked, Comparison, Moment
from streams.engine.conditions.truth import Truth
from streams.engine.market.market import Slot
from streams.engine.network import truths
from streams.engine.network.board import Board
from streams.engine.network.series import Series, split


class Node(ABC):
    """What all nodes share. `rank` is 0 for leaves, above its children otherwise; `refs` counts users, `watchers` are
    the members and alerts to be told when the truth changes. `number` is its row on the board.
    """

    __slots__ = ("_board", "key", "number", "rank", "refs", "watchers")

    def __init__(
        self, board: Board, key: Condition, kind: int = truths.LEAF, rank: int = 0, clock: int = 0
    ) -> None:
        self._board = board
        self.key = key
        self.rank = rank
        self.refs = 0
        self.number = self._row(kind, rank, clock)
        self.watchers: Sequence[Any] = ()

    def _row(self, kind: int, rank: int, clock: int) -> int:
        return self._board.node(kind, rank, clock)

    def _tell(self, *, watched: bool) -> None:
        self._board.watch(self.number, watched=watched)

    @property
    def truth(self) -> Truth:
        """As of the newest moment."""
        return self._board.truth(self.number)

    @abstractmethod
    def decide(self, moment: Moment) -> Truth:
        """Truth by the definition."""

    def join(self, moment: Moment | None) -> Truth:
        """A watcher sees bars from that of `moment` on, None: from the next one on. Its truth at the newest bar."""
        return self.truth

    def decide_at(self, moment: Moment, asked_ms: int) -> Truth:
        """Truth at an earlier instant, as seen from the bar of `moment`: of what `holds` and `sequence` may ask for."""
        raise TypeError(f"{type(self.key).__name__} has no truth at an earlier close")

    def comparisons(self) -> Iterator[Asked]:
        """The comparisons below, from left to right."""
        return iter(())

    def slots(self) -> Iterator[Slot]:
        """What its comparisons hold in the market."""
        return (slot for one in self.comparisons() for slot in one.slots)

    def watch(self, watcher: Any) -> None:
        """Tell `watcher` from now on."""
        self.watchers = (*self.watchers, watcher) if len(self.watchers) < 8 else [*self.watchers, watcher]
        self._tell(watched=True)

    def unwatch(self, watcher: Any) -> bool:
        """Tell `watcher` no more; whether it had been told."""
        if watcher not in self.watchers:
            return False
        self.watchers = tuple(one for one in self.watchers if one is not watcher)
        self._tell(watched=bool(self.watchers))
        return True


class CompareNode(Node):
    """A rung on a series."""

    __slots__ = ("_comparison", "series")

    key: Compare

    def __init__(self, board: Board, key: Compare, series: Series) -> None:
        super().__init__(board, key, clock=series.clock.number)
        self.series = series
        self._comparison: Comparison | None = None

    @property
    def rung(self) -> tuple[str, float]:
        """(op, constant) by which it hangs."""
        _, op, constant = split(self.key)
        return op, constant

    @property
    def comparison(self) -> Comparison:
        """Its definition; made when it is first asked for, since most are not."""
        if self._comparison is None:
            self._comparison = self.series.compared(self.key)
        return self._comparison

    def decide(self, moment: Moment) -> Truth:
        return self.comparison.decide(moment)

    def decide_at(self, moment: Moment, asked_ms: int) -> Truth:
        return self.comparison.decide_at(moment, asked_ms)

    def comparisons(self) -> Iterator[Asked]:
        yield self.comparison


class LevelNode(Node):
    """Touched: true on the bars whose range reaches the price, false on others. A rung on the bar's low or high."""

    __slots__ = ("below", "price", "series")

    def __init__(self, board: Board, key: Level, series: Series) -> None:
        super().__init__(board, key)
        self.series = series
        self.price = float(key.price)
        self.below = key.side == "below"

    @property
    def rung(self) -> tuple[str, float]:
        """(op, constant) by which it hangs."""
        return "lte" if self.below else "gte", self.price

    def decide(self, moment: Moment) -> Truth:
        if moment.stand_in:
            return None
        return moment.low <= self.price if self.below else moment.high >= self.price


class AtNode(Node):
    """False before its instant, true from the first close at or after it on."""

    __slots__ = ("ms",)

    def __init__(self, board: Board, key: At) -> None:
        super().__init__(board, key)
        self.ms = key.ms

    def decide(self, moment: Moment) -> Truth:
        return moment.now_ms >= self.ms


class Inner(Node):
    """A node above others. The board counts its children's truths, and queues it when they change."""

    __slots__ = ("children",)

    def __init__(self, board: Board, key: Condition, kind: int, children: tuple[Node, ...]) -> None:
        super().__init__(board, key, kind, 1 + max(child.rank for child in children))
        self.children = children
        for child in children:
            board.link(child.number, self.number)

    def comparisons(self) -> Iterator[Asked]:
        for child in self.children:
            yield from child.comparisons()


class Counted(Inner):
    """A node whose truth follows from how many children are true and false: the board decides it."""

    __slots__ = ()

    def __init__(self, board: Board, key: Condition, kind: int, children: tuple[Node, ...]) -> None:
        super().__init__(board, key, kind, children)
        board.join(self.number)

    def decide(self, moment: Moment) -> Truth:
        found = [child.decide(moment) for child in self.children]
        return self._from(found.count(True), found.count(False))

    def decide_at(self, moment: Moment, asked_ms: int) -> Truth:
        truths = [child.decide_at(moment, asked_ms) for child in self.children]
        return self._from(truths.count(True), truths.count(False))

    @abstractmethod
    def _from(self, trues: int, falses: int) -> Truth: ...


class AllNode(Counted):
    __slots__ = ()

    def _from(self, trues: int, falses: int) -> Truth:
        return False if falses else True if trues == len(self.children) else None


class AnyNode(Counted):
    __slots__ = ()

    def _from(self, trues: int, falses: int) -> Truth:
        return True if trues else False if falses == len(self.children) else None


class NotNode(Counted):
    __slots__ = ()

    def _from(self, trues: int, falses: int) -> Truth:
        return False if trues else True if falses else None


def inner(board: Board, key: All | AnyOf | Not, children: tuple[Node, ...]) -> Inner:
    """The node for `key` over its children's nodes."""
    if isinstance(key, All):
        return AllNode(board, key, truths.ALL, children)
    if isinstance(key, AnyOf):
        return AnyNode(board, key, truths.ANY, children)
    return NotNode(board, key, truths.NOT, children)
