"""Nodes in time: what is decided at each close of a clock, what looks back over closes, what a calendar decides.

None of them is looked at while nothing happens to it: a child's flip or a wake-up calls it, and it decides by its
definition, from values that are kept (`Reach`), so a late command, a gap and a restart give what living on gives.
"""

from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from heapq import heappop, heappush
from itertools import count

from schemas.conditions import Channel, Holds, Moves, Schedule, Sequenced
from streams.engine.conditions.comparisons import Asked, Moment, compile_operands, grid
from streams.engine.conditions.cron import Instants
from streams.engine.conditions.measures import Measure
from streams.engine.conditions.reach import clock_of, reaches
from streams.engine.conditions.truth import Truth
from streams.engine.market.market import Market, Slot
from streams.engine.market.operands import NEVER_MS
from streams.engine.network import truths
from streams.engine.network.board import Board
from streams.engine.network.chronicle import Chronicle
from streams.engine.network.predicates import Inner, Node


class MeasureNode(Node):
    """A channel or a move that is no comparison in other words: decided at every close of its clock."""

    __slots__ = ("measure",)

    def __init__(self, board: Board, key: Channel | Moves, measure: Measure) -> None:
        super().__init__(board, key)
        self.measure = measure

    def decide(self, moment: Moment) -> Truth:
        return self.measure.decide(moment)

    def decide_at(self, moment: Moment, asked_ms: int) -> Truth:
        return self.measure.decide_at(moment, asked_ms)

    def comparisons(self) -> Iterator[Asked]:
        yield self.measure


class ScheduleNode(Node):
    """True at the first moment at or after each instant, false at all others."""

    __slots__ = ("instants",)

    def __init__(self, board: Board, key: Schedule) -> None:
        super().__init__(board, key)
        self.instants = Instants(key)

    def decide(self, moment: Moment) -> Truth:
        return self.instants.after(moment.before_ms) <= moment.now_ms


class TimedNode(Inner):
    """Looks back over closes of its clock. `wake_ms`: when its truth may change though no child's does."""

    __slots__ = ("_slots", "_timed", "length", "noted", "offset", "wake_ms")

    def __init__(
        self,
        board: Board,
        key: Holds | Sequenced,
        children: tuple[Node, ...],
        slots: list[Slot],
        timed: "Timed",
    ) -> None:
        super().__init__(board, key, truths.CALLED, children)
        self.length, self.offset = grid(clock_of(key) or "1m")
        self.wake_ms = NEVER_MS
        self.noted: list[Chronicle] = []
        self._slots = slots
        self._timed = timed

    def clock_at(self, asked_ms: int) -> int:
        """When its clock closed last, at or before `asked_ms`."""
        return asked_ms - (asked_ms - self.offset) % self.length

    def joined(self) -> Truth:
        """Truth at the newest moment; asks to be woken when that alone may change it."""
        moment = self._timed.moment
        if moment is None:
            return None
        at_ms = self.clock_at(moment.close_ms)
        if at_ms == moment.close_ms:
            self.note(at_ms)
        truth, self.wake_ms = self.look(moment, at_ms, self.noted)
        if at_ms != moment.close_ms:
            # A child's timeframe closed that is no multiple of this clock: that counts from its next close on.
            self.wake_ms = min(self.wake_ms, at_ms + self.length)
        self._timed.sleep(self)
        return truth

    def decide(self, moment: Moment) -> Truth:
        return None if moment.stand_in else self.decide_at(moment, moment.close_ms)

    def decide_at(self, moment: Moment, asked_ms: int) -> Truth:
        return self.look(moment, self.clock_at(asked_ms), ())[0]

    @abstractmethod
    def look(self, moment: Moment, at_ms: int, noted: Sequence[Chronicle]) -> tuple[Truth, int]:
        """Truth at the close `at_ms`, and when it may change though no child's truth does. `noted`: what is known of
        the children; nothing for the definition.
        """

    def note(self, at_ms: int) -> None:
        """The clock closed at `at_ms`, and the truths of the children are those at that close."""

    def forget(self) -> None:
        """Candles are missing: what was noted of those before does not count."""
        for noted in self.noted:
            noted.forget()

    def release(self, now_ms: int) -> None:
        """Give back what was kept for it."""
        for slot in self._slots:
            self._timed.market.release(slot, now_ms)
        self.wake_ms = NEVER_MS


