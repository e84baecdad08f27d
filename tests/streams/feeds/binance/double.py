"""An exchange on 127.0.0.1 that speaks the part of Binance's API which the feed uses, and misbehaves when told to.

Its clock stands until `pass_minute` moves it, so a test's minutes take milliseconds. Prices are a function of symbol
and minute, so anybody can say what the topic must hold.
"""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from aiohttp import WSMsgType, web

from schemas.interval import MINUTE_MS

T = TypeVar("T")

START: Final = 1_700_000_040_000
"""A minute's beginning; minute 0."""


def row(symbol: str, minute: int, *, shift: int = 0) -> list[Any]:
    """A bar as REST tells it. `shift` restates it."""
    open_ms = START + minute * MINUTE_MS
    base = 100 + sum(symbol.encode()) % 50 + minute % 17 + shift
    prices = [f"{base}.10000000", f"{base + 1}.50000000", f"{base - 1}.25000000", f"{base}.70000000"]
    return [open_ms, *prices, f"{minute % 5}.00000000", open_ms + MINUTE_MS - 1, "0.0", 3, "0", "0", "0"]


def frame(symbol: str, minute: int, event_ms: int, *, closed: bool, shift: int = 0) -> str:
    """The bar as the websocket tells it."""
    bar = row(symbol, minute, shift=shift)
    candle = {
        "t": bar[0], "T": bar[6], "s": symbol, "i": "1m", "f": 1, "L": 3, "o": bar[1], "c": bar[4], "h": bar[2],
        "l": bar[3], "v": bar[5], "n": 3, "x": closed, "q": "0.0", "V": "0", "Q": "0", "B": "0",
    }  # fmt: skip
    data = {"e": "kline", "E": event_ms, "s": symbol, "k": candle}
    return json.dumps({"stream": f"{symbol.lower()}@kline_1m", "data": data})


@dataclass
class Fault:
    """How the next request for klines goes wrong."""

    status: int
    body: str = "{}"
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Socket:
    """A connection, and what it subscribed to."""

    ws: web.WebSocketResponse
    request: web.Request
    streams: list[str] = field(default_factory=list)

    def abort(self) -> None:
        """Gone, without a word."""
        if self.request.transport is not None:
            self.request.transport.abort()


