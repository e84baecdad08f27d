"""Higher timeframes, folded from base bars in UTC epoch buckets (law 3).

The open bucket is folded only when it closes, or when its base bars are about to be forgotten: until then a
base bar costs one comparison. Whether it is folded in one go or in pieces, the numbers are added in the same
order.
"""

from bisect import bisect_right
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from schemas.interval import bucket_start_ms
from streams.engine.bars import COLUMNS, Floats
from streams.engine.kernels.program import Program
from streams.engine.market.frames import Frame


class OpenBucket(NamedTuple):
    """The bucket that is not closed yet: its open time, what is folded of it, and whether that is nothing
    yet.
    """

    bucket_ms: int
    acc: tuple[float, ...]
    fresh: bool


class HigherFrame(Frame):
    """Bars of a timeframe above the base. `closed_at[k]` is the base bar with which row `first + k`
    closed.
    """

    def __init__(self, timeframe: str, programs: Callable[[], Program], base: Frame) -> None:
        super().__init__(timeframe, programs)
        self.closed_at: list[int] = []
        self.ends_ms = 0
        self._base = base
        self._bucket_ms = 0
        self._acc = np.zeros(COLUMNS)
        self._fresh = True
        self._folded = 0

    def begin(self, index: int, open_time_ms: int) -> None:
        """Base bar `index`, about to come, is the first one known: a bucket that began before it is
        tainted.
        """
        self.begin_clean([(index, self._start_bucket(index, open_time_ms))])

    def after_gap(self, index: int, open_time_ms: int) -> None:
        """Base bar `index`, about to come, follows a gap too long to fill: close what it no longer belongs
        to.
        """
        begun = not self._fresh or self._folded < index
        bucket_ms = bucket_start_ms(open_time_ms, self.timeframe)
        if begun and bucket_ms == self._bucket_ms:
            self.taint(index, self.version + 1)
            return
        self.taint(index, self.version + begun + (bucket_ms != open_time_ms))
        if begun:
            self.close_bucket(index, index)
        self._start_bucket(index, open_time_ms)

    def close_bucket(self, upto: int, seen_at: int) -> None:
        """The open bucket ends before base bar `upto`; it is seen from base bar `seen_at` on."""
        self.fold(upto)
        self.closed_at.append(seen_at)
        o, h, low, c, v = self._acc.tolist()
        self.append(o, h, low, c, v)
        self._fresh = True
        self._bucket_ms = self.ends_ms
        self.ends_ms += self.length_ms

    def fold(self, upto: int) -> None:
        """Fold the base bars before `upto` into the open bucket."""
        if upto > self._folded:
            start = self._base.first
            self._base.program.fold(self._acc, self._folded - start, upto - start, self._fresh)
            self._folded = upto
            self._fresh = False

    def open_bucket(self, upto: int) -> OpenBucket:
        """The open bucket before base bar `upto` comes."""
        self.fold(upto)
        return OpenBucket(self._bucket_ms, tuple(self._acc.tolist()), self._fresh)

    def reopen(self, bucket: OpenBucket, index: int) -> None:
        """Go on from `bucket` with base bar `index`; the rows kept closed before it."""
        self._bucket_ms, self._acc[:], self._fresh = bucket
        self.opens_at(self._bucket_ms)
        self.ends_ms = self._bucket_ms + self.length_ms
        self._folded = index
        self.whole_row, self.whole_ms = self.version, self._bucket_ms
        self.closed_at = [index - 1] * (self.version - self.first)

    def prepend(self, bars: Floats) -> None:
        self.closed_at[:0] = [self.closed_at[0] if self.closed_at else self._folded - 1] * len(bars)
        super().prepend(bars)

    def row_seen_at(self, base_index: int) -> int:
        """The newest row that is closed as seen at the close of base bar `base_index`; `first - 1` if none
        is.
        """
        return self.first + bisect_right(self.closed_at, base_index) - 1

    def closed_with(self, base_index: int) -> bool:
        """Whether a row closed with base bar `base_index`."""
        k = bisect_right(self.closed_at, base_index) - 1
        return k >= 0 and self.closed_at[k] == base_index

    def close_upto(self, index: int, time_ms: int, step_ms: int) -> None:
        """Close every bucket that ends by `time_ms`, when base bar `index` would open if bars go on without a
        gap.
        """
        while self.ends_ms <= time_ms:
            upto = index - (time_ms - self.ends_ms) // step_ms
            self.close_bucket(upto, upto - 1)

    def clear(self) -> None:
        super().clear()
        self.closed_at.clear()

    def forget_before(self, row: int, base_index: int) -> None:
        drop = row - self.first
        if drop > 0:
            del self.closed_at[:drop]
        super().forget_before(row, base_index)

    def _start_bucket(self, index: int, open_time_ms: int) -> int:
        """Open the bucket of base bar `index`; the row that is the first clean one."""
        self._bucket_ms = bucket_start_ms(open_time_ms, self.timeframe)
        self.opens_at(self._bucket_ms)
        self.ends_ms = self._bucket_ms + self.length_ms
        self._fresh = True
        self._folded = index
        return self.version if self._bucket_ms == open_time_ms else self.version + 1
