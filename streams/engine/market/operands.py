"""The operands of one symbol: frames by timeframe, nodes by definition, counted slots, and what anchors know
of them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from schemas.conditions import Indicator, Price
from schemas.interval import interval_ms
from streams.engine.errors import BadParameter, NeedsHistory, StateTooLarge
from streams.engine.kernels.program import Program
from streams.engine.market.anchors import Anchor, Place
from streams.engine.market.folding import HigherFrame
from streams.engine.market.frames import Frame
from streams.engine.market.nodes import Node, key_of
from streams.engine.market.tape import Tape

DAY_MS: Final = 86_400_000
# A table value holds 64 kB; the rest is for what a row says besides its nodes.
STATE_LIMIT: Final = 52_000
_FRAME_BYTES: Final = 128
# So deep are the values that do without rows of outputs: now, and before.
_NEWEST: Final = 2
NEVER_MS: Final = 1 << 62


@dataclass(eq=False, slots=True)
class Slot:
    """Where an operand's values stand: `frame.now[column]` and `frame.prev[column]` are the newest two."""

    frame: Frame
    column: int
    node: Node

    @property
    def seeded_from_ms(self) -> int | None:
        """Set where this operand does not begin at the symbol's origin, because the bars from there are
        gone.
        """
        return self.node.seeded_from_ms


