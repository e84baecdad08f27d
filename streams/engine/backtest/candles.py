"""A symbol's candles as columns: law 2 applied, short gaps filled flat, long ones marked (law 4).

Filled bars come with the bar that ends the hole, after every tick of it: `comes_ms` says when.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from schemas.interval import grid
from schemas.triggers import Bar
from streams.engine.bars import CLOSE, COLUMNS, HIGH, LOW, OPEN, TIME, BarArrays, Floats, Ints
from streams.engine.market.layout import lay_out


@dataclass(frozen=True)
class Candles:
    """`columns` float64[6, n]: open, high, low, close, volume, open time. `runs`: (first row, its open time) of
    stretches without a gap. `filled`: rows that stand in for missing bars. Ticks go on up to `ticks_until_ms`.
    """

    symbol: str
    interval: str
    columns: Floats
    open_ms: Ints
    runs: tuple[tuple[int, int], ...]
    filled: Ints
    ticks_until_ms: int
    fill_up_to: int = 5

    @classmethod
    def of(
        cls,
        symbol: str,
        bars: BarArrays,
        interval: str = "1m",
        *,
        fill_up_to: int = 5,
        ticks_until_ms: int = 0,
    ) -> "Candles":
        """Lay out bars in the order of their records. ValueError for none, or for times off the interval's grid."""
        step_ms, shift_ms = grid(interval)
        bars = bars.accepted(0, 1 << 62)
        if not len(bars):
            raise ValueError(f"{symbol}: no bars")
        if ((bars.open_time_ms - shift_ms) % step_ms).any():
            raise ValueError(f"{symbol}: a bar does not open on a boundary of {interval}")
        layout = lay_out(bars, step_ms, fill_up_to)
        columns = np.ascontiguousarray(layout.rows.T)
        open_ms = columns[TIME].astype(np.int64)
        end_ms = max(int(open_ms[-1]) + step_ms, ticks_until_ms)
        filled = np.array(layout.filled, np.int64)
        return cls(symbol, interval, columns, open_ms, tuple(layout.runs), filled, end_ms, fill_up_to)

    @classmethod
    def of_columns(
        cls,
        symbol: str,
        columns: Floats,
        interval: str = "1m",
        *,
        fill_up_to: int = 5,
        ticks_until_ms: int = 0,
    ) -> "Candles":
        """The same of columns (float64[6, n] in one piece) that law 2 let through and whose times are on the grid; they
        are not copied where no bar is missing.
        """
        open_ms, step_ms = columns[TIME].astype(np.int64), grid(interval)[0]
        if open_ms[-1] - open_ms[0] != (len(open_ms) - 1) * step_ms:
            bars = BarArrays(open_ms, np.ascontiguousarray(columns[:TIME].T))
            return cls.of(symbol, bars, interval, fill_up_to=fill_up_to, ticks_until_ms=ticks_until_ms)
        end_ms = max(int(open_ms[-1]) + step_ms, ticks_until_ms)
        runs = ((0, int(open_ms[0])),)
        return cls(symbol, interval, columns, open_ms, runs, np.empty(0, np.int64), end_ms, fill_up_to)

    def __len__(self) -> int:
        return len(self.open_ms)

    @cached_property
    def step_ms(self) -> int:
        return grid(self.interval)[0]

    def column(self, which: int) -> Floats:
        """One of the six, in one piece of memory."""
        found: Floats = self.columns[which]
        return found

    @cached_property
    def open(self) -> Floats:
        return self.column(OPEN)

    @cached_property
    def high(self) -> Floats:
        return self.column(HIGH)

    @cached_property
    def low(self) -> Floats:
        return self.column(LOW)

    @cached_property
    def close(self) -> Floats:
        return self.column(CLOSE)

    @cached_property
    def close_ms(self) -> Ints:
        return self.open_ms + self.step_ms

    @cached_property
    def run_start(self) -> Ints:
        """First row of the run of each row."""
        firsts = np.array([first for first, _ in self.runs] + [len(self)], np.int64)
        return np.repeat(firsts[:-1], np.diff(firsts))

    @cached_property
    def is_filled(self) -> frozenset[int]:
        return frozenset(self.filled.tolist())

    def comes_ms(self, row: int) -> int:
        """When the row is told of: at its close, or with the bar after the hole that it fills."""
        while row in self.is_filled:
            row += 1
        return int(self.open_ms[row]) + self.step_ms

    def row_from(self, open_time_ms: int) -> int:
        """The first row that opens at or after `open_time_ms`; their number where there is none."""
        return int(np.searchsorted(self.open_ms, open_time_ms))

    def row_closing_at(self, close_ms: int) -> int | None:
        """The row of a bar of the feed that closes then; None where a tick stands in for it."""
        row = self.row_from(close_ms - self.step_ms)
        if row == len(self) or int(self.open_ms[row]) + self.step_ms != close_ms or row in self.is_filled:
            return None
        return row

    def rows(self) -> Floats:
        """The bars as rows of a frame, float64[n, 6]."""
        return np.ascontiguousarray(self.columns.T)

    def bar(self, row: int) -> Bar:
        """A row as messages carry it."""
        opened = int(self.open_ms[row])
        o, h, low, c, v = self.columns[:COLUMNS, row].tolist()
        return Bar(
            interval=self.interval, open_time_ms=opened, close_time_ms=opened + self.step_ms,
            open=o, high=h, low=low, close=c, volume=v,
        )  # fmt: skip

    def stand_in(self, close_ms: int) -> Bar:
        """The bar that a tick at `close_ms` stands for: flat at the last price of the feed before it."""
        row = int(np.searchsorted(self.close_ms, close_ms, side="right")) - 1
        price = float(self.close[row])
        return Bar(
            interval=self.interval, open_time_ms=close_ms - self.step_ms, close_time_ms=close_ms,
            open=price, high=price, low=price, close=price, volume=0.0, stale_price=True,
        )  # fmt: skip
