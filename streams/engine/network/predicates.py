"""Nodes of the predicate network. Equal conditions are one node, however many alerts use it.

Each knows its truth two ways: `truth`, kept up by changes, and `decide(moment)`, from the definition.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any

from schemas.conditions import All, AnyOf, At, Compare, Condition, Level, Not
from streams.engine.conditions.comparisons import Asked, Comparison, Moment
from streams.engine.conditions.truth import Truth


class Node(ABC):
    """What all nodes share. `rank` is 0 for leaves, above its children otherwise; `refs` counts users, `watchers` are
    the members and alerts to be told when the truth changes.
    """

    __slots__ = ("flipped", "key", "parents", "queued", "rank", "refs", "truth", "watchers")

    def __init__(self, key: Condition, rank: int = 0) -> None:
        self.key = key
        self.rank = rank
        self.refs = 0
        self.truth: Truth = None
        self.parents: list[Inner] = []
        self.watchers: list[Any] = []
        self.queued = self.flipped = False

    @abstractmethod
    def decide(self, moment: Moment) -> Truth:
        """Truth by the definition."""

    def decide_at(self, moment: Moment, asked_ms: int) -> Truth:
        """Truth at an earlier instant, as seen from the bar of `moment`: of what `holds` and `sequence` may ask for."""
        raise TypeError(f"{type(self.key).__name__} has no truth at an earlier close")

    def comparisons(self) -> Iterator[Asked]:
        """The comparisons below, from left to right."""
        return iter(())


class CompareNode(Node):
    __slots__ = ("comparison",)

    def __init__(self, key: Compare, comparison: Comparison) -> None:
        super().__init__(key)
        self.comparison = comparison

    def decide(self, moment: Moment) -> Truth:
        return self.comparison.decide(moment)

    def decide_at(self, moment: Moment, asked_ms: int) -> Truth:
        return self.comparison.decide_at(moment, asked_ms)

    def comparisons(self) -> Iterator[Asked]:
        yield self.comparison


class LevelNode(Node):
    """Touched: true on the bars whose range reaches the price, false on others."""

    __slots__ = ("below", "price")

    def __init__(self, key: Level) -> None:
        super().__init__(key)
        self.price = float(key.price)
        self.below = key.side == "below"

    def decide(self, moment: Moment) -> Truth:
        if moment.stand_in:
            return None
        return moment.low <= self.price if self.below else moment.high >= self.price


class AtNode(Node):
    """False before its instant, true from the first close at or after it on."""

    __slots__ = ("ms",)

    def __init__(self, key: At) -> None:
        super().__init__(key)
        self.ms = key.ms

    def decide(self, moment: Moment) -> Truth:
        return moment.now_ms >= self.ms


class Inner(Node):
    """A node above others. It counts its children's truths, so a change below costs the same however many there are."""

    __slots__ = ("children", "falses", "trues")

    def __init__(self, key: Condition, children: tuple[Node, ...]) -> None:
        super().__init__(key, 1 + max(child.rank for child in children))
        self.children = children
        self.trues = sum(child.truth is True for child in children)
        self.falses = sum(child.truth is False for child in children)
        for child in children:
            child.parents.append(self)

    def shift(self, before: Truth, now: Truth) -> None:
        """One child went from `before` to `now`."""
        if before is True:
            self.trues -= 1
        elif before is False:
            self.falses -= 1
        if now is True:
            self.trues += 1
        elif now is False:
            self.falses += 1

    def joined(self) -> Truth:
        """Truth from the children's truths as counted."""
        return self._from(self.trues, self.falses)

    def decide(self, moment: Moment) -> Truth:
        truths = [child.decide(moment) for child in self.children]
        return self._from(truths.count(True), truths.count(False))

    def decide_at(self, moment: Moment, asked_ms: int) -> Truth:
        truths = [child.decide_at(moment, asked_ms) for child in self.children]
        return self._from(truths.count(True), truths.count(False))

    def comparisons(self) -> Iterator[Asked]:
        for child in self.children:
            yield from child.comparisons()

    @abstractmethod
    def _from(self, trues: int, falses: int) -> Truth: ...


class AllNode(Inner):
    __slots__ = ()

    def _from(self, trues: int, falses: int) -> Truth:
        return False if falses else True if trues == len(self.children) else None


class AnyNode(Inner):
    __slots__ = ()

    def _from(self, trues: int, falses: int) -> Truth:
        return True if trues else False if falses == len(self.children) else None


class NotNode(Inner):
    __slots__ = ()

    def _from(self, trues: int, falses: int) -> Truth:
        return False if trues else True if falses else None


def inner(key: All | AnyOf | Not, children: tuple[Node, ...]) -> Inner:
    """The node for `key` over its children's nodes."""
    if isinstance(key, All):
        return AllNode(key, children)
    return AnyNode(key, children) if isinstance(key, AnyOf) else NotNode(key, children)
