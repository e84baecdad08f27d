"""A spot exchange on 127.0.0.1 that speaks the part of Binance's REST API that ccxt's `binance` class uses.

It checks keys, signatures and the receive window, keeps orders and trades, fills market orders from what is on offer,
rests limits until the price comes, and takes client ids as Binance does: a doublet is refused only while the first is
open. `fail` makes the next request of a kind go wrong in a chosen way, before or after the order was taken.
"""

import hashlib
import hmac
import json
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

KEY, SECRET = "key-of-alice-123", "secret-of-alice-456"


class Fault(NamedTuple):
    """`status` and body for an answer (0: the connection is cut, -1: silence); `after`: the request was obeyed,
    `late`: it waits in the network until `arrive`.
    """

    status: int
    code: int = 0
    msg: str = ""
    after: bool = False
    retry_after: int | None = None
    late: bool = False


class Refusal(Exception):
    """What Binance answers with an error code."""

    def __init__(self, code: int, msg: str, status: int = 400) -> None:
        super().__init__(msg)
        self.body = {"code": code, "msg": msg}
        self.status = status


class Book:
    """The exchange itself: orders, trades, balances of one account, the last price and what is on offer."""

    def __init__(self) -> None:
        self.price = Decimal(100)
        self.offers: list[tuple[Decimal, Decimal]] = []
        """(price, quantity) that market and marketable orders meet, in order; empty: anything, at the last price."""
        self.balances = {"USDT": Decimal(100_000), "BTC": Decimal(0)}
        self.fee = Decimal("0.001")
        self.fee_asset: str | None = None
        self.orders: list[dict[str, Any]] = []
        self.trades: list[dict[str, Any]] = []
        self.clock_ms = lambda: time.time_ns() // 1_000_000

    def place(self, asked: dict[str, str]) -> dict[str, Any]:
        client_id = asked["newClientOrderId"]
        if any(
            o["clientOrderId"] == client_id and o["status"] in {"NEW", "PARTIALLY_FILLED"}
            for o in self.orders
        ):
            raise Refusal(-2010, "Duplicate order sent.")
        quantity = Decimal(asked["quantity"])
        limit = Decimal(asked["price"]) if asked["type"] == "LIMIT" else None
        self._filter(quantity, limit)
        self._afford(asked["side"], quantity, limit or self.price)
        now = self.clock_ms()
        order = {
            "symbol": "BTCUSDT", "orderId": len(self.orders) + 1, "orderListId": -1, "clientOrderId": client_id,
            "price": str(limit or 0), "origQty": str(quantity), "executedQty": "0", "cummulativeQuoteQty": "0",
            "status": "NEW", "timeInForce": asked.get("timeInForce", "GTC"), "type": asked["type"],
            "side": asked["side"], "time": now, "updateTime": now, "transactTime": now, "isWorking": True,
        }  # fmt: skip
        self.orders.append(order)
        self._match(order)
        if order["status"] != "FILLED" and (limit is None or order["timeInForce"] == "IOC"):
            order["status"] = "EXPIRED"
        return order

    def move(self, price: str) -> None:
        """The market goes to `price`; what rests there is filled."""
        self.price = Decimal(price)
        for order in self.orders:
            if order["status"] in {"NEW", "PARTIALLY_FILLED"}:
                self._match(order)

    def cancel(self, order: dict[str, Any]) -> dict[str, Any]:
        if order["status"] not in {"NEW", "PARTIALLY_FILLED"}:
            raise Refusal(-2011, "Unknown order sent.")
        order["status"] = "CANCELED"
        return order

    def found(self, asked: dict[str, str]) -> dict[str, Any]:
        """The newest order of that id. Raises Refusal."""
        order: dict[str, Any]
        for order in reversed(self.orders):
            if str(order["orderId"]) == asked.get("orderId") or order["clientOrderId"] == asked.get(
                "origClientOrderId"
            ):
                return order
        raise Refusal(-2013, "Order does not exist.")

    def _filter(self, quantity: Decimal, limit: Decimal | None) -> None:
        if quantity % Decimal("0.00001"):
            raise Refusal(-1013, "Filter failure: LOT_SIZE")
        if limit is not None and limit % Decimal("0.01"):
            raise Refusal(-1013, "Filter failure: PRICE_FILTER")
        if quantity * (limit or self.price) < 5:
            raise Refusal(-1013, "Filter failure: NOTIONAL")

    def _afford(self, side: str, quantity: Decimal, price: Decimal) -> None:
        asset, amount = ("USDT", quantity * price) if side == "BUY" else ("BTC", quantity)
        if self.balances[asset] < amount:
            raise Refusal(-2010, "Account has insufficient balance for requested action.")

    def _match(self, order: dict[str, Any]) -> None:
        limit = Decimal(order["price"]) or None
        offers = self.offers or [(self.price, Decimal(10**9))]
        left = Decimal(order["origQty"]) - Decimal(order["executedQty"])
        for at, (price, offered) in enumerate(offers):
            taken = min(left, offered)
            reached = limit is None or (price <= limit if order["side"] == "BUY" else price >= limit)
            if not taken or not reached:
                continue
            self._trade(order, price, taken)
            left -= taken
            if self.offers:
                self.offers[at] = (price, offered - taken)

    def _trade(self, order: dict[str, Any], price: Decimal, quantity: Decimal) -> None:
        now, buys = self.clock_ms(), order["side"] == "BUY"
        asset = self.fee_asset or ("BTC" if buys else "USDT")
        fee = self.fee * (quantity if asset == "BTC" else quantity * price)
        if asset == "BNB":
            fee = Decimal("0.0001")
        self.balances["BTC"] += quantity if buys else -quantity
        self.balances["USDT"] += -quantity * price if buys else quantity * price
        if asset in self.balances:
            self.balances[asset] -= fee
        order["executedQty"] = str(Decimal(order["executedQty"]) + quantity)
        order["cummulativeQuoteQty"] = str(Decimal(order["cummulativeQuoteQty"]) + quantity * price)
        full = Decimal(order["executedQty"]) == Decimal(order["origQty"])
        order |= {"status": "FILLED" if full else "PARTIALLY_FILLED", "updateTime": now}
        self.trades.append({
            "symbol": "BTCUSDT", "id": len(self.trades) + 1, "orderId": order["orderId"], "orderListId": -1,
            "price": str(price), "qty": str(quantity), "quoteQty": str(quantity * price), "commission": str(fee),
            "commissionAsset": asset, "time": now, "isBuyer": buys, "isMaker": False, "isBestMatch": True,
        })  # fmt: skip


