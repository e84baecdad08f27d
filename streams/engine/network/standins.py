"""Bars that a Tick stood in for (law 1), kept as long as a late group may have to see them."""

from typing import Final, NamedTuple

import msgspec

from schemas.triggers import Bar

KEPT: Final = 200
"""Runs; a late group looks back a few bars, and the row must stay small."""


class Run(NamedTuple):
    """Stand-ins closing at every boundary from `first_ms` to `last_ms`, after the bar that opened at `after_ms`."""

    after_ms: int
    first_ms: int
    last_ms: int
    price: float


class StandIns:
    """The ring. Oldest first; runs after the same bar stand together."""

    def __init__(self, interval: str, length_ms: int) -> None:
        self._interval = interval
        self._length_ms = length_ms
        self._runs: list[Run] = []

    @property
    def newest_ms(self) -> int:
        """Close of the newest one, -1 before the first."""
        return self._runs[-1].last_ms if self._runs else -1

    def add(self, after_ms: int, close_ms: int, price: float) -> None:
        """One more, closing at `close_ms`, after the bar that opened at `after_ms`."""
        if self._runs:
            last = self._runs[-1]
            if last.after_ms == after_ms and last.last_ms + self._length_ms == close_ms:
                self._runs[-1] = last._replace(last_ms=close_ms)
                return
        self._runs.append(Run(after_ms, close_ms, close_ms, price))
        del self._runs[:-KEPT]

    @property
    def runs(self) -> list[Run]:
        """Those kept, oldest first."""
        return self._runs

    def closes(self, run: Run) -> range:
        """When the stand-ins of `run` close."""
        return range(run.first_ms, run.last_ms + 1, self._length_ms)

    def bar(self, close_ms: int, price: float) -> Bar:
        """The bar of one of them, marked."""
        return Bar(
            interval=self._interval,
            open_time_ms=close_ms - self._length_ms,
            close_time_ms=close_ms,
            open=price,
            high=price,
            low=price,
            close=price,
            volume=0.0,
            stale_price=True,
        )

    def dump(self) -> bytes:
        return msgspec.msgpack.encode(self._runs) if self._runs else b""

    def load(self, body: bytes) -> None:
        self._runs = msgspec.msgpack.decode(body, type=list[Run])
