"""The predicate network of one symbol: what its alerts ask, each question once, kept up to date by what changes.

A bar costs a comparison per operand whose timeframe closed, plus the thresholds it moved across, plus what those
changes flip above, all of it compiled. How many alerts are registered does not matter.
"""

from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count

from schemas.conditions import (
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
    Trail,
)
from streams.engine.conditions.comparisons import Moment
from streams.engine.conditions.measures import measure_of, plainly
from streams.engine.conditions.truth import Truth
from streams.engine.market.market import Market
from streams.engine.market.operands import NEVER_MS
from streams.engine.network.board import Board
from streams.engine.network.predicates import AtNode, CompareNode, Inner, LevelNode, Node, inner
from streams.engine.network.series import Clocks
from streams.engine.network.tallied import TallyNode, compared_in
from streams.engine.network.timed import HoldsNode, MeasureNode, ScheduleNode, SequenceNode, Timed, TimedNode
from streams.engine.network.trails import TrailNode, Trails


class Network:
    """`acquire` and `release` nodes; `step` once per bar, in order. The truths are those at the newest moment."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self.board = Board()
        self._nodes: dict[Condition, Node] = {}
        self._by_number: list[Node | None] = []
        self._tallied: dict[Condition, TallyNode] = {}
        self._by_tally: list[TallyNode | None] = []
        self._clocks = Clocks(market, self.board)
        self._timed = Timed(market, self.board, lambda: self.moment, self._above)
        self.trails = Trails(self.board, self._number, lambda moment: market.bar(moment.number))
        self._instants: list[tuple[int, int, AtNode]] = []
        self._serial = count()
        self._moment: Moment | None = None
        self.newest: Callable[[], Moment | None] | None = None
        """Where a bar has gone over the board without one: how its moment is made when it is asked for."""

    @property
    def moment(self) -> Moment | None:
        """The newest bar as the nodes saw it."""
        if self.newest is not None:
            self._moment, self.newest = self.newest(), None
        return self._moment

    @moment.setter
    def moment(self, moment: Moment) -> None:
        self._moment, self.newest = moment, None

    def quiet_until_ms(self, close_ms: int) -> int:
        """When, after `close_ms`, something other than the base clock and what compiled code reads is due.

        Trails are looked at on every bar: a symbol that has some does not go the quiet way.
        """
        if self.trails.any:
            return close_ms
        instant = self._instants[0][0] if self._instants else NEVER_MS
        return min(instant, self._clocks.quiet_until_ms(close_ms), self.due_ms(close_ms))

    def due_ms(self, close_ms: int) -> int:
        """When a node in time must be looked at though nothing below it changes; a flip at `close_ms` may alter it."""
        return self._timed.quiet_until_ms(close_ms)

    @property
    def conditions(self) -> list[Condition]:
        """Everything asked, each question once; what is counted stands there as a whole only."""
        return [*self._tallied, *self._nodes, *self.trails.conditions]

    def acquire(self, condition: Condition) -> Node:
        """The node of a resolved condition, made if nobody else asks it. Raises what the market's `acquire` raises."""
        condition = plainly(condition)
        tally = self._tallied.get(condition)
        if tally is None:
            compared = compared_in(condition)
            if compared is None:
                return self._acquire(condition)
            tally = self._tallied[condition] = self._tally(condition, compared)
        tally.refs += 1
        return tally

    def _acquire(self, condition: Condition) -> Node:
        """A node that may be part of others."""
        condition = plainly(condition)
        node = self._nodes.get(condition)
        if node is None:
            node = self._nodes[condition] = self._make(condition)
            self._number(node)
            self._hang(node)
        node.refs += 1
        return node

    def release(self, node: Node, now_ms: int) -> None:
        """Give a node back; the last one to do so frees it and what only it used."""
        node.refs -= 1
        if node.refs:
            return
        if type(node) is TallyNode:
            self._release_tally(node, now_ms)
            return
        if isinstance(node, TrailNode):
            self.trails.release(node)
            self._timed.forget(node)
            self._by_number[node.number] = None
            self.board.free(node.number)
            return
        del self._nodes[node.key]
        self._unhang(node, now_ms)
        if isinstance(node, Inner):
            for child in node.children:
                self.board.unlink(child.number, node.number)
        self._by_number[node.number] = None
        self.board.free(node.number)
        if isinstance(node, Inner):
            for child in node.children:
                self.release(child, now_ms)

    def _tally(self, condition: Condition, compared: tuple[Compare, ...]) -> TallyNode:
        node = TallyNode(self.board, condition, compared)
        moment = self.moment
        done = False
        try:
            node.hang(lambda key, one: self._clocks.at(key, one, moment))
            done = True
        finally:
            if not done:
                node.unhang(lambda series: self._clocks.leave(series, 0))
        missing = node.number + 1 - len(self._by_tally)
        if missing > 0:
            self._by_tally.extend([None] * missing)
        self._by_tally[node.number] = node
        return node

    def _release_tally(self, node: TallyNode, now_ms: int) -> None:
        del self._tallied[node.key]
        node.unhang(lambda series: self._clocks.leave(series, now_ms))
        self._by_tally[node.number] = None

    def step(self, moment: Moment, *, newest: bool) -> list[Node]:
        """Take in the bar of `moment`; the watched nodes whose truth may have changed. `newest`: no bar came after."""
        self.moment = moment
        self.trails.step(moment)
        self._clocks.step(moment, newest=newest)
        self._timed.step(moment)
        return self._settle()

    def resync(self, moment: Moment) -> list[Node]:
        """Decide everything anew by the definition, as after a gap; the watched nodes whose truth changed."""
        self.moment = moment
        self._clocks.stand(moment)
        for node in self._nodes.values():
            if isinstance(node, AtNode | MeasureNode | ScheduleNode):
                self.board.put(node.number, node.decide(moment))
        self.trails.step(moment)
        self._timed.resync(moment)
        return self._settle()

    def due_instants(self, now_ms: int) -> list[Node]:
        """Nodes of `at` and `schedule` that a stand-in changes, and all above them; their truths stay as they are."""
        found: dict[Node, None] = {node: None for ms, _, node in self._instants if ms <= now_ms}
        found.update(dict.fromkeys(self._timed.shown_on_stand_in(now_ms)))
        for node in (reached := list(found)):
            above = self._above(node)
            reached.extend(parent for parent in above if parent not in found)
            found.update(dict.fromkeys(above))
        return reached

    def flipped(self, flips: int) -> list[Node]:
        """The watched nodes that flipped when the board advanced; `flips` is what it said."""
        if flips > 0:
            return self._flipped()
        self._decide(self.board.called())
        return self._settle()

    def tell_again(self, node: Node) -> None:
        """Tell the watchers of `node` at the next bar, also where its truth is the same: they saw another one.

        Of a node that asks for values only they did not.
        """
        if not isinstance(node, TallyNode):
            self._timed.shown(node)

    def put(self, node: Node, truth: Truth) -> None:
        """Set a truth; the nodes above follow when it settles."""
        self.board.put(node.number, truth)

    def _settle(self) -> list[Node]:
        while self._instants and self.moment and self._instants[0][0] <= self.moment.now_ms:
            self.board.put(heappop(self._instants)[2].number, True)
        while called := self.board.settle():
            self._decide(called)
        return self._flipped()

    def _decide(self, called: list[int]) -> None:
        for number in called:
            node = self._by_number[number]
            if isinstance(node, TimedNode):
                self.board.put(number, node.joined())

    def _flipped(self) -> list[Node]:
        found = [node for number in self.board.flips() if (node := self._by_number[number]) is not None]
        for number in self.board.told():
            tally = self._by_tally[number]
            if (
                tally is not None and tally.watchers
            ):  # who begins to watch at this bar is no witness of the change
                found.append(tally)
        return found

    def _above(self, node: Node) -> list[Node]:
        return [one for number in self.board.parents(node.number) if (one := self._by_number[number])]

    def _number(self, node: Node) -> None:
        missing = node.number + 1 - len(self._by_number)
        if missing > 0:
            self._by_number.extend([None] * missing)
        self._by_number[node.number] = node

    def _make(self, condition: Condition) -> Node:
        match condition:
            case Compare():
                return CompareNode(self.board, condition, self._clocks.of(condition, self.moment))
            case Level(_, side):
                column = "low" if side == "below" else "high"
                return LevelNode(self.board, condition, self._clocks.of_bar(column, self.moment))
            case At():
                return AtNode(self.board, condition)
            case All(items) | AnyOf(items):
                return inner(self.board, condition, self._children(items))
            case Not(item):
                return inner(self.board, condition, self._children((item,)))
            case Trail():
                raise TypeError("a trail belongs to one watcher: its node is acquired from `trails`")
            case Channel() | Moves():
                return MeasureNode(self.board, condition, measure_of(self._market, condition))
            case Schedule():
                return ScheduleNode(self.board, condition)
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
            return HoldsNode(self.board, condition, children, slots, self._timed)
        return SequenceNode(self.board, condition, children, slots, self._timed)

    def _children(self, items: tuple[Condition, ...]) -> tuple[Node, ...]:
        nodes: list[Node] = []
        done = False
        try:
            for item in items:
                nodes.append(self._acquire(item))  # noqa: PERF401 - those acquired are released when one is refused
            done = True
        finally:
            if not done:
                for node in nodes:
                    self.release(node, 0)
        return tuple(nodes)

    def _hang(self, node: Node) -> None:
        if isinstance(node, CompareNode | LevelNode):
            node.series.users += 1
            self.board.hang(node.series.row, *node.rung, node.number)
        elif isinstance(node, AtNode):
            if self.moment is not None:
                self.board.put(node.number, node.decide(self.moment))
            if node.truth is not True:
                heappush(self._instants, (node.ms, next(self._serial), node))
        elif isinstance(node, MeasureNode | ScheduleNode | TimedNode):
            if self.moment is not None:
                truth = node.joined() if isinstance(node, TimedNode) else node.decide(self.moment)
                self.board.put(node.number, truth)
            self._timed.hang(node)

    def _unhang(self, node: Node, now_ms: int) -> None:
        self._timed.forget(node)
        if isinstance(node, CompareNode | LevelNode):
            self.board.unhang(node.series.row, *node.rung, node.number)
            self._clocks.leave(node.series, now_ms)
        elif isinstance(node, AtNode):
            if node.truth is not True:
                self._instants = sorted(entry for entry in self._instants if entry[2] is not node)
        else:
            self._timed.unhang(node, now_ms)
