"""What a step of a sequence was at each close since somebody looks: one entry per change, however long that is."""

from bisect import bisect_right

from streams.engine.conditions.truth import Truth
from streams.engine.market.operands import NEVER_MS


class Chronicle:
    """Closes are `length` apart."""

    __slots__ = ("_closes", "_length", "_truths")

    def __init__(self, length: int) -> None:
        self._length = length
        self._closes: list[int] = []
        self._truths: list[Truth] = []

    @property
    def begins_ms(self) -> int:
        """The first close it knows of, the end of time where it knows of none."""
        return self._closes[0] if self._closes else NEVER_MS

    def forget(self) -> None:
        """Know of nothing."""
        self._closes.clear()
        self._truths.clear()

    def note(self, at_ms: int, truth: Truth, earliest_ms: int) -> None:
        """`truth` from the close `at_ms` on; closes before `earliest_ms` are not asked for any more."""
        if self._closes and self._closes[-1] == at_ms:
            self._truths[-1] = truth
        elif not self._closes or self._truths[-1] is not truth:
            self._closes.append(at_ms)
            self._truths.append(truth)
        drop = bisect_right(self._closes, earliest_ms) - 1
        if drop > 0:
            del self._closes[:drop], self._truths[:drop]

    def edge_until(self, at_ms: int, *, sure: bool) -> int | None:
        """The newest close up to `at_ms`, after the first one known, at which the truth became true; where not `sure`,
        also one at which it may have.
        """
        for place in range(bisect_right(self._closes, at_ms) - 1, -1, -1):
            truth, begins_ms = self._truths[place], self._closes[place]
            if truth is None and not sure and at_ms > begins_ms:
                return at_ms  # unknown there and at the close before
            if place and truth is not False:
                before = self._truths[place - 1]
                if (truth and before is False) or (not sure and before is not True):
                    return begins_ms
            at_ms = begins_ms - self._length
        return None
