"""Which of many engines run side by side: those of a plan that several have, while they are quiet."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from streams.engine.bars import Ints
from streams.engine.lanes.machine import SAID_AT, TILES, TILES_AT, machine
from streams.engine.lanes.notes import Notes
from streams.engine.lanes.pack import Member, Pack, Plan, Tile, plan_of
from streams.engine.market.frames import Frame
from streams.engine.market.nodes import States
from streams.engine.symbol import SymbolEngine

FEWEST: Final = 4
"""So many symbols of one plan are quicker side by side than one after the other."""


class Packs:
    """Engines stand at fixed places. `held` bool[n]: who is in a pack now; its market knows only the bars before.
    `block` is told where the tiles are.
    """

    def __init__(self, engines: Sequence[SymbolEngine], block: Ints) -> None:
        self._engines = engines
        self._do = machine()
        self.held = np.zeros(len(engines), bool)
        self._packs: dict[Plan, Pack] = {}
        self._same: dict[Plan, set[int]] = {}
        self._plans: dict[int, Plan] = {}
        self._seen: dict[int, tuple[int, int, int]] = {}
        self._members: dict[int, Member] = {}
        self._tiles: Ints = np.zeros(0, np.int64)
        self._lanes = np.zeros((len(engines), 2), np.int64)
        self._notes = Notes(len(engines))
        self._said = np.zeros((len(engines), 2), np.int64)
        self._block = block
        block[SAID_AT] = self._said.ctypes.data
        self.count = 0
        """How many are held."""

    def take(self, place: int) -> bool:
        """Take an engine in, if its plan is that of several: from now on its bars come to `step`. Whether it is."""
        engine = self._engines[place]
        if self._seen.get(place) != engine.changes:
            self._enter(place, engine)
        member = self._members.get(place)
        if member is not None:
            self._do.lift(member.tile.at, member.lane)
            self.held[place] = True
            self.count += 1
        return member is not None

    def note(self, places: Ints) -> None:
        """Anchors are due before the next bar of engines that are held: their states are kept for it."""
        packs = self._packs.values()
        ints_from = max(pack.floats for pack in packs)
        states = np.empty((len(places), ints_from + max(pack.ints for pack in packs)))
        passed = np.empty(len(places), np.int64)
        self._do.note(places, self._lanes, states, ints_from, passed)
        self._notes.add(places, passed, states[:, :ints_from], states[:, ints_from:].view(np.int64))

    def give_back(self, place: int) -> tuple[int, list[tuple[int, States]]]:
        """Let an engine go, which is then as if its bars had gone over it. How many there were since it was taken, and
        before which of its bars anchors were due, in which states. The caller tells the engine.
        """
        member = self._members[place]
        passed = member.tile.passed(member.lane)
        frame = self._engines[place].frame
        noted = [(frame.next + after, frame.part(f, i)) for after, f, i in self._notes.take(place)]
        if passed > 1:
            self._skip(frame, frame.next + passed, noted)
        self._do.lower(member.tile.at, member.lane)
        self.held[place] = False
        self.count -= 1
        return passed, noted

    @staticmethod
    def _skip(frame: Frame, stop: int, noted: list[tuple[int, States]]) -> None:
        """Note a hole up to row `stop`, in parts, so that none is longer than it is between two anchors."""
        starts: list[tuple[int, States | None]] = [(frame.next, None), *noted]
        ends = [start for start, _ in starts[1:]] + [stop]
        for (start, states), end in zip(starts, ends, strict=True):
            if end > start:
                frame.skip(start, end, states)

    def said(self, count: int) -> list[list[int]]:
        """What the last pass brought of held engines: place and flips of the `count` whose board has some."""
        found: list[list[int]] = self._said[:count].tolist() if count else []
        return found

    def _enter(self, place: int, engine: SymbolEngine) -> None:
        """Find the engine its pack and lane anew."""
        self._seen[place] = engine.changes
        if (member := self._members.pop(place, None)) is not None:
            member.tile.leave(member.lane)
        if (old := self._plans.pop(place, None)) is not None:
            self._same[old].discard(place)
        plan = plan_of(engine.frame)
        if plan is None:
            return
        self._plans[place] = plan
        same = self._same.setdefault(plan, set())
        same.add(place)
        if len(same) >= FEWEST and plan not in self._packs:
            self._packs[plan] = Pack(engine.frame)
            for other in same:
                self._seen.pop(other, None)
        if plan in self._packs:
            self._members[place] = self._lane(self._packs[plan], place, engine)
            self._seen[place] = engine.changes

    def _lane(self, pack: Pack, place: int, engine: SymbolEngine) -> Member:
        before = len(pack.tiles)
        tile, lane = pack.place()
        if len(pack.tiles) > before:
            self._tiles = np.array([one.at for one in self._all_tiles()], np.int64)
            self._block[TILES], self._block[TILES_AT] = len(self._tiles), self._tiles.ctypes.data
        self._lanes[place] = tile.at, lane
        return tile.enter(lane, place, engine)

    def _all_tiles(self) -> list[Tile]:
        return [tile for pack in self._packs.values() for tile in pack.tiles]
