"""A symbol's bars in order, each once, none left out, and the ticks behind them (law 1).

Pure: what the websocket and REST told goes in, what belongs on the topic comes out. A bar leaves when all before it
have left, or when the exchange has said that there are none; until then it is held. It does not matter in
which order things are told, how often, or by which connection.
"""

from collections import OrderedDict
from typing import Final, NamedTuple

from schemas.interval import bucket_start_ms, interval_ms
from schemas.market import Kline, Tick
from streams.feeds.binance.pages import Page

_REMEMBERED: Final = 16


class Restated(NamedTuple):
    """The exchange told a bar a second time, with other numbers; the first stays (law 2)."""

    before: Kline
    now: Kline


Out = Kline | Tick | Restated


class Sequence:
    """`next_ms`: where the next bar opens. `begun`: the symbol has bars on the topic; `ticked_ms`: its newest tick."""

    def __init__(
        self,
        symbol: str,
        feed: str,
        interval: str,
        next_ms: int,
        *,
        begun: bool = False,
        ticked_ms: int | None = None,
    ) -> None:
        self.symbol = symbol
        self.next_ms = next_ms
        self.duplicates = 0
        self._feed = feed
        self._interval = interval
        self._step = interval_ms(interval)
        self._begun = begun
        self._owed = begun and (ticked_ms is None or ticked_ms < next_ms)
        self._held: dict[int, Kline] = {}
        self._complete_ms = next_ms
        self._sent: OrderedDict[int, Kline] = OrderedDict()

    @property
    def held(self) -> int:
        """How many bars wait for one before them."""
        return len(self._held)

    def owed(self) -> list[Out]:
        """The tick of a bar whose sender died before it could send it; once."""
        owed, self._owed = self._owed, False
        return [self._tick()] if owed else []

    def update(self, kline: Kline, *, forming: bool = False) -> list[Out]:
        """A bar of the websocket. One that is not closed is passed on where `forming` asks for it, and where it is the
        one right after the newest on the topic: anything else of it would come too early or too late.
        """
        if kline.closed:
            return [*self._take(kline), *self._release()]
        return [kline] if forming and self._begun and kline.open_time_ms == self.next_ms else []

    def page(self, from_ms: int, page: Page) -> list[Out]:
        """Closed bars of REST: all that there are with from_ms <= open time < page.until_ms."""
        out = [one for kline in page.klines for one in self._take(kline)]
        if from_ms <= max(self.next_ms, self._complete_ms):
            self._complete_ms = max(self._complete_ms, page.until_ms)
        return [*out, *self._release()]

    def wanted(self, settled_ms: int) -> tuple[int, int] | None:
        """Open times, first and beyond the last, of bars that should be here and are not, if everything that closes up
        to `settled_ms` should be.
        """
        end = bucket_start_ms(settled_ms, self._interval)
        if self._held:
            end = min(end, *self._held)
        return (self.next_ms, end) if self.next_ms < end else None

    def _take(self, kline: Kline) -> list[Out]:
        known = self._held.get(kline.open_time_ms) or self._sent.get(kline.open_time_ms)
        if known is None and kline.open_time_ms >= self.next_ms:
            self._held[kline.open_time_ms] = kline
            return []
        self.duplicates += 1
        return [] if known is None or known == kline else [Restated(known, kline)]

    def _release(self) -> list[Out]:
        out: list[Out] = []
        while True:
            kline = self._held.pop(self.next_ms, None)
            if kline is not None:
                self._begun, self._owed = True, False
                self._remember(kline)
                out.append(kline)
            elif self.next_ms >= self._complete_ms:
                return out
            elif not self._begun:
                # Before the first bar a tick would stand for no price; it may be years until then.
                self.next_ms = min([self._complete_ms, *self._held])
                continue
            self.next_ms += self._step
            out.append(self._tick())

    def _tick(self) -> Tick:
        return Tick(symbol=self.symbol, feed=self._feed, time_ms=self.next_ms, interval=self._interval)

    def _remember(self, kline: Kline) -> None:
        self._sent[kline.open_time_ms] = kline
        if len(self._sent) > _REMEMBERED:
            self._sent.popitem(last=False)
