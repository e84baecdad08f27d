"""What Binance's REST interface answers: pages of klines, its symbols and limits, its time, its errors."""

from collections.abc import Mapping
from typing import Final, NamedTuple, TypeVar

import msgspec

from schemas.interval import interval_ms
from schemas.market import Kline
from streams.feeds.binance.frames import Unusable

T = TypeVar("T")

WEIGHT_HEADER: Final = "X-MBX-USED-WEIGHT-1M"


class Page(NamedTuple):
    """Closed bars in order. The exchange has no others with from <= open time < `until_ms`; `broken` are left out."""

    klines: tuple[Kline, ...]
    until_ms: int
    broken: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """The exchange has nothing there, as far as it knows now."""
        return not self.klines and not self.broken


class Symbols(NamedTuple):
    """The exchange's symbols with their state, and the weight that one address may use in a minute, if it says so."""

    states: Mapping[str, str]
    weight_limit: int | None


class _Row(msgspec.Struct, array_like=True):
    open_ms: int
    open: str
    high: str
    low: str
    close: str
    volume: str
    close_ms: int


class _Symbol(msgspec.Struct):
    symbol: str
    status: str = "TRADING"


class _RateLimit(msgspec.Struct, rename="camel"):
    rate_limit_type: str
    interval: str
    interval_num: int
    limit: int


class _ExchangeInfo(msgspec.Struct, rename="camel"):
    symbols: list[_Symbol]
    rate_limits: list[_RateLimit] = []


class _ServerTime(msgspec.Struct, rename="camel"):
    server_time: int


class _Error(msgspec.Struct):
    code: int = 0
    msg: str = ""


def read_page(body: bytes, *, symbol: str, interval: str, feed: str, from_ms: int, to_ms: int) -> Page:
    """The answer to a request for bars with from_ms <= open time < to_ms, all of them closed by the exchange's clock.

    It tells nothing of what lies behind its last row, whatever was asked for: venues differ in how many rows they
    give. Only an empty one says that there are none. Raises Unusable for what is no such answer.
    """
    rows = sorted(_decoded(body, list[_Row]), key=lambda one: one.open_ms)
    step = interval_ms(interval)
    klines, broken = [], []
    for row in rows:
        if not from_ms <= row.open_ms < to_ms:
            raise Unusable(f"{symbol}: a bar of {row.open_ms} where {from_ms} to {to_ms} was asked for")
        try:
            klines.append(_kline(row, symbol, interval, feed, step))
        except ValueError as wrong:
            broken.append(f"{symbol} {row.open_ms}: {wrong}")
    return Page(tuple(klines), min(rows[-1].open_ms + step, to_ms) if rows else to_ms, tuple(broken))


def _kline(row: _Row, symbol: str, interval: str, feed: str, step: int) -> Kline:
    if row.close_ms - row.open_ms != step - 1:
        raise ValueError(f"close time: {row.close_ms} is not when a bar of {interval} closes")
    return Kline(
        symbol=symbol, interval=interval, open_time_ms=row.open_ms, open=float(row.open), high=float(row.high),
        low=float(row.low), close=float(row.close), volume=float(row.volume), feed=feed,
    )  # fmt: skip


def read_symbols(body: bytes) -> Symbols:
    """The answer to exchangeInfo. Raises Unusable."""
    told = _decoded(body, _ExchangeInfo)
    limits = [
        one.limit
        for one in told.rate_limits
        if (one.rate_limit_type, one.interval, one.interval_num) == ("REQUEST_WEIGHT", "MINUTE", 1)
    ]
    return Symbols({one.symbol: one.status for one in told.symbols}, min(limits) if limits else None)


def read_time(body: bytes) -> int:
    """The exchange's clock, epoch milliseconds. Raises Unusable."""
    return _decoded(body, _ServerTime).server_time


def read_error(body: bytes) -> str:
    """`-1121 Invalid symbol.`, or the beginning of whatever else came."""
    try:
        told = _decoded(body, _Error)
    except Unusable:
        return body[:80].decode("utf-8", "backslashreplace")
    return f"{told.code} {told.msg}"


def _decoded(body: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as wrong:
        raise Unusable(f"no answer of REST: {wrong}") from None