class Double:
    """`missing`: bars that were never made. `silent`: the websocket says nothing, though it lives."""

    def __init__(self, symbols: tuple[str, ...], minute: int = 0, page: int = 1_000) -> None:
        self.symbols = symbols
        self.minute = minute
        self.now_ms = START + minute * MINUTE_MS + 20_000
        self.missing: set[tuple[str, int]] = set()
        self.silent = False
        self.faults: list[Fault] = []
        self.refuse_sockets = 0
        self.refuse_streams = False
        self.sockets: list[Socket] = []
        self.asked: list[dict[str, str]] = []
        self.connected = 0
        self.rest_url = self.stream_url = ""
        self._page = page

    async def pass_minute(self, *, tell: bool = True, late_ms: int = 40) -> None:
        """The running minute ends; who listens hears of it unless `tell` is false."""
        ended, self.minute = self.minute, self.minute + 1
        self.now_ms = START + self.minute * MINUTE_MS + late_ms
        if tell:
            for symbol in self.symbols:
                if (symbol, ended) not in self.missing:
                    await self.send(frame(symbol, ended, self.now_ms, closed=True), symbol)

    async def go_on(self, milliseconds: int = 45_000) -> None:
        """Time goes by within the minute, and updates of the forming bars tell it."""
        self.now_ms += milliseconds
        for symbol in self.symbols:
            await self.send(frame(symbol, self.minute, self.now_ms, closed=False), symbol)

    async def send(self, text: str, symbol: str | None = None) -> None:
        """Say `text` to those who subscribed to the symbol, without one to all."""
        for socket in list(self.sockets):
            wanted = symbol is None or f"{symbol.lower()}@kline_1m" in socket.streams
            if wanted and not self.silent and not socket.ws.closed:
                try:
                    await socket.ws.send_str(text)
                except ConnectionError:
                    self.sockets.remove(socket)

    async def drop(self, *, mid_frame: bool = False) -> None:
        """Every connection is cut, in the middle of a frame if asked."""
        for socket in self.sockets:
            if mid_frame and socket.request.transport is not None:
                socket.request.transport.write(b"\x81\x7e\x01\x00" + b'{"stream"')
            socket.abort()
        self.sockets.clear()

    def subscribed(self) -> int:
        """How many streams are listened to."""
        return sum(len(socket.streams) for socket in self.sockets)

    async def _time(self, _: web.Request) -> web.Response:
        return web.json_response({"serverTime": self.now_ms})

    async def _info(self, _: web.Request) -> web.Response:
        symbols = [{"symbol": symbol, "status": "TRADING", "baseAsset": "X"} for symbol in self.symbols]
        limits = [
            {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 6_000},
            {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 50},
        ]
        return web.json_response({"timezone": "UTC", "rateLimits": limits, "symbols": symbols})

    async def _klines(self, request: web.Request) -> web.Response:
        asked = dict(request.query)
        self.asked.append(asked)
        if self.faults:
            fault = self.faults.pop(0)
            return web.Response(status=fault.status, text=fault.body, headers=fault.headers)
        symbol = asked["symbol"]
        if symbol not in self.symbols:
            return web.json_response({"code": -1121, "msg": "Invalid symbol."}, status=400)
        first = max(0, -(-(int(asked["startTime"]) - START) // MINUTE_MS))
        last = min(self.minute, (int(asked["endTime"]) - START) // MINUTE_MS)
        minutes = [m for m in range(first, last + 1) if (symbol, m) not in self.missing]
        rows = [row(symbol, m) for m in minutes[: min(self._page, int(asked["limit"]))]]
        return web.json_response(rows, headers={"X-MBX-USED-WEIGHT-1M": str(2 * len(self.asked))})

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        self.connected += 1
        if self.refuse_sockets:
            self.refuse_sockets -= 1
            return web.Response(status=503)
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        socket = Socket(ws, request)
        self.sockets.append(socket)
        async for message in ws:
            if message.type is WSMsgType.TEXT:
                await self._obey(socket, json.loads(message.data))
        if socket in self.sockets:
            self.sockets.remove(socket)
        return ws

    async def _obey(self, socket: Socket, asked: dict[str, Any]) -> None:
        assert asked["method"] == "SUBSCRIBE"
        if self.refuse_streams:
            self.refuse_streams = False
            await socket.ws.send_json({"error": {"code": 2, "msg": "Invalid request"}, "id": asked["id"]})
            return
        socket.streams += asked["params"]
        await socket.ws.send_json({"result": None, "id": asked["id"]})

    def app(self) -> web.Application:
        """The server."""
        app = web.Application()
        for api in ("/api/v3", "/fapi/v1"):
            app.router.add_get(f"{api}/time", self._time)
            app.router.add_get(f"{api}/exchangeInfo", self._info)
            app.router.add_get(f"{api}/klines", self._klines)
        app.router.add_get("/stream", self._stream)
        return app


@asynccontextmanager
async def exchange_double(double: Double) -> AsyncIterator[Double]:
    """The double on a free port of 127.0.0.1."""
    runner = web.AppRunner(double.app(), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    double.rest_url, double.stream_url = f"http://127.0.0.1:{port}", f"ws://127.0.0.1:{port}"
    try:
        yield double
    finally:
        await double.drop()
        await runner.cleanup()


async def until(done: Callable[[], bool], deadline_s: float = 30.0) -> None:
    """Wait until it is so."""
    deadline = asyncio.get_running_loop().time() + deadline_s
    while not done():
        if asyncio.get_running_loop().time() > deadline:
            raise TimeoutError
        await asyncio.sleep(0.005)


class Elsewhere:
    """A double that lives in a thread of its own, for tests and processes that block."""

    def __init__(self, double: Double) -> None:
        self.double = double
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._server = exchange_double(double)

    def __enter__(self) -> "Elsewhere":
        self._thread.start()
        self.call(self._server.__aenter__())
        return self

    def __exit__(self, *_: object) -> None:
        self.call(self._server.__aexit__(None, None, None))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def call(self, act: Coroutine[Any, Any, T]) -> T:
        """Run it there, wait for what comes of it."""
        return asyncio.run_coroutine_threadsafe(act, self._loop).result(20)
