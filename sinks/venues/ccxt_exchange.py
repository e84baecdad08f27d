"""A spot account through ccxt: the adapter of `sinks.orders.exchange.Exchange`.

ccxt is an optional extra and imported when an account is opened. Numbers stay decimal texts on the way. ccxt's own
retries are off: a request that may have arrived is never sent again without asking.
"""

import logging
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final, TypeVar

from pydantic import SecretStr

from sinks.errors import BadVenue
from sinks.orders.exchange import Placed, Refused, Standing, Trade, Unclear
from sinks.orders.intent import Intent
from streams.engine.dca import Instrument

T = TypeVar("T")

TRIED: Final = ("binance",)
"""Venues whose way with client ids is tested here. Others need their own look at how they treat a repeated one."""

_STANDINGS: Final[dict[str, Standing]] = {"open": "open", "closed": "filled"}
_TRADES: Final = 1_000


class Credentials:
    """What opens an account. Never shown: `repr` and logs have the stars of SecretStr."""

    def __init__(self, api_key: SecretStr, secret: SecretStr) -> None:
        self.api_key = api_key
        self.secret = secret


class CcxtExchange:
    """One account of `venue`. `real_money` false: the venue's test network. `urls` replaces its addresses.

    `paced`: keep to the venue's published rate. `receive_window_ms`: the venue refuses what reaches it later than so
    long after it was signed.
    """

    def __init__(
        self,
        venue: str,
        credentials: Credentials | None,
        *,
        real_money: bool,
        receive_window_ms: int = 5_000,
        timeout_ms: int = 10_000,
        paced: bool = True,
        urls: dict[str, str] | None = None,
    ) -> None:
        self._ccxt = ccxt = _import_ccxt()
        if venue not in TRIED:
            raise BadVenue(f"venue {venue!r}: expected paper or one of {', '.join(TRIED)}")
        # It logs headers, the key among them, and signed requests at DEBUG.
        logging.getLogger("ccxt.base.exchange").setLevel(logging.WARNING)
        self._client: Any = getattr(ccxt, venue)({
            "apiKey": credentials.api_key.get_secret_value() if credentials else "",
            "secret": credentials.secret.get_secret_value() if credentials else "",
            "timeout": timeout_ms,
            "enableRateLimit": paced,
            "options": {
                "defaultType": "spot",
                "fetchMarkets": {"types": ["spot"]},
                "fetchCurrencies": False,
                "warnOnFetchOpenOrdersWithoutSymbol": False,
                "recvWindow": receive_window_ms,
                "maxRetriesOnFailure": 0,
            },
        })  # fmt: skip
        self._client.number = str
        if not real_money:
            self._client.set_sandbox_mode(True)
        for name, url in (urls or {}).items():
            self._client.urls["api"][name] = url

    def instruments(self) -> dict[str, Instrument]:
        """Tick, lot and smallest order of every spot market, by the venue's own symbol. Raises Unclear or Refused."""
        markets = self._ask(self._client.load_markets)
        return {
            market["id"]: _instrument(market)
            for market in markets.values()
            if market["spot"] and market["active"] is not False
        }

    def place(self, intent: Intent, at_ms: int) -> None:
        """Send the order, signed as of `at_ms`. Raises Refused or Unclear."""
        symbol = self._market(intent)["symbol"]
        price = self._same(intent.price, self._client.price_to_precision, symbol, "price")
        amount = self._same(intent.quantity, self._client.amount_to_precision, symbol, "quantity")
        params = {"clientOrderId": intent.client_id}
        if intent.kind == "ioc":
            params["timeInForce"] = "IOC"
        kind = "market" if intent.kind == "market" else "limit"
        # A process that is suspended right here and wakes up late sends what the venue refuses as too old.
        clock, self._client.milliseconds = self._client.milliseconds, lambda: at_ms
        try:
            self._ask(lambda: self._client.create_order(symbol, kind, intent.side, amount, price, params))
        finally:
            self._client.milliseconds = clock

    def find(self, intent: Intent) -> Placed | None:
        """The order under its client id, with its trades. Raises Unclear."""
        market = self._market(intent)
        try:
            order = self._query(intent, market)
            if order is None:
                return None
            filled = Decimal(order["filled"] or 0)
            trades = self._trades(order["id"], market) if filled else ()
        except Refused as refused:
            raise Unclear(f"it cannot be asked for: {refused}") from refused
        if sum((trade.quantity for trade in trades), Decimal(0)) != filled:
            raise Unclear("the venue's trades do not add up to its order yet")
        standing = _STANDINGS.get(order["status"], "ended")
        at_ms = int(order["lastTradeTimestamp"] or order["timestamp"] or 0)
        return Placed(
            str(order["id"]), standing, trades, at_ms, "" if standing == "open" else f"{order['status']}"
        )

    def resting(self) -> list[str]:
        """Client ids of all open orders of the account. Raises Refused or Unclear."""
        return [str(order["clientOrderId"]) for order in self._ask(self._client.fetch_open_orders)]

    def cancel(self, intent: Intent) -> None:
        """Withdraw the order. What the venue says against it is no error: asking shows what became of it."""
        market = self._market(intent)
        params = {"origClientOrderId": intent.client_id}
        try:
            self._ask(lambda: self._client.cancel_order(None, market["symbol"], params))
        except Refused as refused:
            if not isinstance(refused.__cause__, self._ccxt.OrderNotFound):
                raise Unclear(f"it cannot be withdrawn: {refused}") from refused

    def _query(self, intent: Intent, market: Any) -> Any:
        params = {"origClientOrderId": intent.client_id}
        try:
            return self._ask(lambda: self._client.fetch_order(None, market["symbol"], params))
        except Refused as refused:
            if isinstance(refused.__cause__, self._ccxt.OrderNotFound):
                return None
            raise

    def _trades(self, order_id: str, market: Any) -> tuple[Trade, ...]:
        rows = self._ask(
            lambda: self._client.fetch_my_trades(market["symbol"], None, _TRADES, {"orderId": order_id})
        )
        found = [_trade(row, market) for row in rows]
        return tuple(sorted(found, key=lambda trade: (trade.at_ms, len(trade.trade_id), trade.trade_id)))

    def _market(self, intent: Intent) -> Any:
        if not self._client.markets:
            self._ask(self._client.load_markets)
        known = self._client.markets_by_id.get(intent.symbol) or ()
        for market in known:
            if market["spot"]:
                return market
        raise Refused(f"the venue has no spot market {intent.symbol}")

    def _same(
        self, amount: str | None, rounded: Callable[[str, str], str], symbol: str, name: str
    ) -> str | None:
        """`amount`, if the venue's own steps leave it as it is: less than was meant would be sold as the whole."""
        if amount is None:
            return None
        if Decimal(found := self._ask(lambda: rounded(symbol, amount))) != Decimal(amount):
            raise Refused(f"{name}: {amount} is between two steps of the venue, {found} would not be")
        return amount

    def _ask(self, request: Callable[[], T]) -> T:
        ccxt = self._ccxt
        try:
            return request()
        except ccxt.OperationFailed as error:
            raise Unclear(_said(error), self._asked_silence(error)) from error
        except ccxt.ExchangeError as error:
            if type(error) is ccxt.ExchangeError:  # what ccxt raises when it does not know the reason
                raise Unclear(_said(error)) from error
            raise Refused(_said(error), known="duplicate" in str(error).lower()) from error

    def _asked_silence(self, error: Exception) -> float:
        if not isinstance(error, self._ccxt.DDoSProtection):
            return 0.0
        value = (self._client.last_response_headers or {}).get("Retry-After", "")
        return float(value) if value.isdecimal() else 10.0


