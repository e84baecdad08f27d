"""One websocket connection: subscribe, read, and come back after whatever ended it.

Pings of the exchange are answered by the client, ours tell a dead peer from a quiet one. A connection that brings no
klines for `stall_s` is given up all the same: a subscription may be lost while the connection lives.
"""

import asyncio
import itertools
import logging
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import aiohttp
import msgspec

from streams.feeds.binance.frames import Answer, Frame, Shutdown, Unusable
from streams.feeds.binance.pauses import backoff_s, retry_after_s

MAX_STREAMS: Final = 1_024
USUAL_STREAMS: Final = 200
"""What futures allowed for long; a connection that is lost takes fewer symbols with it."""
_ASKED_AT_ONCE: Final = 200
_BETWEEN_S: Final = 0.25
"""The exchange closes connections that send more than five messages a second, pings and pongs included."""
_HEARTBEAT_S: Final = 20.0
_CLOSE: Final = aiohttp.ClientWSTimeout(ws_close=2.0)
_LASTED_S: Final = 60.0
"""A connection that lived so long is no failure in a row."""
_TELL_EVERY_S: Final = 10.0
_CLOSING: Final = (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSING, aiohttp.WSMsgType.CLOSED)
_log = logging.getLogger("strikeline.feed")


@dataclass(frozen=True)
class Patience:
    """Seconds: how long without a kline until a connection is given up; its age (the exchange ends it after 24 h)."""

    stall_s: float = 90.0
    renew_s: float = 23 * 3_600.0


class Lost(Exception):
    """Why a connection ended: a word for the metrics, what happened, and for how long nobody should come back."""

    def __init__(self, why: str, what: str, wait_s: float = 0.0) -> None:
        super().__init__(what)
        self.why = why
        self.wait_s = wait_s


class Connection:
    """Reads `streams` from `url` until it is cancelled. `heard` takes every frame and says what it was (it raises
    Unusable); `lost` is told the word for each end; `may_renew`: a moment in which a new connection misses no close.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        url: str,
        streams: Sequence[str],
        heard: Callable[[str], Frame],
        lost: Callable[[str], None],
        may_renew: Callable[[], bool],
        patience: Patience,
    ) -> None:
        self._session = session
        self._url = url
        self._streams = tuple(streams)
        self._heard = heard
        self._lost = lost
        self._may_renew = may_renew
        self._patience = patience
        self._told_at, self._untold = float("-inf"), 0
        self.open = False

    async def run(self) -> None:
        """Connect, read, connect again."""
        failures = 0
        while True:
            began = time.monotonic()
            try:
                await self._once()
            except Lost as end:
                lasted = time.monotonic() - began
                failures = 1 if lasted > _LASTED_S else failures + 1
                wait = 0.0 if end.why == "renewed" else max(end.wait_s, backoff_s(failures, random.random()))
                self._lost(end.why)
                _log.warning("connection to %s ended: %s; again in %.1f s", self._url, end, wait)
                await asyncio.sleep(wait)

    async def _once(self) -> None:
        """One connection, from its beginning to its end. Raises Lost, always."""
        try:
            async with self._session.ws_connect(self._url, heartbeat=_HEARTBEAT_S, timeout=_CLOSE) as socket:
                self.open = True
                _log.info("connected to %s for %d streams", self._url, len(self._streams))
                await self._subscribe(socket)
                await self._read(socket)
        except aiohttp.WSServerHandshakeError as refused:
            told = refused.headers.get("Retry-After") if refused.headers else None
            wait = retry_after_s(told) if refused.status in {418, 429} else 0.0
            raise Lost("refused", f"status {refused.status}", wait) from None
        except (aiohttp.ClientError, OSError) as error:
            raise Lost("failed", str(error) or type(error).__name__) from None
        finally:
            self.open = False

    async def _subscribe(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        ids = itertools.count(1)
        for first in range(0, len(self._streams), _ASKED_AT_ONCE):
            params = self._streams[first : first + _ASKED_AT_ONCE]
            asked = {"method": "SUBSCRIBE", "params": params, "id": next(ids)}
            await socket.send_str(msgspec.json.encode(asked).decode())
            await asyncio.sleep(_BETWEEN_S if len(self._streams) > first + _ASKED_AT_ONCE else 0)

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        began = heard = time.monotonic()
        while True:
            left = heard + self._patience.stall_s - time.monotonic()
            try:
                message = await socket.receive(max(left, 0.001))
            except TimeoutError:
                raise Lost("stalled", f"no kline for {self._patience.stall_s:.0f} s") from None
            if message.type is aiohttp.WSMsgType.TEXT:
                heard = time.monotonic() if self._said(message.data) else heard
            elif message.type in _CLOSING:
                raise Lost("closed", f"closed by the exchange, code {socket.close_code}")
            elif message.type is aiohttp.WSMsgType.ERROR:
                raise Lost("failed", f"{message.data}")
            if time.monotonic() - began > self._patience.renew_s and self._may_renew():
                raise Lost("renewed", "it is old")

    def _said(self, text: str) -> bool:
        """Whether it was a kline. Raises Lost for a word of the exchange after which no more klines come."""
        try:
            frame = self._heard(text)
        except Unusable as wrong:
            self._tell_unusable(wrong)
            return False
        if isinstance(frame, Shutdown):
            raise Lost("shutdown", "the server announced its end")
        if isinstance(frame, Answer):
            if frame.problem:
                raise Lost("refused", f"the subscription was refused: {frame.problem}")
            return False
        return True

    def _tell_unusable(self, wrong: Unusable) -> None:
        """Some of what may be hundreds a second; the metrics count all."""
        now = time.monotonic()
        self._untold += 1
        if now - self._told_at >= _TELL_EVERY_S:
            _log.warning("%d frames that cannot be used, the last: %s", self._untold, wrong)
            self._told_at, self._untold = now, 0
