"""Topics and streams of records as short words: `A0` is symbol A's bar of minute 0, `a1` its tick after one minute."""

from collections.abc import Iterable

from schemas.interval import MINUTE_MS
from schemas.market import Kline, Tick
from tests.streams.feeds.binance.double import START


def word(message: Kline | Tick) -> str:
    """`A0`, `a1`; `A0?` is a bar that still forms."""
    name = message.symbol.removesuffix("USDT")
    if isinstance(message, Tick):
        return f"{name.lower()}{(message.time_ms - START) // MINUTE_MS}"
    return f"{name}{(message.open_time_ms - START) // MINUTE_MS}{'' if message.closed else '?'}"


def words(messages: Iterable[object], symbol: str | None = None) -> str:
    """Those of a symbol, or all, in order."""
    return " ".join(
        word(one)
        for one in messages
        if isinstance(one, Kline | Tick) and (symbol is None or one.symbol == symbol)
    )


def whole(name: str, first: int, end: int, missing: Iterable[int] = ()) -> str:
    """What a symbol's topic must hold of minutes [first, end), the first of which is there."""
    gone = set(missing)
    told = []
    for minute in range(first, end):
        told += [] if minute in gone else [f"{name}{minute}"]
        told.append(f"{name.lower()}{minute + 1}")
    return " ".join(told)
