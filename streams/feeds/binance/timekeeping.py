"""Keeping the exchange's time: frames tell it; where they do not, or tell what cannot be believed, it is asked for."""

import asyncio
import logging
import time
from contextlib import suppress
from typing import Final

from streams.feeds.binance.rest import Rest, RestError

_SILENT_S: Final = 60.0
_LEAP_MS: Final = 300_000
_NOT_AGAIN_S: Final = 1.0
_log = logging.getLogger("strikeline.feed")


class Timekeeper:
    """Tells `rest`, whose clock everybody reads, what frames say."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest
        self._heard_at = time.monotonic()
        self._doubted = asyncio.Event()

    def heard(self, event_ms: int) -> None:
        """A frame told its time. A leap is asked about: believed wrongly, it would end minutes that are to come."""
        self._heard_at = time.monotonic()
        if event_ms - self._rest.now_ms() > _LEAP_MS:
            self._doubted.set()
        else:
            self._rest.saw(event_ms)

    async def run(self) -> None:
        """Ask after a leap and in silence, for ever."""
        while True:
            # Not wait_for: before Python 3.12 it swallows a cancellation that comes together with the event.
            with suppress(TimeoutError):
                async with asyncio.timeout(_SILENT_S):
                    await self._doubted.wait()
            if self._doubted.is_set() or time.monotonic() - self._heard_at >= _SILENT_S:
                self._doubted.clear()
                try:
                    await self._rest.sync()
                except RestError as why:
                    _log.warning("the exchange's time is not known anew: %s", why)
                await asyncio.sleep(_NOT_AGAIN_S)
