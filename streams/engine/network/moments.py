"""The moments a group sees, in the order of their records: closed bars, and the bars that ticks stood in for."""

from collections.abc import Iterator

from schemas.interval import interval_ms
from schemas.triggers import Bar
from streams.engine.bars import BaseBar
from streams.engine.conditions.comparisons import Moment
from streams.engine.errors import HistoryGone
from streams.engine.market.market import Market
from streams.engine.network.standins import StandIns


class Moments:
    """Makes moments of one market's bars. `now_ms`: the newest instant told by bars and stand-ins, -1 before any;
    `stand_in`: the newest moment, where that is no bar's.
    """

    def __init__(self, market: Market) -> None:
        self._market = market
        self._length_ms = interval_ms(market.interval)
        self.stand_ins = StandIns(market.interval, self._length_ms)
        self.now_ms = -1
        self.stand_in: Moment | None = None

    @property
    def last_close_ms(self) -> int:
        """Close of the newest bar, -1 before the first."""
        market = self._market
        return market.bar(market.next - 1).close_time_ms if market.next else -1

    def of_bar(self, bar: BaseBar) -> Moment:
        """The moment of the next bar, which moves `now_ms`."""
        before_ms, now_ms = self.now_ms, self.advance(bar.close_time_ms)
        return _of(bar, before_ms, now_ms)

    def advance(self, close_ms: int) -> int:
        """A bar closed at `close_ms`: the newest instant now."""
        self.stand_in = None
        if close_ms > self.now_ms:
            self.now_ms = close_ms
        return self.now_ms

    def of_tick(self, close_ms: int) -> Moment | None:
        """The moment of a bar that a tick stands in for; None where a bar closed then, or nothing is known yet."""
        market = self._market
        if not market.next or close_ms <= self.now_ms:
            return None
        last = market.bar(market.next - 1)
        self.stand_ins.add(last.open_time_ms, close_ms, last.close)
        before_ms, self.now_ms = self.now_ms, close_ms
        self.stand_in = self._standing_in(last.index, close_ms, last.close, before_ms, close_ms)
        return self.stand_in

    def again(self, stand_ins: bytes) -> None:
        """Take `now_ms` and `stand_in` from what is kept, after a restart."""
        if stand_ins:
            self.stand_ins.load(stand_ins)
        self.now_ms = max(self.last_close_ms, self.stand_ins.newest_ms)
        self.stand_in = None
        if self.stand_ins.newest_ms > self.last_close_ms >= 0:
            last, close_ms = self._market.bar(self._market.next - 1), self.stand_ins.newest_ms
            run = self.stand_ins.runs[-1]
            earlier = [one.last_ms for one in self.stand_ins.runs[-2:-1]]
            before_ms = close_ms - self._length_ms if run.first_ms < run.last_ms else max(earlier, default=-1)
            before_ms = max(before_ms, last.close_time_ms)
            self.stand_in = self._standing_in(last.index, close_ms, run.price, before_ms, close_ms)

    def newest(self) -> Moment | None:
        """The moment of the newest bar as it was when it came, None before the first."""
        market = self._market
        if not market.next:
            return None
        bar = market.bar(market.next - 1)
        told = [run.last_ms for run in self.stand_ins.runs if run.after_ms < bar.open_time_ms]
        if bar.index > market.first:
            told.append(market.bar(bar.index - 1).close_time_ms)
        before_ms = max(told, default=-1)
        return _of(bar, before_ms, max(before_ms, bar.close_time_ms))

    def since(self, open_time_ms: int) -> Iterator[Moment]:
        """What a group armed from `open_time_ms` should have seen by now, as far as it is kept."""
        market = self._market
        if not market.next:
            return
        waiting = self._stand_ins()
        now_ms = -1
        for index in range(self._start(open_time_ms), market.next + 1):
            while waiting and waiting[0][0] <= index:
                _, close_ms, price = waiting.pop(0)
                before_ms, now_ms = now_ms, max(now_ms, close_ms)
                if close_ms - self._length_ms >= open_time_ms:
                    yield self._standing_in(index - 1, close_ms, price, before_ms, now_ms)
            if index < market.next:
                bar = market.bar(index)
                before_ms, now_ms = now_ms, max(now_ms, bar.close_time_ms)
                yield _of(bar, before_ms, now_ms)

    def before_gap(self, moment: Moment) -> Moment | None:
        """The moment of the bar before `moment`'s, where bars are missing between the two (law 4); else None."""
        if moment.stand_in or moment.number <= self._market.first:
            return None
        bar = self._market.bar(moment.number - 1)
        if bar.close_time_ms == moment.open_time_ms:
            return None
        return Moment(bar.index, bar.open_time_ms, bar.close_time_ms, bar.close_time_ms, bar.low, bar.high)

    def bar(self, moment: Moment) -> Bar:
        """The bar of a moment, as messages carry it."""
        if moment.stand_in:
            return self.stand_ins.bar(moment.close_ms, moment.low)
        bar = self._market.bar(moment.number)
        return Bar(
            interval=self._market.interval,
            open_time_ms=bar.open_time_ms,
            close_time_ms=bar.close_time_ms,
            open=bar.open,
            high=bar.high,
            low=bar.low,
            close=bar.close,
            volume=bar.volume,
        )

    def gone_before(self, open_time_ms: int) -> int | None:
        """Open time of the earliest bar kept, where bars from `open_time_ms` on are gone for good; else None."""
        try:
            self._market.index_at(open_time_ms)
        except HistoryGone:
            return self._market.bar(self._market.first).open_time_ms
        return None

    def _start(self, open_time_ms: int) -> int:
        try:
            return self._market.index_at(open_time_ms)
        except HistoryGone:
            return self._market.first

    def _stand_ins(self) -> list[tuple[int, int, float]]:
        """(index of the bar that came next, close, price) of each that is kept, in order."""
        found = []
        for run in self.stand_ins.runs:
            if self.gone_before(run.after_ms) is None:
                after = self._market.index_at(run.after_ms)
                found += [(after + 1, close_ms, run.price) for close_ms in self.stand_ins.closes(run)]
        return found

    def _standing_in(self, index: int, close_ms: int, price: float, before_ms: int, now_ms: int) -> Moment:
        return Moment(index, close_ms - self._length_ms, close_ms, now_ms, price, price, True, before_ms)


def _of(bar: BaseBar, before_ms: int, now_ms: int) -> Moment:
    return Moment(
        bar.index, bar.open_time_ms, bar.close_time_ms, now_ms, bar.low, bar.high, before_ms=before_ms
    )
