"""The board of one symbol: nodes, edges and thresholds in arrays that grow, and who has which row of them."""

from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any, Final, NamedTuple

import numpy as np

from streams.engine.bars import Floats
from streams.engine.conditions.truth import Truth
from streams.engine.network import ladders, machine, tables, tallies, truths
from streams.engine.network.ladders import (
    CODES_AT,
    CONSTANTS_AT,
    DEAD,
    FULL,
    HUNG,
    MISSING,
    NEXT,
    OPS,
    RUNGS,
    STALE,
    TALLY,
)
from streams.engine.network.tables import LADDER, SERIES, STATE, VALUES, Bytes, Rows
from streams.engine.network.truths import (
    CALLS,
    CLOCK,
    EDGE,
    END,
    FLIPS,
    KIND_AT,
    ONLY,
    QUEUES,
    RANK_AT,
    TOLD,
    TRUTH,
    UNKNOWN,
    WATCHED,
    WORD,
)

_CODES: Final = {name: code for code, name in enumerate(OPS)}
_TRUTHS: Final[tuple[Truth, ...]] = (False, True, None)
_NUMBERS: Final[dict[Truth, int]] = {False: truths.FALSE, True: truths.TRUE, None: truths.UNKNOWN}
_ROOM: Final = 16


class Source(NamedTuple):
    """Where a series is read: the addresses of frames' blocks, columns, and how many rows back. See machine.read."""

    kind: int
    frame: int = 0
    column: int = 0
    back: int = 0
    frame2: int = 0
    column2: int = 0
    back2: int = 0


