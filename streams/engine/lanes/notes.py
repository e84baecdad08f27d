"""States that were noted for anchors while engines were held: all of one bar in one array, until each is given back."""

from typing import NamedTuple

import numpy as np

from streams.engine.bars import Floats, Ints


class _Note(NamedTuple):
    """Of one bar. By place: the row of the others, -1 for none. How many bars had gone over it, its nodes' states."""

    rows: Ints
    passed: Ints
    floats: Floats
    ints: Ints


class Notes:
    """Oldest first."""

    def __init__(self, engines: int) -> None:
        self._engines = engines
        self._notes: list[_Note] = []

    def add(self, places: Ints, passed: Ints, floats: Floats, ints: Ints) -> None:
        """Before the next bar of those engines, `passed` bars after they were taken, they are in these states."""
        rows = np.full(self._engines, -1, np.int64)
        rows[places] = np.arange(len(places))
        self._notes.append(_Note(rows, passed, floats, ints))

    def take(self, place: int) -> list[tuple[int, Floats, Ints]]:
        """Those of one engine, which are forgotten: after how many bars, and which states."""
        found = []
        for note in self._notes:
            if (row := int(note.rows[place])) >= 0:
                found.append((int(note.passed[row]), note.floats[row].copy(), note.ints[row].copy()))
                note.rows[place] = -1
        if found:
            self._notes = [note for note in self._notes if note.rows.max() >= 0]
        return found
