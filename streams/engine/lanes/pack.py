"""A pack: the symbols of one plan, in tiles of LANES lanes, and who has which lane."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np

from streams.engine.bars import COLUMNS, ROW_WIDTH, Floats, Ints
from streams.engine.lanes import layout
from streams.engine.lanes.layout import NOTHING
from streams.engine.lanes.loops import Shape
from streams.engine.lanes.steps import LANE_RECORD, LANES, lanes_address_of
from streams.engine.market.frames import NEVER, Frame
from streams.engine.market.nodes import Key, Node
from streams.engine.network import machine
from streams.engine.network.board import Source
from streams.engine.symbol import SymbolEngine

Plan: TypeAlias = tuple[Key, ...]

# Longer windows are rare, and a tile keeps their bars for all its lanes, needed or not.
LONGEST: Final = 512
MOST_STATE: Final = 8_192
PAIRS: Final = 16
STAGGER: Final = 8
REGISTERS: Final = 24


def plan_of(frame: Frame) -> Plan | None:
    """What symbols of one pack have in common; None where a symbol runs on its own: it has no nodes, `bars_ago` reads
    rows of outputs, which a pack does not write, windows or states are very large, or a node began later than others.
    """
    nodes = frame.nodes
    if not nodes or not frame.program.block_at or any(node.depth > 2 for node in nodes):
        return None
    if frame.lookback() > LONGEST or sum(node.f.size + node.i.size for node in nodes) > MOST_STATE:
        return None
    if any(frame.began_late(node) for node in nodes):
        return None
    return tuple(sorted(node.key for node in nodes))


def shape_of(node: Node) -> Shape:
    """How the node's kernel is compiled over lanes: its state in registers where it is small and of one size."""
    few = node.f.size + node.i.size <= REGISTERS and node.one_size
    return Shape(len(node.p), node.width, node.f.size if few else 0, node.i.size if few else 0)


def in_order(nodes: Sequence[Node]) -> list[int]:
    """Numbers of the nodes in the order of the plan."""
    return sorted(range(len(nodes)), key=lambda n: nodes[n].key)


@dataclass(slots=True)
class Member:
    """A lane's tile and number; what keeps the arrays alive that its words point at."""

    tile: "Tile"
    lane: int
    alive: tuple[Ints, ...]


class Pack:
    """Slots are what boards watch: one value of the plan or of the bar, or a difference of two values."""

    def __init__(self, frame: Frame) -> None:
        self.nodes = [frame.nodes[n] for n in in_order(frame.nodes)]
        self.lookback = max(frame.lookback(), 1)
        self.width = sum(node.width for node in self.nodes)
        self.floats = sum(node.f.size for node in self.nodes)
        self.ints = sum(node.i.size for node in self.nodes)
        self.needs = np.full(self.width, NEVER, np.int64)
        column = 0
        for node in self.nodes:
            for k, need in enumerate(node.ready):
                self.needs[column + k] = -column - node.width if node.tells_reach else need
            column += node.width
        self.used: list[int] = []
        self.slots: list[tuple[int, int]] = []
        self.room = self.width + COLUMNS + PAIRS
        self.tiles: list[Tile] = []

    def place(self) -> tuple["Tile", int]:
        """A free lane."""
        for tile in self.tiles:
            if tile.free:
                return tile, tile.free.pop()
        self.tiles.append(Tile(self))
        return self.tiles[-1], self.tiles[-1].free.pop()

    def slot(self, reading: Source, frame_at: int, columns: dict[int, int]) -> int | None:
        """The slot of a series; None where a pack cannot watch it. `columns`: from a frame's to the plan's."""
        if reading.kind == machine.BAR:
            return self._slot(-1 - reading.column, NOTHING)
        if reading.kind not in (machine.USABLE, machine.PAIR) or reading.frame != frame_at or reading.back:
            return None
        first = self._use(columns[reading.column])
        if reading.kind == machine.USABLE:
            return self._slot(first, NOTHING)
        if reading.frame2 != frame_at or reading.back2:
            return None
        return self._slot(first, self._use(columns[reading.column2]))

    def _use(self, column: int) -> int:
        if column not in self.used:
            self.used.append(column)
            for tile in self.tiles:
                tile.bind()
        return self.used.index(column)

    def _slot(self, first: int, second: int) -> int | None:
        if (first, second) not in self.slots:
            if len(self.slots) == self.room:
                return None
            self.slots.append((first, second))
            for tile in self.tiles:
                tile.bind()
        return self.slots.index((first, second))