class Board:
    """Rows are named by their number. The caller keeps account of who still needs one."""

    def __init__(self) -> None:
        self._do = machine.machine()
        self._block = np.zeros(tables.WORDS, np.int64)
        self.at = int(self._block.ctypes.data)
        self._nodes = truths.new_nodes(_ROOM)
        self._free_nodes = list(range(_ROOM - 1, -1, -1))
        self._edges = np.zeros((_ROOM, 2), np.int32)
        self._free_edges = list(range(_ROOM - 1, -1, -1))
        self._state = np.full(STATE, END, np.int64)
        self._state[:QUEUES] = 0
        self._clocks = np.full(4, END, np.int64)
        self._heads = np.full(4, END, np.int64)
        self._pulses = truths.new_pulses(_ROOM)
        self._members: list[list[int]] = []
        self._series = np.zeros((4, SERIES), np.int64)
        self._values = np.full((4, VALUES), np.nan)
        self._ladders = np.zeros((8, LADDER), np.int64)
        self._free_series = [3, 2, 1, 0]
        self._rungs: dict[int, tuple[Floats, Rows]] = {}
        self.sources = 0
        """Counts changes of what is read where."""
        self._flipped = self._called = np.zeros((0, 1), np.int32)
        self._tallies: Bytes = np.zeros(0, np.uint8)
        self._doubts: Bytes = np.zeros(0, np.uint8)
        self._told: Rows = np.zeros(0, np.int32)
        self._free_tallies: list[int] = []
        self._bind()

    def _bind(self) -> None:
        if len(self._flipped) != len(self._nodes):
            self._flipped = np.zeros((len(self._nodes), 1), np.int32)
            self._called = np.zeros((len(self._nodes), 1), np.int32)
        block = self._block
        for at, array in (
            (tables.NODES_AT, self._nodes), (tables.EDGES_AT, self._edges), (tables.STATE_AT, self._state),
            (tables.FLIPPED_AT, self._flipped), (tables.CALLED_AT, self._called), (tables.PULSES_AT, self._pulses),
            (tables.CLOCKS_AT, self._clocks), (tables.SERIES_AT, self._series), (tables.VALUES_AT, self._values),
            (tables.LADDERS_AT, self._ladders), (tables.HEADS_AT, self._heads), (tables.TALLIES_AT, self._tallies),
            (tables.DOUBTS_AT, self._doubts), (tables.TOLD_AT, self._told),
        ):  # fmt: skip
            block[at] = array.ctypes.data
        block[tables.NODES], block[tables.EDGES] = len(self._nodes), len(self._edges)
        block[tables.CLOCKS], block[tables.COUNT] = len(self._clocks), len(self._series)
        block[tables.TALLIES] = len(self._tallies)
        self._words = self._nodes[:, WORD].data
        self._counts = self._tallies.data

    def node(self, kind: int, rank: int = 0, clock: int = 0) -> int:
        """A new node, unknown."""
        if not self._free_nodes:
            self._more_nodes()
        n = self._free_nodes.pop()
        self._nodes[n, WORD] = UNKNOWN | kind << KIND_AT | rank << RANK_AT
        self._pulses[n, CLOCK] = clock
        return n

    def _more_nodes(self) -> None:
        assert self._state[FLIPS] == 0
        size = len(self._nodes)
        self._nodes = np.vstack([self._nodes, truths.new_nodes(size)])
        self._pulses = np.vstack([self._pulses, truths.new_pulses(size)])
        self._free_nodes = list(range(2 * size - 1, size - 1, -1))
        self._bind()

    def free(self, n: int) -> None:
        """Give a node back that has neither parents nor children nor rungs."""
        self._do.unpulse(self.at, n)
        assert self._nodes[n, EDGE] == END
        assert self._state[FLIPS] == 0
        self._nodes[n] = truths.new_nodes(1)[0]
        self._free_nodes.append(n)

    def tally(self) -> int:
        """A new tally of no comparisons, true."""
        if not self._free_tallies:
            size, more = len(self._tallies), max(len(self._tallies) // 8, _ROOM)
            self._tallies = np.append(self._tallies, np.zeros(more, np.uint8))
            self._doubts = np.append(self._doubts, np.zeros(more, np.uint8))
            self._told = np.append(self._told, np.zeros(more, np.int32))
            self._free_tallies = list(range(size + more - 1, size - 1, -1))
            self._bind()
        return self._free_tallies.pop()

    def free_tally(self, n: int) -> None:
        """Give a tally back on which nothing hangs any more."""
        assert self._state[TOLD] == 0
        self._tallies[n] = self._doubts[n] = 0
        self._free_tallies.append(n)

    def tallied(self, n: int) -> Truth:
        """Truth of a tally."""
        count = self._counts[n]
        return False if count & tallies.FALSES else None if count & tallies.DOUBT else True

    def told(self) -> list[int]:
        """Tallies whose truth changed since the last call."""
        count = self._do.take_told(self.at)
        found: list[int] = self._told[:count].tolist() if count else []
        return found

    def link(self, child: int, parent: int) -> None:
        """Let `parent` count `child`; `join` must follow."""
        free = self._free_edges
        if len(free) < 2:
            size = len(self._edges)
            self._edges = np.vstack([self._edges, np.zeros((size, 2), np.int32)])
            free.extend(range(2 * size - 1, size - 1, -1))
            self._bind_edges()
        for _ in range(self._do.link(self.at, free[-1], free[-2], child, parent)):
            free.pop()

    def _bind_edges(self) -> None:
        self._block[tables.EDGES_AT], self._block[tables.EDGES] = self._edges.ctypes.data, len(self._edges)

    def unlink(self, child: int, parent: int) -> None:
        """Undo one `link`."""
        edge = self._do.unlink(self.at, child, parent)
        if edge != END:
            self._free_edges.append(edge)

    def join(self, n: int) -> None:
        """Decide an inner node from its children."""
        self._do.join(self.at, n)

    def recall(self, n: int) -> None:
        """Have a node decided that is called, as if something below it had changed."""
        self._do.recall(self.at, n)

    def remind(self, n: int) -> None:
        """Name `n` among the flips, where it is watched, though its truth is what it was."""
        self._do.remind(self.at, n)

    def parents(self, n: int) -> list[int]:
        """The nodes that count `n`."""
        edge = int(self._nodes[n, EDGE])
        if edge <= ONLY:
            return [ONLY - edge]
        found: list[int] = []
        while edge >= 0:
            found.append(int(self._edges[edge, 0]))
            edge = int(self._edges[edge, 1])
        return found

    def truth(self, n: int) -> Truth:
        return _TRUTHS[self._words[n] & TRUTH]

    def put(self, n: int, truth: Truth) -> None:
        """Set a leaf's truth; `settle` must follow."""
        self._do.put(self.at, n, _NUMBERS[truth])

    def watch(self, n: int, *, watched: bool) -> None:
        """Whether somebody wants to be told when the truth changes."""
        if watched:
            self._nodes[n, WORD] |= WATCHED
        else:
            self._nodes[n, WORD] &= ~WATCHED

    def settle(self) -> list[int]:
        """Decide what is above what changed. Returns nodes that must be called, in which case settle again after."""
        return self.called() if self._do.settle(self.at) else []

    def called(self) -> list[int]:
        """The nodes that must be called before it can go on, after `advance` said that there are some."""
        found: list[int] = self._called[: self._state[CALLS], 0].tolist()
        return found

    def flips(self) -> list[int]:
        """Watched nodes whose truth was set anew since the last call."""
        count = self._do.take_flips(self.at)
        found: list[int] = self._flipped[:count, 0].tolist() if count else []
        return found

    def clock(self) -> int:
        """One more clock; the first one is the base timeframe's."""
        if len(self._members) == len(self._clocks):
            more = np.full(len(self._clocks), END, np.int64)
            self._clocks, self._heads = np.append(self._clocks, more), np.append(self._heads, more)
            self._bind()
        self._members.append([])
        return len(self._members) - 1

    def series(self, clock: int, source: Source) -> int:
        """A new series, its value unknown: read whenever `clock` closes, unless it is told."""
        if not self._free_series:
            self._more_series()
        s = self._free_series.pop()
        self._block[tables.USED] = max(int(self._block[tables.USED]), s + 1)
        self.sources += 1
        self._series[s] = 0
        self._series[s, : len(source)] = source
        self._values[s] = np.nan
        self._ladders[2 * s : 2 * s + 2] = 0
        if source.kind != machine.TOLD:
            self._members[clock].append(s)
            self._chain(clock)
        self.stand(s, float("nan"), float("nan"))
        return s

    def _more_series(self) -> None:
        size = len(self._series)
        self._series = np.vstack([self._series, np.zeros_like(self._series)])
        self._values = np.vstack([self._values, np.full_like(self._values, np.nan)])
        self._ladders = np.vstack([self._ladders, np.zeros_like(self._ladders)])
        self._free_series = list(range(2 * size - 1, size - 1, -1))
        self._bind()

    def _chain(self, clock: int) -> None:
        members = self._members[clock]
        self._clocks[clock] = members[0] if members else END
        for s, after in pairwise([*members, END]):
            self._series[s, NEXT] = after

    def drop(self, s: int, clock: int) -> None:
        """Give a series back on which nothing hangs."""
        if s in self._members[clock]:
            self._members[clock].remove(s)
            self._chain(clock)
        self.sources += 1
        self._rungs.pop(2 * s, None)
        self._rungs.pop(2 * s + 1, None)
        self._free_series.append(s)

    def source(self, s: int, source: Source) -> None:
        """Read `s` from elsewhere: its frame has moved a column."""
        self.sources += 1
        self._series[s, : len(source)] = source

    def readings(self) -> list[tuple[int, Source]]:
        """The series of the first clock, and where each is read."""
        width = len(Source._fields)
        return [(s, Source(*self._series[s, :width].tolist())) for s in (self._members or [[]])[0]]

    def hang(self, s: int, op: str, constant: float, n: int, *, tally: bool = False) -> None:
        """Let node `n` be `value op constant`, or tally `n` count it, and decide it."""
        code = n << 4 | TALLY * tally | _CODES[op]
        while (which := self._do.hang(self.at, s, constant, code)) != HUNG:
            if which == FULL:
                self._merge(s)
            else:
                self._widen(which)

    def unhang(self, s: int, op: str, constant: float, n: int, *, tally: bool = False) -> None:
        """Take the rung of a node or a tally away."""
        found = self._do.unhang(self.at, s, constant, n << 4 | TALLY * tally | _CODES[op])
        if found == MISSING:
            raise LookupError(f"no rung {op} {constant} of {'tally' if tally else 'node'} {n}")
        if found == STALE:
            self._merge(s)

    def empty(self, s: int) -> bool:
        """Whether nothing hangs on `s`."""
        big, small = self._ladders[2 * s], self._ladders[2 * s + 1]
        return int(big[RUNGS] - big[DEAD] + small[RUNGS] - small[DEAD]) == 0

    def _widen(self, which: int) -> None:
        rungs = int(self._ladders[which, RUNGS])
        constants, codes = _room(rungs + max(rungs // 8, 4))
        if rungs:
            constants[:rungs], codes[:rungs] = (array[:rungs] for array in self._rungs[which])
        self._keep(which, constants, codes)

    def _keep(self, which: int, constants: Floats, codes: Rows) -> None:
        self._rungs[which] = constants, codes
        row = self._ladders[which]
        row[CONSTANTS_AT], row[CODES_AT] = constants.ctypes.data, codes.ctypes.data
        row[ladders.ROOM] = len(constants)

    def _merge(self, s: int) -> None:
        big, small = self._ladders[2 * s], self._ladders[2 * s + 1]
        room = max(int(big[RUNGS] - big[DEAD] + small[RUNGS] - small[DEAD]) * 17 // 16, 4)
        constants, codes = _room(room)
        self._do.merge(self.at, s, int(constants.ctypes.data), int(codes.ctypes.data), room)
        self._keep(2 * s, constants, codes)

    def close(self, clock: int) -> None:
        """`clock` closed: its pulses end, and its series that are not told are read. `settle` must follow."""
        self._do.close(self.at, clock)

    def advance(self) -> int:
        """Close the first clock and settle: how many watched nodes flipped; -1 less where some must be called."""
        return self._do.advance(self.at)

    def pusher(self, frame: int) -> Callable[[int, float, float, float, float, float], int]:
        """A call that writes a bar at a row of the base frame whose block is given, runs its nodes, and advances."""
        return partial(self._do.bar, self.at, frame)

    def tell(self, s: int, value: float) -> None:
        """The next value of a series."""
        self._do.tell(self.at, s, value)

    def stand(self, s: int, before: float, now: float) -> None:
        """Put a series, and what hangs there, where the definition says."""
        self._do.stand(self.at, s, before, now)

    def end_pulses(self, clock: int, *, quiet: bool = False) -> None:
        """Crosses of the clock's last close are over; `quiet`: their truths are about to be set."""
        self._do.end_pulses(self.at, clock, int(quiet))

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays."""
        arrays: list[Any] = [
            self._nodes, self._pulses, self._edges, self._series, self._values, self._ladders, self._flipped,
            self._called, self._tallies, self._doubts, self._told,
            *(array for pair in self._rungs.values() for array in pair),
        ]  # fmt: skip
        return int(sum(array.nbytes for array in arrays))


def _room(rungs: int) -> tuple[Floats, Rows]:
    """Constants and codes of so many rungs, side by side: a value that moves touches both."""
    room = np.zeros(rungs * 12, np.uint8)
    return room[: rungs * 8].view(np.float64), room[rungs * 8 :].view(np.int32)
