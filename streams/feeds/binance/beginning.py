"""Where a feed begins: behind what the topic has of each symbol, so that nothing is sent twice or left out."""

import difflib
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Final, NamedTuple

from schemas.interval import bucket_start_ms, interval_ms
from schemas.market import Kline, Tick
from streams.feeds.binance.sequence import Sequence

_TRADING: Final = "TRADING"


class CannotBegin(ValueError):
    """The feed must not, or cannot, begin: which symbol, and why."""


class Standing(NamedTuple):
    """What the topic has of a symbol: where its newest bar closed, its newest tick, and who sent the last of them."""

    closed_ms: int | None
    ticked_ms: int | None
    feed: str
    interval: str

    @property
    def until_ms(self) -> int:
        """Every bar that closes up to here was sent."""
        return max(self.closed_ms or 0, self.ticked_ms or 0)


def standing_after(before: Standing | None, message: Kline | Tick) -> Standing | None:
    """The standing with one more record. A bar that is still forming tells of no other."""
    if isinstance(message, Tick):
        closed = None if before is None else before.closed_ms
        return Standing(closed, message.time_ms, message.feed, message.interval)
    if not message.closed:
        return before
    ticked = None if before is None else before.ticked_ms
    return Standing(message.close_time_ms, ticked, message.feed, message.interval)


def check_symbols(asked: Collection[str], states: Mapping[str, str]) -> list[str]:
    """Those of `asked` that are not traded at the moment. Raises CannotBegin naming all that the exchange has not."""
    unknown = [_named(symbol, states) for symbol in asked if symbol not in states]
    if unknown:
        raise CannotBegin(f"the exchange has no symbol {', '.join(unknown)}")
    return [symbol for symbol in asked if states[symbol] != _TRADING]


def _named(symbol: str, states: Mapping[str, str]) -> str:
    close = difflib.get_close_matches(symbol, states, n=1, cutoff=0.7)
    return f"{symbol} (did you mean {close[0]}?)" if close else symbol


def utc(time_ms: int) -> str:
    """`2025-06-01T12:00:00+00:00`, for people."""
    return datetime.fromtimestamp(time_ms / 1_000, UTC).isoformat()


class Beginning(NamedTuple):
    """What was asked for: `from_ms` is the first open time of symbols that the topic does not have."""

    feed: str
    interval: str
    from_ms: int
    take_over: bool = False

    def of(self, symbol: str, standing: Standing | None, now_ms: int) -> Sequence:
        """Where `symbol` begins; `now_ms`: the exchange's clock. Raises CannotBegin."""
        if standing is None:
            from_ms = max(0, self.from_ms)
            first_ms = bucket_start_ms(from_ms + interval_ms(self.interval) - 1, self.interval)
            self._check_begun(symbol, first_ms, now_ms)
            return Sequence(symbol, self.feed, self.interval, first_ms)
        self._check(symbol, standing, now_ms)
        return Sequence(
            symbol, self.feed, self.interval, standing.until_ms, begun=True, ticked_ms=standing.ticked_ms
        )

    def _check_begun(self, symbol: str, first_ms: int, now_ms: int) -> None:
        """A feed that waits for a far bar says nothing until then, and looks like one that runs."""
        if first_ms > now_ms + interval_ms(self.interval):
            raise CannotBegin(
                f"{symbol}: it would begin at {utc(first_ms)}, which the exchange's clock has not reached"
            )

    def _check(self, symbol: str, standing: Standing, now_ms: int) -> None:
        if standing.interval != self.interval:
            raise CannotBegin(f"{symbol}: the topic has bars of {standing.interval}, not of {self.interval}")
        if standing.feed != self.feed and not self.take_over:
            raise CannotBegin(
                f"{symbol}: the topic has it from the feed {standing.feed!r}, and one feed owns a symbol: "
                "use another namespace, or --take-over where it was the same market"
            )
        if standing.until_ms > now_ms + interval_ms(self.interval):
            raise CannotBegin(
                f"{symbol}: the topic has it up to {utc(standing.until_ms)}, which the exchange's clock has not reached"
            )