class Tile:
    """The arrays of up to LANES symbols, and the block that tells compiled code where they are."""

    def __init__(self, pack: Pack) -> None:
        self.pack = pack
        self.free = list(range(LANES - 1, -1, -1))
        rows = 2 * pack.lookback + LANES
        # Not all tiles at once come to the end of their rows.
        begin = pack.lookback + len(pack.tiles) * STAGGER % LANES
        self._bars = np.ones((rows, ROW_WIDTH, LANES))
        self._out = np.full((pack.width, LANES), np.nan)
        self._usable = np.full((2, pack.width, LANES), np.nan)
        self._guards = np.full((2, pack.room, LANES), np.nan)
        self._ages = np.zeros(LANES, np.int64)
        self._bad = np.zeros(LANES, np.int64)
        self.lanes = np.zeros((layout.LANE, LANES), np.int64)
        self.lanes[layout.PLACE] = -1
        self._states: list[Floats | Ints] = []
        self._table = np.array(self._records(), np.int64)
        self._block = np.zeros(layout.TILE, np.int64)
        self.at = int(self._block.ctypes.data)
        block = self._block
        block[layout.SEEN], block[layout.ROWS], block[layout.LOOKBACK] = begin, rows, pack.lookback
        block[layout.NODES], block[layout.WIDTH] = len(pack.nodes), pack.width
        for word, array in (
            (layout.BARS, self._bars), (layout.TABLE, self._table), (layout.OUTPUTS, self._out),
            (layout.NEEDS, pack.needs), (layout.USABLE, self._usable), (layout.LOWS, self._guards[0]),
            (layout.HIGHS, self._guards[1]), (layout.AGES, self._ages), (layout.BAD, self._bad),
            (layout.PER_LANE, self.lanes),
        ):  # fmt: skip
            block[word] = array.ctypes.data
        self.bind()

    def _records(self) -> list[list[int]]:
        records, column = [], 0
        for node in self.pack.nodes:
            f, i = np.ones((node.f.size, LANES)), np.ones((node.i.size, LANES), np.int64)
            self._states += [f, i]
            out = self._out[column : column + node.width]
            records.append([
                lanes_address_of(node.step, shape_of(node)), node.p.ctypes.data, f.ctypes.data, len(f), i.ctypes.data,
                len(i), out.ctypes.data, node.width, self._bars.ctypes.data,
            ])  # fmt: skip
            column += node.width
        assert all(len(record) == LANE_RECORD for record in records)
        return records

    def bind(self) -> None:
        """After the pack has got more slots or columns that are used."""
        self._used = np.array([*self.pack.used, 0], np.int64)
        self._slots = np.array([*self.pack.slots, (0, 0)], np.int64)
        block = self._block
        block[layout.USED], block[layout.COLUMNS_USED] = self._used.ctypes.data, len(self.pack.used)
        block[layout.SLOT], block[layout.SLOTS] = self._slots.ctypes.data, len(self.pack.slots)

    def enter(self, lane: int, place: int, engine: SymbolEngine) -> Member:
        """Describe an engine's frame and board in a lane's words."""
        frame, pack = engine.frame, self.pack
        order = np.array(in_order(frame.nodes), np.int64)
        theirs = [frame.nodes[n].column + k for n in order for k in range(frame.nodes[n].width)]
        places = np.array(theirs, np.int64)
        board_at, frame_at = engine.blocks
        columns = {own: column for column, own in enumerate(theirs)}
        slots = [(s, pack.slot(reading, frame_at, columns)) for s, reading in engine.readings]
        watch = np.array([(s, slot) for s, slot in slots if slot is not None] + [(0, 0)], np.int64)
        words = self.lanes
        words[layout.PLACE, lane], words[layout.FRAME, lane], words[layout.BOARD, lane] = (
            place,
            frame_at,
            board_at,
        )
        words[layout.PLACES_AT, lane], words[layout.ORDER_AT, lane] = places.ctypes.data, order.ctypes.data
        words[layout.WATCH_AT, lane], words[layout.WATCHES, lane] = watch.ctypes.data, len(watch) - 1
        words[layout.ALWAYS, lane] = len(slots) - (len(watch) - 1)
        self._count()
        return Member(self, lane, (order, places, watch))

    def leave(self, lane: int) -> None:
        """The lane is free."""
        self.lanes[layout.PLACE, lane] = -1
        self.lanes[layout.HELD, lane] = 0
        self.free.append(lane)
        self._count()

    def passed(self, lane: int) -> int:
        """Bars that went over a lane since it was taken in."""
        return int(self._block[layout.PASSES] - self.lanes[layout.TAKEN, lane])

    def _count(self) -> None:
        taken = np.flatnonzero(self.lanes[layout.PLACE] >= 0)
        self._block[layout.COUNT] = int(taken[-1]) + 1 if len(taken) else 0
