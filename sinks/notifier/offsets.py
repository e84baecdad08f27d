"""How far one partition is done, though its alerts are not done in their order.

The group's committed offset is the first one that is not done. What is done beyond it stands in the commit's
metadata, as ranges of offsets relative to it, so that a restart does not send it again.
"""

from collections.abc import Iterable
from typing import Final

MAX_METADATA: Final = 4_000
"""Bytes; a broker takes 4,096."""
_MOST: Final = 1_000_000


class Offsets:
    """`next_offset`: the first offset that is not done, or not seen yet."""

    def __init__(self, next_offset: int, done_beyond: Iterable[int] = ()) -> None:
        self._seen = next_offset
        self._open: dict[int, None] = {}
        self._done = {offset for offset in done_beyond if offset >= next_offset}

    def begin(self, offset: int) -> bool:
        """The record at `offset` has come. False: it came before, or an earlier life was done with it."""
        if offset < self._seen:
            return False
        self._seen = offset + 1
        if offset in self._done:
            return False
        self._open[offset] = None
        return True

    def finish(self, offset: int) -> None:
        """It is done."""
        if offset in self._open:
            del self._open[offset]
            self._done.add(offset)

    @property
    def open(self) -> int:
        """How many are under way."""
        return len(self._open)

    @property
    def next_offset(self) -> int:
        return next(iter(self._open), self._seen)

    def commit(self) -> tuple[int, str]:
        """The offset to commit, and its metadata."""
        first = self.next_offset
        self._done = {offset for offset in self._done if offset >= first}
        return first, write(first, self._done)


def write(first: int, done: Iterable[int]) -> str:
    """`done` relative to `first` as text such as `1-40,42`; what does not fit is left out, and would be sent again."""
    ranges: list[list[int]] = []
    for offset in sorted(done):
        if ranges and offset == ranges[-1][1] + 1:
            ranges[-1][1] = offset
        else:
            ranges.append([offset, offset])
    text = ""
    for low, high in ranges:
        word = f"{low - first}" if low == high else f"{low - first}-{high - first}"
        longer = f"{text},{word}" if text else word
        if len(longer) > MAX_METADATA:
            break
        text = longer
    return text


def read(first: int, metadata: str) -> set[int]:
    """What `write` wrote. Anything else was not written by us, and says nothing: nothing is known to be done."""
    done: set[int] = set()
    for word in metadata.split(",") if metadata else ():
        low, dash, high = word.partition("-")
        if not (word.isascii() and low.isdecimal() and (high.isdecimal() or not dash)) or len(word) > 20:
            return set()
        span = range(int(low), int(high or low) + 1)
        if len(span) + len(done) > _MOST:
            return set()
        done.update(first + offset for offset in span)
    return done
