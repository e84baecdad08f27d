"""The exchange's clock, as this process knows it."""

from typing import Final

_WINDOW_MS: Final = 600_000


class ExchangeClock:
    """What the exchange's clock shows at least, by the times that it told: an answer was on its way for a while, so the
    estimate is late by the shortest way seen, never early.

    Readings older than two windows are forgotten once newer ones came: this machine's clock may run faster than the
    exchange's. All arguments are milliseconds; `now` is of a clock that never goes back.
    """

    def __init__(self, exchange_ms: int, now: float) -> None:
        self._since = now
        self._current = self._before = exchange_ms - now

    def saw(self, exchange_ms: int, now: float) -> None:
        """The exchange told its time; it was heard at `now`."""
        offset = exchange_ms - now
        if now - self._since >= _WINDOW_MS:
            self._since, self._before, self._current = now, self._current, offset
        self._current = max(self._current, offset)

    def at(self, now: float) -> int:
        """Epoch milliseconds that the exchange's clock has reached."""
        return int(now + max(self._current, self._before))
