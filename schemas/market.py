"""Market data: what feeds put on `market.klines.v1`."""

import re
from functools import lru_cache
from math import isfinite
from typing import Annotated, Final

from msgspec import Meta

from schemas.interval import INTERVAL_PATTERN, Interval, grid, interval_ms
from schemas.message import SYMBOL_PATTERN, Message, Millis, Symbol

_INFINITY: Final = float("inf")

# msgspec runs a regular expression per record (0.35 µs each); there are few symbols, so theirs is run once.
_KlineSymbol = Annotated[str, Meta(max_length=32, extra_json_schema={"pattern": SYMBOL_PATTERN})]
_KlineInterval = Annotated[str, Meta(max_length=5, extra_json_schema={"pattern": INTERVAL_PATTERN})]
# Checked together, in one go; these are for the schema that others read.
_Price = Annotated[float, Meta(extra_json_schema={"exclusiveMinimum": 0})]
_Volume = Annotated[float, Meta(extra_json_schema={"minimum": 0})]


@lru_cache(maxsize=65_536)
def _is_symbol(text: str) -> bool:
    return re.match(SYMBOL_PATTERN, text) is not None


class Kline(Message, frozen=True, tag="kline"):
    """One candle of one symbol: prices in quote units, volume in base units, all finite JSON numbers.

    `closed` is the feed's own word; a bar closes at `open_time_ms` + interval. Raises ValueError (with the
    field's name) for a symbol or interval that is none, a price that is not positive and finite, high < low, a
    body outside the range, a negative volume or an open time off the interval's grid.
    """

    symbol: _KlineSymbol
    interval: _KlineInterval
    open_time_ms: Millis
    open: _Price
    high: _Price
    low: _Price
    close: _Price
    volume: _Volume
    closed: bool = True
    feed: str = ""

    def __post_init__(self) -> None:
        # One chained comparison on the hot path; only a refusal pays for finding out which field it was.
        low, high = self.low, self.high
        length, shift = grid(self.interval)
        if not (
            0.0 < low <= self.open <= high < _INFINITY
            and low <= self.close <= high
            and 0.0 <= self.volume < _INFINITY
            and (self.open_time_ms - shift) % length == 0
            and _is_symbol(self.symbol)
        ):
            raise ValueError(self._complaint())

    def _complaint(self) -> str:
        if not _is_symbol(self.symbol):
            return f"symbol: {self.symbol!r} is no venue symbol"
        for name in ("open", "high", "low", "close"):
            value = getattr(self, name)
            if not isfinite(value) or value <= 0.0:
                return f"{name}: {value} is not a positive, finite price"
        if self.high < self.low:
            return f"high: {self.high} is below low {self.low}"
        if not isfinite(self.volume) or self.volume < 0.0:
            return f"volume: {self.volume} is not a finite amount of at least 0"
        length, shift = grid(self.interval)
        if (self.open_time_ms - shift) % length:
            return f"open_time_ms: {self.open_time_ms} is not where a bar of {self.interval} opens"
        return f"open, close: {self.open}, {self.close} lie outside low..high {self.low}..{self.high}"

    @property
    def close_time_ms(self) -> int:
        """When the bar closes (exclusive end): open time plus interval."""
        return self.open_time_ms + interval_ms(self.interval)


class Tick(Message, frozen=True, tag="tick"):
    """`feed` has sent every bar of `symbol` closing at or before `time_ms`, a boundary of the base interval (law 1)."""

    symbol: Symbol
    feed: str
    time_ms: Millis
    interval: Interval = "1m"

    def __post_init__(self) -> None:
        length, shift = grid(self.interval)
        if (self.time_ms - shift) % length:
            raise ValueError(f"time_ms: {self.time_ms} is no boundary of {self.interval}")
