"""Where a truth becomes true: what a member of an armed group fires on (law 13: only from a known false)."""

import numpy as np

from streams.engine.backtest.truths import UNKNOWN, Truths


class Edges:
    """Of one condition's truths, with searches by bar."""

    def __init__(self, truths: Truths) -> None:
        self._count = len(truths)
        self._truths = truths
        self._known = np.flatnonzero(truths != UNKNOWN)
        known = truths[self._known]
        self._rises = self._known[1:][(known[1:] == 1) & (known[:-1] == 0)]

    def first(self, start: int, *, at_once: bool) -> int:
        """The first bar from `start` on at which a member armed then fires; their number where it never does.

        `at_once`: it may fire on the first truth that it knows, without an edge.
        """
        place = int(np.searchsorted(self._known, start))
        if place == len(self._known):
            return self._count
        known = int(self._known[place])
        if at_once and self._truths[known] == 1:
            return known
        rise = int(np.searchsorted(self._rises, known, side="right"))
        return int(self._rises[rise]) if rise < len(self._rises) else self._count
