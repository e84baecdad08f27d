"""What the websocket sends, as klines: `{"stream": …, "data": {"e": "kline", …}}`, prices as decimal strings.

Source: web-socket-streams.md of binance/binance-spot-api-docs; recordings of four of its venues.
"""

from collections.abc import Collection
from typing import Final, NamedTuple

import msgspec

from schemas.interval import interval_ms
from schemas.market import Kline

_NOTHING: Final = msgspec.Raw(b"")


class Unusable(ValueError):
    """A frame or row that says nothing we can use; the reason, one line."""


class Update(NamedTuple):
    """A kline as it stood at `event_ms` of the exchange's clock; closed where the exchange says so (`x`)."""

    kline: Kline
    event_ms: int


class Answer(NamedTuple):
    """What the exchange says to a subscription; `problem` is empty where it was taken."""

    problem: str


class Shutdown(NamedTuple):
    """The server is about to close this connection."""


Frame = Update | Answer | Shutdown


class _Envelope(msgspec.Struct):
    data: msgspec.Raw = _NOTHING
    e: str = ""
    id: int | str | None = None
    error: msgspec.Raw = _NOTHING
    code: int | None = None


class _Candle(msgspec.Struct):
    t: int
    T: int
    i: str
    o: str
    h: str
    l: str  # noqa: E741
    c: str
    v: str
    x: bool


class _Event(msgspec.Struct):
    e: str
    E: int
    s: str = ""
    k: _Candle | None = None


_envelope: Final = msgspec.json.Decoder(_Envelope)
_event: Final = msgspec.json.Decoder(_Event)


class Frames:
    """Reads frames of `symbols` and one interval; klines carry the name of `feed`."""

    def __init__(self, symbols: Collection[str], interval: str, feed: str) -> None:
        self._symbols = frozenset(symbols)
        self._interval = interval
        self._step = interval_ms(interval)
        self._feed = feed

    def read(self, text: str | bytes) -> Frame:
        """What the frame says. Raises Unusable."""
        try:
            envelope = _envelope.decode(text)
            # One stream's connection sends the event bare, several streams' in an envelope.
            data = bytes(envelope.data) or (text if envelope.e else b"")
            if not data:
                return _answer(envelope)
            event = _event.decode(data)
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as wrong:
            raise Unusable(f"{wrong}") from None
        if event.e == "serverShutdown":
            return Shutdown()
        return self._update(event)

    def _update(self, event: _Event) -> Update:
        candle, symbol = event.k, event.s
        if event.e != "kline" or candle is None:
            raise Unusable(f"e: {event.e!r} is no kline")
        if symbol not in self._symbols:
            raise Unusable(f"s: {symbol!r} was not subscribed to")
        if candle.i != self._interval or candle.T - candle.t != self._step - 1:
            raise Unusable(f"k: a bar of {candle.i} from {candle.t} to {candle.T}, not of {self._interval}")
        try:
            kline = Kline(
                symbol=symbol, interval=self._interval, open_time_ms=candle.t, open=float(candle.o),
                high=float(candle.h), low=float(candle.l), close=float(candle.c), volume=float(candle.v),
                closed=candle.x, feed=self._feed,
            )  # fmt: skip
        except ValueError as wrong:
            raise Unusable(f"{symbol} {candle.t}: {wrong}") from None
        return Update(kline, event.E)


def _answer(envelope: _Envelope) -> Answer:
    if bytes(envelope.error) or envelope.code is not None:
        return Answer((bytes(envelope.error) or f"code {envelope.code}".encode()).decode())
    if envelope.id is None:
        raise Unusable("neither an event nor an answer")
    return Answer("")
