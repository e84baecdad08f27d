"""The trails of one symbol: each belongs to one member or alert, for what it has seen depends on when that was armed.

Between its level and its extreme (or this side of `activate_at`) a bar changes nothing of a trail. So each waits in two
queues, for the price below and the price above that would, and a bar that reaches neither costs it nothing.
"""

from collections.abc import Callable
from heapq import heapify, heappop, heappush
from itertools import count
from math import inf, nextafter
from typing import Final, NamedTuple

from schemas.alerts import TrailState
from schemas.bots import BotSide, Intrabar
from schemas.conditions import Trail
from streams.engine.conditions.comparisons import Moment
from streams.engine.conditions.truth import Truth
from streams.engine.network.board import Board
from streams.engine.network.predicates import Node
from streams.engine.trail import Candle, Meeting, follow, level_of

_SLACK: Final = 64
_UNSEEN: Final = -1


class Walk(NamedTuple):
    """How bars are walked for whom; a user's alert has no side."""

    side: BotSide | None
    intrabar: Intrabar


class TrailNode(Node):
    """A trail of one watcher. True on the bars whose path meets it, false on others; `state` is that after the last.

    `seen_ms` is when that bar opened, `met` where its path met the trail. `serial` tells what still waits for it in the
    queues from what does not any more.
    """

    __slots__ = ("_before", "_follows", "met", "seen_ms", "serial", "state", "trail", "walk")

    def __init__(self, board: Board, trail: Trail, walk: Walk, state: TrailState, follows: "Trails") -> None:
        super().__init__(board, trail)
        self.trail = trail
        self.walk = walk
        self.state = self._before = state
        self.met: Meeting | None = None
        self.seen_ms = self.serial = _UNSEEN
        self._follows = follows

    def decide(self, moment: Moment) -> Truth:
        """Its truth at `moment`, which is the newest bar that it saw or the next one: that one is folded in.

        Nothing on a stand-in, which has no path.
        """
        if moment.stand_in:
            return None
        if moment.open_time_ms > self.seen_ms:
            self._board.put(self.number, self.fold(moment.open_time_ms, self._follows.bar_of(moment)))
        return self.truth

    def join(self, moment: Moment | None) -> Truth:
        if moment is not None:
            self.decide(moment)
        self._follows.begin(self, told=moment is None)
        return self.truth

    def restore(self, state: TrailState, truth: Truth) -> None:
        """Take back what a row kept, before another bar is seen."""
        self.state = state
        self._board.put(self.number, truth)

    def fold(self, open_time_ms: int, bar: Candle) -> bool:
        """Go along the bar that opened then; whether it met the trail."""
        self._before, self.seen_ms = self.state, open_time_ms
        self.state, self.met = follow(self.trail, self.state, bar, self.walk.side, self.walk.intrabar)
        return self.met is not None

    def before(self, moment: Moment) -> TrailState:
        """The state before the bar of `moment`, which the network has taken in; a stand-in changes none."""
        return self._before if self.seen_ms == moment.open_time_ms and not moment.stand_in else self.state


class Trails:
    """`step` once per bar. `bar_of` gives the whole bar of a moment; it is asked only where a trail needs it. `number`
    is told of new nodes.
    """

    def __init__(
        self, board: Board, number: Callable[[Node], None], bar_of: Callable[[Moment], Candle]
    ) -> None:
        self.bar_of = bar_of
        self._board = board
        self._number = number
        self._serials = count()
        self._nodes: dict[TrailNode, None] = {}
        self._restless: dict[TrailNode, None] = {}
        self._falls: list[tuple[float, int, TrailNode]] = []
        self._rises: list[tuple[float, int, TrailNode]] = []
        self._moved: list[TrailNode] = []

    @property
    def any(self) -> bool:
        """Whether one follows the bars."""
        return bool(self._nodes)

    @property
    def conditions(self) -> list[Trail]:
        """What is asked, each once."""
        return list(dict.fromkeys(node.trail for node in self._nodes))

    @property
    def waiting(self) -> int:
        """Entries in both queues; a few times as many as trails at most, however far they came."""
        return len(self._falls) + len(self._rises)

    def acquire(self, trail: Trail, walk: Walk, start: TrailState) -> TrailNode:
        """A node for one watcher, at `start` before the first bar it sees. It follows nothing before it joins."""
        node = TrailNode(self._board, trail, walk, start, self)
        node.refs = 1
        self._number(node)
        return node

    def release(self, node: TrailNode) -> None:
        """Let it follow no more. What waits for it in the queues is passed over later."""
        self._nodes.pop(node, None)
        self._restless.pop(node, None)
        node.serial = _UNSEEN

    def begin(self, node: TrailNode, *, told: bool) -> None:
        """Follow the bars from the next one on. `told`: its row is written, or will be, as it stands."""
        self._nodes[node] = None
        if not told:
            self._moved.append(node)
        self._wait(node)

    def step(self, moment: Moment) -> None:
        """Take in a bar: only what it moved, what it met, and what met the bar before, which may not meet this one."""
        falls, rises = self._falls, self._rises
        if not (
            self._restless or (falls and -falls[0][0] >= moment.low) or (rises and rises[0][0] <= moment.high)
        ):
            return
        due, self._restless = self._restless, {}
        while falls and -falls[0][0] >= moment.low:
            _, serial, node = heappop(falls)
            if node.serial == serial:
                due[node] = None
        while rises and rises[0][0] <= moment.high:
            _, serial, node = heappop(rises)
            if node.serial == serial:
                due[node] = None
        if not due:
            return
        bar = self.bar_of(moment)
        for node in due:
            state, truth = node.state, node.fold(moment.open_time_ms, bar)
            if node.state != state or node.truth is not truth:
                self._moved.append(node)
            self._board.put(node.number, truth)
            self._wait(node)
        self._tidy()

    def moved(self) -> list[TrailNode]:
        """Those whose state or truth changed since the last call: their rows must be written."""
        if not self._moved:
            return []
        moved, self._moved = self._moved, []
        return moved

    def _wait(self, node: TrailNode) -> None:
        """Queue for the next bar that can change `node`."""
        node.serial = next(self._serials)
        if node.truth is not False:
            self._restless[node] = None
            return
        below, above = bounds(node.trail, node.state)
        if below is not None:
            heappush(self._falls, (-below, node.serial, node))
        if above is not None:
            heappush(self._rises, (above, node.serial, node))

    def _tidy(self) -> None:
        """Drop what nobody waits for any more, when it is more than what somebody waits for."""
        for queue in (self._falls, self._rises):
            if len(queue) > 2 * len(self._nodes) + _SLACK:
                queue[:] = [entry for entry in queue if entry[2].serial == entry[1]]
                heapify(queue)


def bounds(trail: Trail, state: TrailState) -> tuple[float | None, float | None]:
    """(the highest low, the lowest high) of a bar that can change a trail which the last bar did not meet.

    In floats: rounding keeps the order of prices, so a bar that the exact rule cares for reaches the bound.
    """
    if not state.active or state.extreme is None:
        there = float(trail.activate_at or 0)
        return (None, there) if trail.side == "below" else (there, None)
    level = float(level_of(trail, state.extreme))
    if trail.side == "below":
        return level, nextafter(state.extreme, inf)
    return nextafter(state.extreme, -inf), level
