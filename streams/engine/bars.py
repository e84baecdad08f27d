"""Bars as columns of numbers: the form in which the engine keeps, folds and reads them back."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from schemas.market import Kline

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

OPEN: Final = 0
HIGH: Final = 1
LOW: Final = 2
CLOSE: Final = 3
VOLUME: Final = 4
COLUMNS: Final = 5
# In a frame a row has one column more: when its bar opened, in epoch milliseconds (exact below 2^53).
TIME: Final = 5
ROW_WIDTH: Final = 6


class BaseBar(NamedTuple):
    """One closed base bar; `filled` marks a flat one that stands in for a missing minute."""

    index: int  # type: ignore[assignment] # a tuple's method of that name is not missed
    open_time_ms: int
    close_time_ms: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    filled: bool


@dataclass(frozen=True, slots=True)
class BarArrays:
    """Closed bars in the order of their records: `open_time_ms` int64[n], `ohlcv` float64[n, 5]."""

    open_time_ms: Ints
    ohlcv: Floats

    def __len__(self) -> int:
        return len(self.open_time_ms)

    @classmethod
    def empty(cls) -> "BarArrays":
        return cls(np.empty(0, np.int64), np.empty((0, COLUMNS)))

    @classmethod
    def of(cls, klines: Iterable[Kline]) -> "BarArrays":
        """The closed ones among `klines`."""
        rows = [(k.open_time_ms, k.open, k.high, k.low, k.close, k.volume) for k in klines if k.closed]
        times = np.array([row[0] for row in rows], np.int64)
        return cls(times, np.array([row[1:] for row in rows], np.float64).reshape(-1, COLUMNS))

    @classmethod
    def columns(cls, open_time_ms: Any, *ohlcv: Any) -> "BarArrays":
        """From six array-likes: open times, then open, high, low, close, volume."""
        columns = [np.asarray(column, np.float64) for column in ohlcv]
        return cls(np.asarray(open_time_ms, np.int64), np.ascontiguousarray(np.stack(columns, axis=1)))

    def rows(self) -> Floats:
        """The bars as rows of a frame, float64[n, 6]."""
        return np.column_stack([self.ohlcv, self.open_time_ms.astype(np.float64)])

    def accepted(self, from_ms: int, to_ms: int) -> "BarArrays":
        """What law 2 leaves of them in [from_ms, to_ms): each bar once, none that came after a later one."""
        times = self.open_time_ms
        inside = (times >= from_ms) & (times < to_ms)
        times, ohlcv = times[inside], self.ohlcv[inside]
        if len(times) > 1:
            newest = np.maximum.accumulate(times)
            fresh = np.concatenate(([True], times[1:] > newest[:-1]))
            times, ohlcv = times[fresh], ohlcv[fresh]
        return BarArrays(times, ohlcv)