class HoldsNode(TimedNode):
    """Kleene's `and` over the child's truths at the last closes."""

    __slots__ = ("bars",)

    def __init__(
        self, board: Board, key: Holds, children: tuple[Node, ...], slots: list[Slot], timed: "Timed"
    ) -> None:
        super().__init__(board, key, children, slots, timed)
        self.bars = key.bars

    def look(self, moment: Moment, at_ms: int, noted: Sequence[Chronicle]) -> tuple[Truth, int]:
        (child,) = self.children
        unknown = -1
        for back in range(self.bars):
            truth = child.decide_at(moment, at_ms - back * self.length)
            if truth is False:
                return False, self._leaves(at_ms, back)
            if truth is None and unknown < 0:
                unknown = back
        return (True, NEVER_MS) if unknown < 0 else (None, self._leaves(at_ms, unknown))

    def _leaves(self, at_ms: int, back: int) -> int:
        """When what the close `back` closes before `at_ms` said counts no more; never by itself where it is new."""
        return at_ms + (self.bars - back) * self.length if back else NEVER_MS


class SequenceNode(TimedNode):
    """True at a close at which the last step became true, after the others did, each at a later close than the one
    before it, the first at most `within` closes ago. Unknown where only unknown truths leave that open.

    What its steps were since it exists it has noted; what they were before is decided when it matters.
    """

    __slots__ = ("within",)

    def __init__(
        self, board: Board, key: Sequenced, children: tuple[Node, ...], slots: list[Slot], timed: "Timed"
    ) -> None:
        super().__init__(board, key, children, slots, timed)
        self.within = key.within
        self.noted = [Chronicle(self.length) for _ in children]

    def note(self, at_ms: int) -> None:
        for noted, child in zip(self.noted, self.children, strict=True):
            noted.note(at_ms, child.truth, at_ms - (self.within + 1) * self.length)

    def look(self, moment: Moment, at_ms: int, noted: Sequence[Chronicle]) -> tuple[Truth, int]:
        last = self._edge(self.children[-1], moment, at_ms)
        if last is False:
            unknown = self.children[-1].decide_at(moment, at_ms) is None
            return False, at_ms + self.length if unknown else NEVER_MS
        if last and self._reaches(moment, at_ms, noted, sure=True):
            truth: Truth = True
        else:
            truth = None if self._reaches(moment, at_ms, noted, sure=False) else False
        return truth, at_ms + self.length

    def _reaches(self, moment: Moment, at_ms: int, noted: Sequence[Chronicle], *, sure: bool) -> bool:
        """Whether the steps before the last can be found, each as late as may be: then the first is latest."""
        earliest_ms = at_ms - self.within * self.length
        for place in range(len(self.children) - 2, -1, -1):
            step = self.children[place]
            at_ms -= self.length
            if noted:
                edge_ms = noted[place].edge_until(at_ms, sure=sure)
                if edge_ms is not None:
                    at_ms = edge_ms
                    continue
                at_ms = min(at_ms, noted[place].begins_ms)
            while at_ms >= earliest_ms:
                edge = self._edge(step, moment, at_ms)
                if edge or (edge is None and not sure):
                    break
                at_ms -= self.length
            else:
                return False
        return at_ms >= earliest_ms

    def _edge(self, step: Node, moment: Moment, at_ms: int) -> Truth:
        """Whether `step` became true at the close `at_ms`."""
        now = step.decide_at(moment, at_ms)
        if now is False:
            return False
        before = step.decide_at(moment, at_ms - self.length)
        if before is True:
            return False
        return True if now and before is False else None


