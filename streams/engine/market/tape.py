"""The tape: a symbol's base bars, when each of them stood, and which of them stand in for missing ones."""

from collections.abc import Callable

from schemas.interval import interval_ms
from schemas.market import Kline
from streams.engine.bars import CLOSE, COLUMNS, BarArrays, BaseBar
from streams.engine.errors import HistoryGone
from streams.engine.kernels.program import Program
from streams.engine.market.frames import Frame
from streams.engine.market.layout import lay_out
from streams.engine.market.outcomes import Duplicate, Late, Restated
from streams.engine.market.timeline import Timeline


class Tape:
    """Bars `[first, next)` may be asked for; those `[frame.first, first)` are kept for the windows that reach
    there.

    `expected_ms` is the open time of the bar that follows if none is missing.
    """

    def __init__(self, symbol: str, interval: str, programs: Callable[[], Program]) -> None:
        self.symbol = symbol
        self.interval = interval
        self.step_ms = interval_ms(interval)
        self.frame = Frame(interval, programs)
        self.timeline = Timeline(self.step_ms)
        self.filled: set[int] = set()
        self.first = 0
        self.origin_ms: int | None = None
        self.expected_ms = -1

    @property
    def next(self) -> int:
        return self.frame.version

    def begin_run(self, opened: int) -> None:
        """The next bar opens at `opened`: the first ever, or the first after a gap too long to fill."""
        self.timeline.begin_run(self.next, opened)
        self.frame.opens_at(opened)
        self.expected_ms = opened
        if self.origin_ms is None:
            self.origin_ms = opened

    def last_close(self) -> float:
        return float(self.frame.bars[self.next - 1 - self.frame.first, CLOSE])

    def known(self, kline: Kline) -> Duplicate | Restated | Late:
        """What a bar before the expected one is (law 2). One from before the bars kept counts as applied."""
        opened, begins = kline.open_time_ms, self.frame.first
        if opened < self.timeline.open_time_ms(begins):
            return Late() if opened < (self.origin_ms or 0) else Duplicate()
        index = self.timeline.index_at_or_after(opened, self.next)
        if index in self.filled or self.timeline.open_time_ms(index) != opened:
            return Late()
        numbers = self.frame.bars[index - begins, :COLUMNS].tolist()
        same = numbers == [kline.open, kline.high, kline.low, kline.close, kline.volume]
        return Duplicate() if same else Restated()

    def bar(self, i: int) -> BaseBar:
        """Bar `i`. IndexError where it may not be asked for."""
        self.check(i)
        opened = self.timeline.open_time_ms(i)
        o, h, low, c, v, _ = self.frame.bars[i - self.frame.first].tolist()
        return BaseBar(i, opened, opened + self.step_ms, o, h, low, c, v, i in self.filled)

    def check(self, i: int) -> None:
        """IndexError where bar `i` may not be asked for."""
        if not self.first <= i < self.next:
            raise IndexError(f"{self.symbol}: bar {i} is not among {self.first} to {self.next - 1}")

    def index_at(self, open_time_ms: int) -> int:
        """The first bar that opens at or after `open_time_ms`, or `next`. HistoryGone where earlier ones were
        dropped.
        """
        if self.first > 0 and open_time_ms < self.timeline.open_time_ms(self.first):
            raise HistoryGone(self.symbol, open_time_ms)
        return max(self.timeline.index_at_or_after(open_time_ms, self.next), self.first)

    def real_at_or_before(self, index: int) -> int:
        """The newest bar up to `index` that is no stand-in: where reading back may begin."""
        index = max(index, self.frame.first)
        while index in self.filled:
            index -= 1
        return index

    def forget_before(self, index: int) -> None:
        """Drop the bars before `index`."""
        self.frame.forget_before(index, self.first)
        self.timeline.forget_before(index)
        self.filled = {k for k in self.filled if k >= index}

    def prepend(self, read_back: BarArrays, fill_up_to: int) -> None:
        """Put older bars before the first one kept; HistoryGone where they are not the ones this market
        had.
        """
        begins = self.frame.first
        seam_ms = self.timeline.open_time_ms(begins)
        older = read_back.accepted(0, seam_ms)
        if len(older):
            layout = lay_out(older, self.step_ms, fill_up_to, seam_ms)
            shift = begins - len(layout.rows)
            if shift < 0 or (shift == 0) != (int(older.open_time_ms[0]) == self.origin_ms):
                raise HistoryGone(self.symbol, self.origin_ms or 0)
            self.timeline.prepend([(k + shift, opened) for k, opened in layout.runs], begins, self.next)
            self.filled |= {k + shift for k in layout.filled}
            self.frame.prepend(layout.rows)
        self.first = self.frame.first