def _import_ccxt() -> Any:
    try:
        import ccxt
    except ImportError as missing:
        raise BadVenue("a live venue needs the extra `live`: pip install 'strikeline[live]'") from missing
    return ccxt


def _said(error: Exception) -> str:
    """The error without what stood behind a question mark: a signed query is nobody's business."""
    return re.sub(r"\?\S*", "", f"{type(error).__name__}: {error}")


def _instrument(market: Any) -> Instrument:
    steps, limits = market["precision"], market["limits"]
    tick, lot = Decimal(steps["price"] or "1e-8"), Decimal(steps["amount"] or "1e-8")
    return Instrument(tick.normalize(), lot.normalize(), Decimal(limits["cost"]["min"] or 0))


def _trade(row: Any, market: Any) -> Trade:
    quantity, price = Decimal(row["amount"]), Decimal(row["price"])
    fee: Decimal | None = Decimal(0)
    fee_base = Decimal(0)
    for part in row["fees"] or [row["fee"]]:
        cost = Decimal((part or {}).get("cost") or 0)
        currency = (part or {}).get("currency")
        if not cost or fee is None:
            continue
        if currency == market["base"]:
            fee_base += cost
        else:
            fee = fee + cost if currency == market["quote"] else None
    return Trade(str(row["id"]), quantity, price, int(row["timestamp"]), fee, fee_base)