class Timed:
    """All nodes in time of a symbol. `moment` is the network's newest one, `above` names the nodes above one."""

    def __init__(
        self,
        market: Market,
        board: Board,
        moment: Callable[[], Moment | None],
        above: Callable[[Node], list[Node]],
    ) -> None:
        self.market = market
        self._board = board
        self._moment = moment
        self._nodes_above = above
        self._serial = count()
        self._measures: dict[tuple[int, int], dict[MeasureNode, None]] = {}
        self._lookers: dict[TimedNode, None] = {}
        self._wakes: list[tuple[int, int, TimedNode]] = []
        self._instants: list[tuple[int, int, ScheduleNode]] = []
        self._over: dict[ScheduleNode, None] = {}
        self._shown: dict[Node, None] = {}
        self._stood_in_ms = -1

    @property
    def moment(self) -> Moment | None:
        """The newest bar."""
        return self._moment()

    def quiet_until_ms(self, close_ms: int) -> int:
        """When, after `close_ms`, something here is due without a child's flip."""
        if self._measures or self._shown or self._over:
            return close_ms
        wake = self._wakes[0][0] if self._wakes else NEVER_MS
        return min(wake, self._instants[0][0] if self._instants else NEVER_MS)

    def kept_for(self, key: Holds | Sequenced) -> list[Slot]:
        """Slots that keep what `key` looks back at. Raises what the market's `acquire` raises, holding nothing."""
        return compile_operands(self.market, [reach.deep for reach in reaches(key)])[1]

    def hang(self, node: Node) -> None:
        """Take in a node whose truth at the newest moment is decided already."""
        if isinstance(node, MeasureNode):
            self._measures.setdefault((node.measure.length, node.measure.shift), {})[node] = None
        elif isinstance(node, TimedNode):
            self._lookers[node] = None
        elif isinstance(node, ScheduleNode):
            # A tick may have stood in since the newest bar: its instants were told then, and are over.
            now_ms = max(-1 if self.moment is None else self.moment.now_ms, self._stood_in_ms)
            heappush(self._instants, (node.instants.after(now_ms), next(self._serial), node))
            if node.truth:
                self._over[node] = None

    def unhang(self, node: Node, now_ms: int) -> None:
        """Let a node go. What waits for it in a queue is passed over later."""
        if isinstance(node, MeasureNode):
            grid_of = node.measure.length, node.measure.shift
            del self._measures[grid_of][node]
            if not self._measures[grid_of]:
                del self._measures[grid_of]
            node.measure.release(now_ms)
        elif isinstance(node, TimedNode):
            del self._lookers[node]
            node.release(now_ms)
        elif isinstance(node, ScheduleNode):
            self._over.pop(node, None)

    def sleep(self, node: TimedNode) -> None:
        """Call `node` at the close at which it asked to be woken."""
        if node.wake_ms != NEVER_MS:
            heappush(self._wakes, (node.wake_ms, next(self._serial), node))

    def step(self, moment: Moment) -> None:
        """Decide what this bar is a close for, and call what it wakes."""
        for (length, shift), measures in self._measures.items():
            if (moment.close_ms - shift) % length == 0:
                for node in measures:
                    self._board.put(node.number, node.decide(moment))
        if self._instants or self._shown:
            self._turn_pages(moment)
        self._wake(moment)

    def resync(self, moment: Moment) -> None:
        """After a gap, when all leaves are decided anew: what looks back does not see over it."""
        self._turn_pages(moment)
        for node in self._lookers:
            node.forget()
            self._board.recall(node.number)

    def shown_on_stand_in(self, now_ms: int) -> list[Node]:
        """Schedules whose truth a stand-in at `now_ms` changes; theirs in the network is that at the newest bar."""
        self._stood_in_ms = now_ms
        nodes: dict[Node, None] = dict.fromkeys(self._over)
        self._over.clear()
        for node in self._due(now_ms):
            self._over[node] = nodes[node] = None
        self._shown |= nodes
        return list(nodes)

    def shown(self, node: Node) -> None:
        """Somebody was told another truth of `node` than it has: all are told at the next bar."""
        self._shown[node] = None

    def forget(self, node: Node) -> None:
        """Nobody is to be told of `node` any more."""
        self._shown.pop(node, None)

    def _turn_pages(self, moment: Moment) -> None:
        """Schedules: those of the last moment are over, those of this one are due."""
        over, self._over = self._over, dict.fromkeys(self._due(moment.now_ms))
        shown, self._shown = self._shown, {}
        # One that was true at the last bar is over since the stand-ins after it.
        for node in (*over, *shown):
            if isinstance(node, ScheduleNode) and node not in self._over:
                self._board.put(node.number, False)
        for node in self._over:
            self._board.put(node.number, True)
        for seen in (reached := list(shown)):
            self._board.remind(seen.number)
            above = self._nodes_above(seen)
            reached.extend(parent for parent in above if parent not in shown)
            shown.update(dict.fromkeys(above))

    def _due(self, now_ms: int) -> list[ScheduleNode]:
        due = []
        while self._instants and self._instants[0][0] <= now_ms:
            node = heappop(self._instants)[2]
            if node.refs:
                heappush(self._instants, (node.instants.after(now_ms), next(self._serial), node))
                due.append(node)
        return due

    def _wake(self, moment: Moment) -> None:
        while self._wakes and self._wakes[0][0] <= moment.close_ms:
            due_ms, _, node = heappop(self._wakes)
            if node.wake_ms == due_ms:
                node.wake_ms = NEVER_MS
                self._board.recall(node.number)
