"""Law 1's ticks: one per symbol and base boundary, after every bar that closes at or before it.

A feed is a stream of `Boundary`: all its bars that close at one instant, instants in order, none left out, so
that a minute without any bar still has its ticks. A `Ticker` puts a boundary into the words of the topic.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from schemas.interval import interval_ms
from schemas.market import Kline, Tick


class OutOfOrder(ValueError):
    """A feed gave a bar that closes before one it gave earlier: its ticks would have lied."""


class Boundary(NamedTuple):
    """The bars that close at `time_ms`, a boundary of the base interval; possibly none."""

    time_ms: int
    klines: tuple[Kline, ...]


def boundaries(klines: Iterable[Kline], interval: str = "1m") -> Iterator[Boundary]:
    """`klines` (one interval, in order of close time) by boundary, those without bars in between included.

    Raises OutOfOrder for a bar that closes before its predecessor and ValueError for one of another interval.
    """
    step = interval_ms(interval)
    time_ms: int | None = None
    held: list[Kline] = []
    for kline in klines:
        if kline.interval != interval:
            raise ValueError(f"{kline.symbol}: interval {kline.interval} in a feed of {interval}")
        close = kline.open_time_ms + step
        if time_ms is not None and close < time_ms:
            raise OutOfOrder(f"{kline.symbol}: bar closing at {close} after the boundary {time_ms}")
        while time_ms is not None and time_ms < close:
            yield Boundary(time_ms, tuple(held))
            held = []
            time_ms += step
        time_ms = close
        held.append(kline)
    if time_ms is not None:
        yield Boundary(time_ms, tuple(held))


class Ticker:
    """Knows which symbols a feed has begun: before a symbol's first bar a tick would stand for no price."""

    def __init__(self, feed: str, interval: str = "1m") -> None:
        self._feed = feed
        self._interval = interval
        self._symbols: dict[str, None] = {}

    def events(self, boundary: Boundary) -> Iterator[Kline | Tick]:
        """The boundary's bars, then one tick for every symbol known so far."""
        for kline in boundary.klines:
            self._symbols.setdefault(kline.symbol)
            yield kline
        for symbol in self._symbols:
            yield Tick(symbol=symbol, feed=self._feed, time_ms=boundary.time_ms, interval=self._interval)
