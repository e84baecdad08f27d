"""How long to wait before the exchange is asked again. Pure: times come in as seconds of a clock that never goes back.

Source: rest-api.md of binance/binance-spot-api-docs: each request has a weight, `X-MBX-USED-WEIGHT-1M` tells what an
address has used in the running minute, 429 asks it to wait `Retry-After` seconds, 418 bans it for so long.
"""

from typing import Final

_FIRST_S: Final = 1.0
_LONGEST_S: Final = 60.0
_UNTOLD_S: Final = 60.0
_SHARE: Final = 0.8
"""Of the limit: others at the same address want some of it too."""
_MINUTE_MS: Final = 60_000


def backoff_s(failures: int, chance: float) -> float:
    """Seconds to wait after `failures` in a row (at least 1): twice as long each time, at most a minute, and by
    `chance` (0 to 1) up to a half less, so that connections that were lost together do not come back together.
    """
    longest: float = min(_LONGEST_S, _FIRST_S * 2.0 ** min(failures - 1, 10))
    return longest * (1.0 - chance / 2.0)


def retry_after_s(header: str | None) -> float:
    """What a 429 or 418 asks for; a minute where it does not say, for that is how long weights count."""
    try:
        told = float(header) if header is not None else _UNTOLD_S
    except ValueError:
        return _UNTOLD_S
    return min(max(told, 1.0), 3 * 86_400.0) if told == told else _UNTOLD_S


class Budget:
    """The weight of one address in the running minute of the exchange's clock, and how long it must be silent."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._minute = -1
        self._used = 0
        self._silent_until = 0.0

    def wait_s(self, weight: int, exchange_ms: int, now: float) -> float:
        """Seconds until a request of `weight` may leave; 0.0: it may now, and counts as sent."""
        if now < self._silent_until:
            return self._silent_until - now
        self._turn(exchange_ms)
        if self._used and self._used + weight > self.limit * _SHARE:
            return (_MINUTE_MS - exchange_ms % _MINUTE_MS) / 1_000 + 0.1
        self._used += weight
        return 0.0

    def used(self, header: str | None, exchange_ms: int) -> None:
        """What the exchange says was used in this minute: it counts others at this address too."""
        self._turn(exchange_ms)
        if header is not None and header.isdecimal():
            self._used = max(self._used, int(header))

    def be_silent(self, seconds: float, now: float) -> None:
        """Ask nothing for so long."""
        self._silent_until = max(self._silent_until, now + seconds)

    def _turn(self, exchange_ms: int) -> None:
        minute = exchange_ms // _MINUTE_MS
        if minute != self._minute:
            self._minute, self._used = minute, 0