class Double:
    """A running exchange: `book` is its market, `asked` what it was asked, `fail` what goes wrong next."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/api/v3"
        self.book = Book()
        self.lock = threading.Lock()
        self.asked: list[str] = []
        self.faults: defaultdict[str, list[Fault]] = defaultdict(list)
        self.underway: list[tuple[str, Any, str]] = []
        self.ended = threading.Event()
        self.silent = threading.Event()
        """A request was taken in that is never answered."""

    @property
    def urls(self) -> dict[str, str]:
        """For CcxtExchange."""
        return {"public": self.url, "private": self.url, "sapi": self.url}

    def fail(self, request: str, *faults: Fault) -> None:
        """The next requests called `request` ("POST /order") go wrong, one after the other."""
        self.faults[request].extend(faults)

    def is_silent_next(self, request: str) -> bool:
        """Will the next request of that name get no answer?"""
        with self.lock:
            faults = self.faults[request]
            return bool(faults) and faults[0].status < 0

    def arrive(self) -> list[Any]:
        """What was late arrives now; the answers, which nobody waits for any more."""
        with self.lock:
            late, self.underway = self.underway, []
            return [self.obey(*request)[1] for request in late]

    def obey(self, name: str, headers: Any, query: str) -> tuple[int, Any]:
        """Status and answer of one request."""
        asked = dict(parse_qsl(query))
        try:
            if name != "GET /exchangeInfo":
                self.checked(headers, query, asked)
            return 200, self.answer(name, asked)
        except Refusal as refusal:
            return refusal.status, refusal.body

    def sent(self, request: str = "POST /order") -> int:
        """How many such requests arrived."""
        return self.asked.count(request)

    def answer(self, name: str, asked: dict[str, str]) -> Any:
        """What Binance would say. Raises Refusal."""
        match name:
            case "GET /exchangeInfo":
                return _EXCHANGE_INFO
            case "POST /order":
                return self.book.place(asked)
            case "GET /order":
                return self.book.found(asked)
            case "DELETE /order":
                return self.book.cancel(self.book.found(asked))
            case "GET /myTrades":
                return [t for t in self.book.trades if str(t["orderId"]) == asked["orderId"]]
            case "GET /openOrders":
                return [o for o in self.book.orders if o["status"] in {"NEW", "PARTIALLY_FILLED"}]
        raise Refusal(-1000, f"the double does not know {name}", 404)

    def checked(self, headers: Any, query: str, asked: dict[str, str]) -> None:
        """Who asks, and was it signed not long ago? Raises Refusal."""
        if headers.get("X-MBX-APIKEY") != KEY:
            raise Refusal(-2015, "Invalid API-key, IP, or permissions for action.", 401)
        signed, _, signature = query.rpartition("&signature=")
        if not hmac.compare_digest(
            hmac.new(SECRET.encode(), signed.encode(), hashlib.sha256).hexdigest(), signature
        ):
            raise Refusal(-1022, "Signature for this request is not valid.")
        if self.book.clock_ms() - int(asked["timestamp"]) > int(asked.get("recvWindow", 5_000)):
            raise Refusal(-1021, "Timestamp for this request is outside of the recvWindow.")


def name_of(method: str, url: str) -> str:
    """What requests are called here: "POST /order"."""
    return f"{method} {urlsplit(url).path.removeprefix('/api/v3')}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    double: Double

    def log_message(self, *args: Any) -> None:
        """Say nothing."""

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        name = name_of(self.command, self.path)
        double, query = self.double, body or parts.query
        with double.lock:
            double.asked.append(name)
            fault = double.faults[name].pop(0) if double.faults[name] else None
            status, answer = 200, None
            if fault is None or fault.after:
                status, answer = double.obey(name, self.headers, query)
            elif fault.late:
                double.underway.append((name, self.headers, query))
        if fault is not None:
            self._go_wrong(fault)
        else:
            self._send(status, answer)

    def _go_wrong(self, fault: Fault) -> None:
        if fault.status <= 0:
            if fault.status < 0:
                self.double.silent.set()
                self.double.ended.wait(30)
            self.close_connection = True
            return
        extra = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
        self._send(fault.status, {"code": fault.code, "msg": fault.msg}, extra)

    def _send(self, status: int, answer: Any, extra: dict[str, str] | None = None) -> None:
        data = json.dumps(answer).encode()
        self.send_response(status)
        for name, value in {
            "Content-Type": "application/json",
            "Content-Length": str(len(data)),
            **(extra or {}),
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_DELETE = _serve  # noqa: N815


@contextmanager
def exchange_double() -> Iterator[Double]:
    """Start one on a free port, end it at the end."""
    handler = type("Handler", (_Handler,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    double = Double(server.server_address[1])
    handler.double = double  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield double
    finally:
        double.ended.set()
        server.shutdown()
        server.server_close()
        thread.join()


_EXCHANGE_INFO = {
    "timezone": "UTC",
    "serverTime": 1_700_000_000_000,
    "rateLimits": [],
    "exchangeFilters": [],
    "symbols": [
        {
            "symbol": "BTCUSDT", "status": "TRADING", "baseAsset": "BTC", "baseAssetPrecision": 8, "quoteAsset": "USDT",
            "quotePrecision": 8, "quoteAssetPrecision": 8, "baseCommissionPrecision": 8, "quoteCommissionPrecision": 8,
            "orderTypes": ["LIMIT", "MARKET"], "isSpotTradingAllowed": True, "isMarginTradingAllowed": False,
            "permissions": ["SPOT"], "permissionSets": [["SPOT"]],
            "filters": [
                {"filterType": "PRICE_FILTER", "minPrice": "0.01", "maxPrice": "1000000.00", "tickSize": "0.01"},
                {"filterType": "LOT_SIZE", "minQty": "0.00001", "maxQty": "9000.0", "stepSize": "0.00001"},
                {"filterType": "NOTIONAL", "minNotional": "5.0", "applyMinToMarket": True, "maxNotional": "9000000.0"},
            ],
        }
    ],
}  # fmt: skip
