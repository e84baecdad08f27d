"""Binance's REST interface: one address, one budget, whoever asks.

RestError
├── Away       the exchange did not answer, or not with what was asked: ask again later
└── Refused    it will not answer this: the symbol is gone, or the request is wrong
"""

import asyncio
import logging
import random
import time
from collections.abc import Callable
from typing import Final, TypeVar

import aiohttp

from streams.feeds.binance.clock import ExchangeClock
from streams.feeds.binance.frames import Unusable
from streams.feeds.binance.pages import (
    WEIGHT_HEADER,
    Page,
    Symbols,
    read_error,
    read_page,
    read_symbols,
    read_time,
)
from streams.feeds.binance.pauses import Budget, backoff_s, retry_after_s
from streams.feeds.binance.venue import Venue

_TIMEOUT: Final = aiohttp.ClientTimeout(total=120.0, sock_connect=10.0, sock_read=20.0)
_BUSY: Final = (418, 429)
_INFO_WEIGHT: Final = 20
_log = logging.getLogger("strikeline.feed")
T = TypeVar("T")


class RestError(Exception):
    """A request that brought nothing; the reason, one line."""


class Away(RestError):
    """Nothing came, or nothing of use: everybody waits a little, then asks again."""


class Refused(RestError):
    """The exchange says that this cannot be asked for."""


class Rest:
    """Asks `venue`. After a failure nobody asks for a while, longer with each in a row."""

    def __init__(
        self, venue: Venue, session: aiohttp.ClientSession, told: Callable[[str], None] = lambda outcome: None
    ) -> None:
        self._venue = venue
        self._session = session
        self._told = told
        self._budget = Budget(venue.weight_limit)
        self._failures = 0
        self._clock = ExchangeClock(0, _running_ms())

    async def begin(self) -> Symbols:
        """Learn the exchange's time, symbols and limits. Raises RestError."""
        self._clock = ExchangeClock(await self._understood(read_time, "/time", {}, 1), _running_ms())
        symbols = await self._understood(read_symbols, "/exchangeInfo", {}, _INFO_WEIGHT)
        self._budget.limit = symbols.weight_limit or self._budget.limit
        return symbols

    def now_ms(self) -> int:
        """What the exchange's clock shows at least."""
        return self._clock.at(_running_ms())

    def saw(self, exchange_ms: int) -> None:
        """Somebody heard the exchange's time."""
        self._clock.saw(exchange_ms, _running_ms())

    async def sync(self) -> None:
        """Ask for the exchange's time. Raises RestError."""
        self.saw(await self._understood(read_time, "/time", {}, 1))

    async def klines(self, symbol: str, interval: str, from_ms: int, to_ms: int, count: int) -> Page:
        """Bars with from_ms <= open time < to_ms, the first page of them. Raises RestError."""
        limit = min(count, self._venue.page)
        asked = {
            "symbol": symbol,
            "interval": interval,
            "startTime": str(from_ms),
            "endTime": str(to_ms - 1),
            "limit": str(limit),
        }

        def read(body: bytes) -> Page:
            return read_page(
                body, symbol=symbol, interval=interval, feed=self._venue.feed, from_ms=from_ms, to_ms=to_ms
            )

        return await self._understood(read, "/klines", asked, self._venue.page_weight)

    async def _understood(
        self, read: Callable[[bytes], T], path: str, asked: dict[str, str], weight: int
    ) -> T:
        body = await self._get(path, asked, weight)
        try:
            answer = read(body)
        except Unusable as wrong:
            raise self._failed(f"{path}: {wrong}", "garbage") from None
        self._failures = 0
        self._told("answered")
        return answer

    async def _get(self, path: str, asked: dict[str, str], weight: int) -> bytes:
        await self._our_turn(weight)
        url = f"{self._venue.rest_url}{self._venue.api}{path}"
        try:
            async with self._session.get(url, params=asked, timeout=_TIMEOUT) as response:
                body = await response.read()
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise self._failed(f"{path}: {str(error) or type(error).__name__}", "unreachable") from None
        self._budget.used(response.headers.get(WEIGHT_HEADER), self.now_ms())
        if response.status == 200:
            return body
        if response.status in _BUSY:
            raise self._told_to_wait(response, path)
        reason = f"{path}: status {response.status}, {read_error(body)}"
        if 400 <= response.status < 500 and response.status != 403:
            self._told("refused")
            raise Refused(reason)
        raise self._failed(reason, "error")

    async def _our_turn(self, weight: int) -> None:
        """Wait until the budget allows it; it may have changed meanwhile, then longer."""
        wait = self._budget.wait_s(weight, self.now_ms(), time.monotonic())
        while wait > 0.0:
            await asyncio.sleep(wait)
            wait = self._budget.wait_s(weight, self.now_ms(), time.monotonic())

    def _told_to_wait(self, response: aiohttp.ClientResponse, path: str) -> Away:
        seconds = retry_after_s(response.headers.get("Retry-After"))
        self._budget.be_silent(seconds, time.monotonic())
        self._told("busy")
        _log.warning("%s: status %d, nothing is asked for %.0f s", path, response.status, seconds)
        return Away(f"{path}: status {response.status}")

    def _failed(self, reason: str, outcome: str) -> Away:
        self._failures += 1
        seconds = backoff_s(self._failures, random.random())
        self._budget.be_silent(seconds, time.monotonic())
        self._told(outcome)
        _log.warning("%s; nothing is asked for %.1f s", reason, seconds)
        return Away(reason)


def _running_ms() -> float:
    return time.monotonic() * 1_000.0
