"""The predicate network of one symbol: what its alerts ask, each question once, kept up to date by what changes.

A bar costs a comparison per operand whose timeframe closed, plus the thresholds it moved across, plus what those
changes flip above. How many alerts are registered does not matter.
"""

from heapq import heappop, heappush
from itertools import count

from schemas.conditions import (
    MAX_DEPTH,
    All,
    AnyOf,
    At,
    Channel,
    Compare,
    Condition,
    Holds,
    Level,
    Moves,
    Not,
    Schedule,
    Sequenced,
)
from streams.engine.conditions.comparisons import Comparison, Moment
from streams.engine.conditions.measures import measure_of, plainly
from streams.engine.conditions.truth import Truth
from streams.engine.market.market import Market
from streams.engine.network.clocks import Clocks
from streams.engine.network.predicates import AtNode, CompareNode, Inner, LevelNode, Node, inner
from streams.engine.network.thresholds import Thresholds
from streams.engine.network.timed import HoldsNode, MeasureNode, ScheduleNode, SequenceNode, Timed

# A channel is at most three levels of comparisons, in the place of one node.
_RANKS = MAX_DEPTH + 4


class Network:
    """`acquire` and `release` nodes; `step` once per bar, in order. The truths are those at the newest moment."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._nodes: dict[Condition, Node] = {}
        self._clocks = Clocks(self)
        self._timed = Timed(market, self.put, self._call, self._tell)
        self._below = Thresholds()
        self._above = Thresholds()
        self._instants: list[tuple[int, int, AtNode]] = []
        self._serial = count()
        self._queues: list[list[Inner]] = [[] for _ in range(_RANKS)]
        self._queued = False
        self._flipped: list[Node] = []
        self.moment: Moment | None = None

    @property
    def conditions(self) -> list[Condition]:
        """Everything asked, each question once."""
        return list(self._nodes)

    def acquire(self, condition: Condition) -> Node:
        """The node of a resolved condition, made if nobody else asks it. Raises what the market's `acquire` raises."""
        condition = plainly(condition)
        node = self._nodes.get(condition)
        if node is None:
            node = self._nodes[condition] = self._make(condition)
            if self.moment is not None and not isinstance(node, Inner):
                node.truth = node.decide(self.moment)
            elif isinstance(node, Inner):
                node.truth = node.joined()
            self._hang(node)
        node.refs += 1
        return node

    def release(self, node: Node, now_ms: int) -> None:
        """Give a node back; the last one to do so frees it and what only it used."""
        node.refs -= 1
        if node.refs:
            return
        del self._nodes[node.key]
        self._unhang(node, now_ms)
        if isinstance(node, Inner):
            for child in node.children:
                child.parents.remove(node)
                self.release(child, now_ms)

    def step(self, moment: Moment, *, newest: bool) -> list[Node]:
        """Take in the bar of `moment`; the watched nodes whose truth may have changed. `newest`: no bar came after."""
        self.moment = moment
        below, above = self._below, self._above
        if below.constants and not below.low < moment.low < below.high:
            below.move(moment.low, self)
        if above.constants and not above.low < moment.high < above.high:
            above.move(moment.high, self)
        self._clocks.step(moment, newest=newest)
        self._timed.step(moment)
        return self._settle()

    def resync(self, moment: Moment) -> list[Node]:
        """Decide everything anew by the definition, as after a gap; the watched nodes whose truth changed."""
        self.moment = moment
        for node in self._nodes.values():
            if not isinstance(node, Inner):
                self.put(node, node.decide(moment))
        self._below.place(moment.low, settled=True)
        self._above.place(moment.high, settled=True)
        self._clocks.place(moment)
        self._timed.resync(moment)
        return self._settle()

    def due_instants(self, now_ms: int) -> list[Node]:
        """Nodes of `at` and `schedule` that a stand-in changes, and all above them; their truths stay as they are."""
        found: dict[Node, None] = {node: None for ms, _, node in self._instants if ms <= now_ms}
        found.update(dict.fromkeys(self._timed.shown_on_stand_in(now_ms)))
        for node in (reached := list(found)):
            reached.extend(parent for parent in node.parents if parent not in found)
            found.update(dict.fromkeys(node.parents))
        return reached

    def tell_again(self, node: Node) -> None:
        """Tell the watchers of `node` at the next bar, also where its truth is the same: they saw another one."""
        self._timed.shown(node)

    def put(self, node: Node, truth: Truth) -> None:
        """Set a truth and tell the nodes above."""
        before = node.truth
        if before is truth:
            return
        node.truth = truth
        self._tell(node)
        for parent in node.parents:
            parent.shift(before, truth)
            self._call(parent)

    def pulse(self, node: Node) -> None:
        """A cross became true: it is taken back at the next close of its clock."""
        self._clocks.pulse(node)

    def _call(self, node: Inner) -> None:
        if not node.queued:
            node.queued = self._queued = True
            self._queues[node.rank].append(node)

    def _tell(self, node: Node) -> None:
        if node.watchers and not node.flipped:
            node.flipped = True
            self._flipped.append(node)

    def _settle(self) -> list[Node]:
        while self._instants and self.moment and self._instants[0][0] <= self.moment.now_ms:
            self.put(heappop(self._instants)[2], True)
        # Rank by rank, so that a node is decided once, after all that it depends on.
        if self._queued:
            for queue in self._queues:
                for above in queue:
                    above.queued = False
                    self.put(above, above.joined())
                queue.clear()
            self._queued = False
        if not self._flipped:
            return []
        flipped, self._flipped = self._flipped, []
        for node in flipped:
            node.flipped = False
        return flipped

    def _make(self, condition: Condition) -> Node:
        match condition:
            case Compare():
                return CompareNode(condition, Comparison(self._market, condition))
            case Level():
                return LevelNode(condition)
            case At():
                return AtNode(condition)
            case All(items) | AnyOf(items):
                return inner(condition, self._children(items))
            case Not(item):
                return inner(condition, self._children((item,)))
            case Channel() | Moves():
                return MeasureNode(condition, measure_of(self._market, condition))
            case Schedule():
                return ScheduleNode(condition)
            case Holds() | Sequenced():
                return self._looking_back(condition)

    def _looking_back(self, condition: Holds | Sequenced) -> Node:
        slots = self._timed.kept_for(condition)
        done = False
        try:
            items = (condition.item,) if isinstance(condition, Holds) else condition.items
            children = self._children(items)
            done = True
        finally:
            if not done:
                for slot in slots:
                    self._market.release(slot, 0)
        if isinstance(condition, Holds):
            return HoldsNode(condition, children, slots, self._timed)
        return SequenceNode(condition, children, slots, self._timed)

    def _children(self, items: tuple[Condition, ...]) -> tuple[Node, ...]:
        nodes: list[Node] = []
        done = False
        try:
            for item in items:
                nodes.append(self.acquire(item))  # noqa: PERF401 - those acquired are released when one is refused
            done = True
        finally:
            if not done:
                for node in nodes:
                    self.release(node, 0)
        return tuple(nodes)

    def _hang(self, node: Node) -> None:
        if isinstance(node, CompareNode):
            self._clocks.hang(node, self.moment)
        elif isinstance(node, AtNode):
            if node.truth is not True:
                heappush(self._instants, (node.ms, next(self._serial), node))
        elif isinstance(node, LevelNode):
            self._ladder(node).insert(node.price, _touch(node), node)
            self._place(node)
        else:
            self._timed.hang(node)

    def _unhang(self, node: Node, now_ms: int) -> None:
        self._timed.forget(node)
        if isinstance(node, CompareNode):
            self._clocks.unhang(node, self.moment)
            node.comparison.release(now_ms)
        elif isinstance(node, LevelNode):
            self._ladder(node).remove(node.price, _touch(node), node)
            self._place(node)
        elif isinstance(node, AtNode):
            if node.truth is not True:
                self._instants = sorted(entry for entry in self._instants if entry[2] is not node)
        else:
            self._timed.unhang(node, now_ms)

    def _ladder(self, node: LevelNode) -> Thresholds:
        return self._below if node.below else self._above

    def _place(self, node: LevelNode) -> None:
        if self.moment is not None:
            self._ladder(node).place(self.moment.low if node.below else self.moment.high, settled=True)


def _touch(node: LevelNode) -> str:
    return "lte" if node.below else "gte"