class Operands:
    """`expires_ms`: when the next unused node may go. `history_loaded`: the earliest bars there are, are
    kept. `changes` counts what alters the saved form of an anchor.
    """

    def __init__(self, tape: Tape, programs: Callable[[], Program]) -> None:
        self.frames: dict[str, Frame] = {tape.interval: tape.frame}
        self.higher: list[HigherFrame] = []
        self.nodes: dict[Place, Node] = {}
        self.anchors: list[Anchor] = []
        self.expires_ms = NEVER_MS
        self.history_loaded = False
        self.seeded_from_ms: int | None = None
        self.changes = 0
        self._tape = tape
        self._programs = programs

    def acquire(self, leaf: Price | Indicator, timeframe: str, path: str) -> Slot:
        """See Market.acquire."""
        key, output = key_of(leaf, path)
        depth = leaf.bars_ago + 2
        node = self.nodes.get((timeframe, key))
        if node is None:
            node = self._new_node(Node(key, depth), timeframe, path)
        elif depth > node.depth or not self._covers(node, timeframe, depth):
            self._demand_room(node, timeframe, depth, path)
            if not self._covers(node, timeframe, depth):
                self._require_history()
        if depth > _NEWEST:
            self.frames[timeframe].write_all()
        self.changes += 1
        node.depth = max(node.depth, depth)
        node.refs += 1
        node.released_ms = None
        return Slot(self.frames[timeframe], node.column + node.outputs.index(output), node)

    def release(self, slot: Slot, now_ms: int) -> None:
        """See Market.release."""
        slot.node.refs -= 1
        if slot.node.refs == 0:
            self.changes += 1
            slot.node.released_ms = now_ms
            self.expires_ms = min(self.expires_ms, now_ms + DAY_MS)

    def drop_expired(self, now_ms: int) -> None:
        """Drop the nodes that nobody has used for a day."""
        self.changes += 1
        unused = {
            place: node.released_ms for place, node in self.nodes.items() if node.released_ms is not None
        }
        for place, released_ms in list(unused.items()):
            if released_ms + DAY_MS <= now_ms:
                self.frames[place[0]].remove(self.nodes.pop(place))
                del unused[place]
                for anchor in self.anchors:
                    anchor.states.pop(place, None)
        self.expires_ms = min((at + DAY_MS for at in unused.values()), default=NEVER_MS)

    def recompute(self) -> None:
        """Compute every frame and node anew, now that the tape begins at the origin: to the same bits,
        further back.
        """
        tape = self._tape
        # A market that was begun anew has another origin than the symbol, and says so for ever.
        self.seeded_from_ms = self.seeded_from_ms if self.seeded_from_ms == tape.origin_ms else None
        for node in self.nodes.values():
            node.seeded_from_ms = self.seeded_from_ms
        tape.frame.begin_clean([(index, index) for index, _ in tape.timeline.runs(0, tape.next)])
        for place, node in self.nodes.items():
            if place[0] == tape.interval:
                self._compute(node, place)
        for frame in self.higher:
            frame.clear()
            self._catch_up(frame)

    def add_frame(self, timeframe: str) -> HigherFrame:
        """A frame that has seen nothing yet."""
        frame = HigherFrame(timeframe, self._programs, self._tape.frame)
        self.frames[timeframe] = frame
        self.higher.append(frame)
        return frame

    def _new_node(self, node: Node, timeframe: str, path: str) -> Node:
        self._require_history()
        self._demand_room(node, timeframe, node.depth, path)
        if timeframe not in self.frames:
            self._new_frame(timeframe, path)
        frame = self.frames[timeframe]
        frame.add(node)
        self._compute(node, (timeframe, node.key))
        late = node.start_row == frame.whole_row > 0
        node.seeded_from_ms = max(frame.whole_ms, self.seeded_from_ms or 0) if late else self.seeded_from_ms
        self.nodes[timeframe, node.key] = node
        return node

    def _demand_room(self, node: Node, timeframe: str, depth: int, path: str) -> None:
        """StateTooLarge where the symbol's row would not hold `node`, `depth` values deep, beside what it holds."""
        nodes = {place: (other, other.depth) for place, other in self.nodes.items()}
        nodes[timeframe, node.key] = node, depth
        held = sum(one.bytes_in_row(deep) for one, deep in nodes.values())
        for name in {place[0] for place in nodes} - {self._tape.interval}:
            # A restart has the base bars from the topic, but the rows of higher timeframes from the symbol's row.
            readers = [one for place, (one, _) in nodes.items() if place[0] == name and one.lookback]
            columns = {column for one in readers for column in one.reads}
            held += _FRAME_BYTES + 8 * len(columns) * max((one.lookback for one in readers), default=0)
        if held > STATE_LIMIT:
            raise StateTooLarge(path, f"the symbol would hold {held} bytes of state, {STATE_LIMIT} at most")

    def _compute(self, node: Node, place: Place) -> None:
        stops = [anchor.frames[place[0]].next_row for anchor in self.anchors]
        for anchor, state in zip(self.anchors, self.frames[place[0]].compute(node, stops), strict=True):
            anchor.states[place] = state

    def _require_history(self) -> None:
        if self._tape.frame.first > 0 and not self.history_loaded:
            raise NeedsHistory(self._tape.symbol)

    def _covers(self, node: Node, timeframe: str, depth: int) -> bool:
        """Whether `depth` values before the first bar that may be asked for are kept, or were never there."""
        frame = self.frames[timeframe]
        needed = max(node.start_row, frame.row_seen_at(self._tape.first) - depth + 1)
        return max(node.from_row, frame.first) <= needed

    def _new_frame(self, timeframe: str, path: str) -> None:
        length = interval_ms(timeframe)
        if length % self._tape.step_ms:
            place = f"{path}.timeframe" if path else "timeframe"
            raise BadParameter(place, f"{timeframe} is no multiple of {self._tape.interval}")
        frame = self.add_frame(timeframe)
        if self._tape.origin_ms is not None:
            self._catch_up(frame)

    def _catch_up(self, frame: HigherFrame) -> None:
        """Fold the base bars kept, as they came, and let every anchor see the frame on the way."""
        tape = self._tape
        runs = tape.timeline.runs(tape.frame.first, tape.next)
        ends = [index for index, _ in runs[1:]] + [tape.next]
        for (start, opened), end in zip(runs, ends, strict=True):
            if start == tape.frame.first:
                frame.begin(start, opened)
                self._show(frame, start)
            else:
                frame.after_gap(start, opened)
            for stop in [*(a.index for a in self.anchors if start < a.index < end), end]:
                frame.close_upto(stop, opened + (stop - start) * tape.step_ms, tape.step_ms)
                self._show(frame, stop)

    def _show(self, frame: HigherFrame, index: int) -> None:
        for anchor in self.anchors:
            if anchor.index == index:
                anchor.take(frame)
