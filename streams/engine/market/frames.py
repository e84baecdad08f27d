"""A frame: the bars of one timeframe, the nodes on it, and every value they had.

Rows are numbered from the frame's first bar ever; arrays begin at row `first` and are moved down in blocks.
`out` holds what was *defined* at each row; what may be *used* is decided on reading, by readiness and by the
gaps seen so far.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Final

import numpy as np

from schemas.interval import interval_ms
from streams.engine.bars import ROW_WIDTH, Floats, Ints
from streams.engine.kernels.program import Program
from streams.engine.kernels.rows import enough
from streams.engine.market.holes import Hole, Holes
from streams.engine.market.nodes import Node, State, States

NEVER: Final = 1 << 60
_COLUMN_STEP: Final = 4
_ROOM: Final = 256
# A frame that outgrows that is there to stay: room for what a market keeps, which costs nothing until it is used.
_LASTING: Final = 8_192


class Frame:
    """`now` and `prev`: usable values after the newest and the last but one bar of the timeframe, by column.

    `version` counts the frame's bars, `binds` how often nodes or arrays changed. `marks` are (base index, row): from
    that base bar on, rows before that row are tainted (law 4). `first` and `next` delimit the rows kept, `size` of
    them: the next bar goes to that row of the arrays.
    """

    def __init__(self, timeframe: str, programs: Callable[[], Program]) -> None:
        self.timeframe = timeframe
        self.length_ms = interval_ms(timeframe)
        self.first = 0
        self.version = 0
        # Rows before that one, which opened at that time, lack what no kernel reads: a restart has them so.
        self.whole_row, self.whole_ms = 0, 0
        self.marks: list[tuple[int, int]] = [(0, 0)]
        self.nodes: list[Node] = []
        self.program = programs()
        self.bars = np.zeros((_ROOM, ROW_WIDTH))
        self.out = np.full((_ROOM, _COLUMN_STEP), math.nan)
        self._need = np.full(_COLUMN_STEP, NEVER, np.int64)
        self._usable = np.full(_COLUMN_STEP, math.nan)
        self.size = 0
        self._room = _ROOM
        self._run = (0, 0)
        self.binds = 0
        self._holes = Holes()
        self._copied: tuple[tuple[int, int], States] = (-1, -1), {}
        self._f, self._i = np.zeros(0), np.zeros(0, np.int64)
        self._parts: list[tuple[Node, slice, slice]] = []
        self.states_at = self._f.ctypes.data, self._i.ctypes.data
        """Addresses of all nodes' floats and of their integers."""
        self._bind()

    @property
    def next(self) -> int:
        return self.version

    def opens_at(self, open_time_ms: int) -> None:
        """The next bar opens at `open_time_ms`, and those after it follow in steps until this is called again."""
        self._run = (self.version, open_time_ms)
        self._place()

    def append(self, o: float, h: float, low: float, c: float, v: float) -> None:
        """One more bar of this timeframe: every node runs on it."""
        t = self.size
        if t == self._room:
            self._grow()
        self._push(t, o, h, low, c, v)
        self.size = t + 1
        self.version += 1

    def make_room(self) -> None:
        """Grow the arrays where no row is left."""
        if self.size == self._room:
            self._grow()

    def skip(self, start: int, stop: int, states: States | None = None) -> None:
        """The nodes run over rows [start, stop) without writing their outputs. `states` are those before row `start`,
        if the nodes are not in them now.
        """
        self._holes.add(start, stop, self.nodes, self.states if states is None else lambda: states)

    @property
    def states_size(self) -> tuple[int, int]:
        """How many floats and integers the states of all nodes are."""
        return len(self._f), len(self._i)

    def part(self, f: Floats, i: Ints) -> States:
        """A copy of all nodes' states, node by node."""
        return {node: (f[floats], i[ints]) for node, floats, ints in self._parts}

    def states(self) -> States:
        """Copies of the nodes' states before row `next`, not to be changed: made once for all who ask at that row."""
        at = self.version, self.binds
        if self._copied[0] != at:
            self._copied = at, self.part(self._f.copy(), self._i.copy())
        return self._copied[1]

    @property
    def room(self) -> int:
        """How many rows may be pushed before the arrays must grow."""
        return self._room - self.size

    @property
    def now(self) -> list[float]:
        values: list[float] = self._usable.tolist()
        return values

    @property
    def prev(self) -> list[float]:
        clean = self.marks[-1][1]
        return [self.usable(c, self.version - 2, clean) for c in range(len(self._usable))]

    def newest(self, column: int) -> float:
        """`now[column]`, without the others."""
        return float(self._usable[column])

    def glance(self, row: tuple[float, ...], nodes: Iterable[Node]) -> None:
        """Run `nodes` on a bar that has not closed, as if it had, and take back what that did to their states.

        `row`: open, high, low, close, volume, and when it opened.

        Until the next bar is appended, `usable` tells what they came to, at row `next`. Nothing else sees that row.
        """
        t = self.size
        if t == self._room:
            self._grow()
        self.bars[t] = row
        for node in nodes:
            state = node.state()
            self.program.run(node, t, t + 1)
            node.restore(state)

    def taint(self, base_index: int, clean_row: int) -> None:
        """From base bar `base_index` on, rows before `clean_row` are not to be used."""
        self.marks.append((base_index, clean_row))
        for node in self.nodes:
            self._demand(node)
        self._place()
        self._usable[:] = math.nan

    def begin_clean(self, marks: list[tuple[int, int]]) -> None:
        """Replace the marks: (base index, first clean row from there on)."""
        self.marks = marks
        self._place()

    def row_seen_at(self, base_index: int) -> int:
        """The newest row that is closed as seen at the close of base bar `base_index`."""
        return base_index

    def clean_row(self, base_index: int) -> int:
        """The first row that is clean as seen at base bar `base_index`."""
        for index, row in reversed(self.marks):
            if index <= base_index:
                return row
        return NEVER

    def usable(self, column: int, row: int, clean_row: int) -> float:
        """The value of `column` at `row`, NaN where it is undefined, unready, tainted or not kept."""
        t = row - self.first
        if self._holes:
            if row == self.version - 1 and clean_row == self.marks[-1][1]:
                return self.newest(column)
            self._fill(row, row + 1)
        if t < 0 or not enough(self.out, self._need.item(column), t, clean_row - self.first):
            return math.nan
        value: float = self.out.item(t, column)
        return value

    def add(self, node: Node) -> None:
        """Give `node` columns of its own; `compute` fills them."""
        node.column = self._free_columns(node.width)
        node.p[np.isnan(node.p)] = self.length_ms  # see Plan
        self._demand(node)
        self.nodes.append(node)
        self._gather()
        self._bind()

    def remove(self, node: Node) -> None:
        """Free the node's columns."""
        columns = slice(node.column, node.column + node.width)
        self._need[columns] = NEVER
        self.out[:, columns] = math.nan
        self.nodes.remove(node)
        self._holes.forget(node)
        self._gather()
        self._bind()

    def compute(self, node: Node, stops: Sequence[int]) -> list[State]:
        """Run `node` anew over all rows kept; its state before each of the rows `stops` (ascending)."""
        node.reset()
        self._holes.forget(node)
        node.from_row = node.start_row = at = max(self.first, self.whole_row)
        self._demand(node)
        states = []
        for stop in stops:
            if stop > at:
                self.program.run(node, at - self.first, stop - self.first)
                at = stop
            states.append(node.state())
        self.program.run(node, at - self.first, self.size)
        self.refresh()
        return states

    def refresh(self) -> None:
        """Read `now` anew from what is kept."""
        clean = self.marks[-1][1]
        self._usable[:] = [self.usable(c, self.version - 1, clean) for c in range(len(self._usable))]
        self.program.set_last(self.size - 1)

    def forget_before(self, row: int, base_index: int) -> None:
        """Drop the rows before `row`, and the marks that base bar `base_index` no longer sees."""
        drop = min(max(row - self.first, 0), self.size)
        if drop:
            for hole in self._holes.forget_before(row):
                self._write(hole)
            kept = self.size - drop
            self.bars[:kept] = self.bars[drop : self.size]
            self.out[:kept] = self.out[drop : self.size]
            self.size = kept
            self.first += drop
        while len(self.marks) > 1 and self.marks[1][0] <= base_index:
            del self.marks[0]
        self._place()
        self.program.set_last(self.size - 1)

    def rows_behind(self, margin: int) -> int:
        """How many rows before one that is asked for must be kept: for windows, `bars_ago` and the margin."""
        return max([margin, *(max(node.lookback, node.depth) for node in self.nodes)])

    def lookback(self) -> int:
        """How many rows before the current one the kernels read."""
        return max((node.lookback for node in self.nodes), default=0)

    def columns_read(self) -> tuple[int, ...]:
        """Which columns of earlier rows the kernels read."""
        return tuple(sorted({column for node in self.nodes if node.lookback for column in node.reads}))

    def write_all(self) -> None:
        """Write every output that is missing: compiled code will read earlier rows."""
        self._fill(self.first, self.version)

    def whole_from(self, row: int) -> int:
        """The row up to which earlier ones may go, if those from `row` on are asked for: before that, a hole would
        lose the bars that fill it.
        """
        return self._holes.whole_from(row, self.lookback())

    def rows(self, array: Floats, start: int, stop: int) -> Floats:
        """Rows [start, stop) of `bars` or `out`, as far back as they are kept."""
        if array is self.out:
            self._fill(start, stop)
        return array[max(start - self.first, 0) : max(stop - self.first, 0)]

    def values(self, column: int) -> Floats:
        """What `column` was at every row kept, as defined."""
        return self.out[: self.size, column].copy()

    def begin_at(self, next_row: int, rows: Floats, clean_row: int) -> None:
        """Go on, without having run, where `rows` are the last ones before `next_row`."""
        self._reserve(len(rows))
        self.bars[: len(rows)] = rows
        self.out[: len(rows)] = math.nan
        self.size = len(rows)
        self.first, self.version = next_row - len(rows), next_row
        self.marks = [(0, clean_row)]
        self._bind()

    def set_values(self, node: Node, row: int, values: Floats) -> None:
        """Values of `node`, whose start_row is known, from `row` on; rows older than the bars kept are made room
        for.
        """
        if row < self.first:
            self.prepend(np.full((self.first - row, ROW_WIDTH), math.nan))
        self._demand(node)
        t = row - self.first
        self.out[t : t + len(values), node.column : node.column + node.width] = values
        self.refresh()

    def clear(self) -> None:
        """Back to before the first bar; nodes keep their places."""
        self.first = self.version = self.size = self.whole_row = 0
        self._holes.clear()
        self.out[:] = math.nan
        self._usable[:] = math.nan
        self.program.set_last(-1)
        for node in self.nodes:
            node.reset()
            node.from_row = node.start_row = 0
            self._demand(node)

    def prepend(self, bars: Floats) -> None:
        """Put older rows before the first one kept; their values are unknown until computed."""
        count = len(bars)
        self._reserve(self.size + count)
        for array in (self.bars, self.out):
            array[count : count + self.size] = array[: self.size].copy()
        self.bars[:count] = bars
        self.out[:count] = math.nan
        self.size += count
        self.first -= count
        self._bind()

    def began_late(self, node: Node) -> int:
        """How many of the rows that are clean now were there before the node began."""
        return max(0, node.start_row - self.marks[-1][1])

    def _demand(self, node: Node) -> None:
        """How many clean rows must be behind a value that may be used: those before the node began do not count."""
        late = self.began_late(node)
        for k, need in enumerate(node.ready):
            # It says in its last column how many rows the others reach back over.
            self._need[node.column + k] = -node.column - node.width if node.tells_reach else need + late

    def _free_columns(self, width: int) -> int:
        taken = np.zeros(len(self._need) + width, bool)
        for node in self.nodes:
            taken[node.column : node.column + node.width] = True
        column = next(c for c in range(len(self._need) + 1) if not taken[c : c + width].any())
        short = column + width - len(self._need)
        if short > 0:
            more = -(-short // _COLUMN_STEP) * _COLUMN_STEP
            self._need = np.append(self._need, np.full(more, NEVER, np.int64))
            self._usable = np.full(len(self._need), math.nan)
            self.out = np.hstack([self.out, np.full((len(self.out), more), math.nan)])
        return column

    def _gather(self) -> None:
        """Put the states of all nodes next to each other, so that they are copied in one go."""
        self._f = np.concatenate([np.zeros(0), *(node.f for node in self.nodes)])
        self._i = np.concatenate([np.zeros(0, np.int64), *(node.i for node in self.nodes)])
        self._parts = []
        floats = ints = 0
        for node in self.nodes:
            mine = slice(floats, floats + node.f.size), slice(ints, ints + node.i.size)
            node.f, node.i = self._f[mine[0]], self._i[mine[1]]
            self._parts.append((node, *mine))
            floats, ints = mine[0].stop, mine[1].stop
        self.states_at = self._f.ctypes.data, self._i.ctypes.data

    def _fill(self, start: int, stop: int) -> None:
        """Write what is missing of the outputs of rows [start, stop)."""
        for hole in self._holes.take(start, stop):
            self._write(hole)

    def _write(self, hole: Hole) -> None:
        for node, state in hole.states.items():
            now = node.state()
            node.restore(state)
            self.program.run(node, hole.start - self.first, hole.stop - self.first)
            node.restore(now)

    def _grow(self) -> None:
        self._reserve(max(self._room * 2, _LASTING))
        self._bind()

    def _reserve(self, rows: int) -> None:
        """Make room for so many rows, of which only those in use are touched: new memory costs more than all nodes."""
        if rows > self._room:
            bars, out = np.zeros((rows, ROW_WIDTH)), np.zeros((rows, self.out.shape[1]))
            bars[: self.size], out[: self.size] = self.bars[: self.size], self.out[: self.size]
            self.bars, self.out, self._room = bars, out, rows

    def _place(self) -> None:
        """Tell the program where in its arrays the first clean row is, and when its rows open."""
        self.program.set_clean(self.marks[-1][1] - self.first)
        row, opened = self._run
        self.program.set_times(opened - (row - self.first) * self.length_ms, self.length_ms)

    def _bind(self) -> None:
        self.binds += 1
        self.program.bind(self.bars, self.out, self._need, self._usable, self.nodes)
        self._place()
        self._push = self.program.push
        self.refresh()
