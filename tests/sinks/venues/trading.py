"""A closed loop whose executor trades on the exchange double; the test holds the clock."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from pydantic import SecretStr
from sqlalchemy import Engine

from schemas.bots import BotConfig
from schemas.triggers import Bar
from sinks.database.engine import reading
from sinks.executor.decision import Rules
from sinks.inprocess import ExecutorWorker
from sinks.orders.accounts import Accounts
from sinks.orders.gateway import Timing
from sinks.orders.store import Underway, list_orders
from sinks.venues.ccxt_exchange import CcxtExchange, Credentials
from sinks.venues.live import Live
from streams.engine.dca import Instrument
from tests.deadline import DEADLINE_S
from tests.sinks.bots import MINUTE, T0, TOPICS, golden
from tests.sinks.loop import Loop
from tests.sinks.venues.double import KEY, SECRET, Double, name_of

BTC = Instrument(Decimal("0.01"), Decimal("0.00001"), Decimal(5))
RULES = Rules(Live("binance:sandbox"), {"BTCUSDT": BTC})
SILENCE_MS = 100
TIMING = Timing(settle_ms=4_000, poll_ms=1_000)


def account(double: Double, **options: Any) -> CcxtExchange:
    """Alice's account at the double."""
    settings: dict[str, Any] = {
        "real_money": False,
        "timeout_ms": 60_000,
        "paced": False,
        "receive_window_ms": 3_000,
    }
    return CcxtExchange(
        "binance", Credentials(SecretStr(KEY), SecretStr(SECRET)), urls=double.urls, **settings | options
    )


def live_bot(**changes: Any) -> BotConfig:
    """The golden bot; its orders are worth more than the venue's smallest."""
    return golden(**{"max_safety_orders": 2} | changes)


def _hurrying(client: Any, double: Double) -> Callable[..., Any]:
    """Requests that wait for long, as busy machines dawdle, but not for an answer that never comes; of such a request
    the double knows before it is given up.
    """
    fetch = client.fetch

    def hurried(url: str, method: str = "GET", headers: Any = None, body: Any = None) -> Any:
        silence = double.is_silent_next(name_of(method, url))
        client.timeout = SILENCE_MS if silence else DEADLINE_S * 1_000
        double.silent.clear()
        try:
            return fetch(url, method, headers, body)
        finally:
            if silence:
                assert double.silent.wait(DEADLINE_S)

    return hurried


class Clock:
    """Event time and the venue's clock are one: it stands until the test moves it."""

    def __init__(self) -> None:
        self.ms = T0

    def __call__(self) -> int:
        return self.ms


class Trading(Loop):
    """`bars` come one by one, each at the instant of its close."""

    def __init__(self, engine: Engine, double: Double, **options: Any) -> None:
        self.double = double
        self.clock = Clock()
        double.book.clock_ms = self.clock
        self.exchange = account(double, **options)
        self.exchange._client.milliseconds = self.clock  # what it signs with
        self.exchange._client.fetch = _hurrying(self.exchange._client, double)
        self.accounts = Accounts({"alice": self.exchange}, self.clock)
        super().__init__(engine)

    def start(self, **options: Any) -> ExecutorWorker:
        """A worker that trades."""
        trading: dict[str, Any] = {"accounts": self.accounts, "timing": TIMING, "clock": self.clock}
        return ExecutorWorker(self.bus, self.engine, TOPICS, RULES, **trading | options)

    def step(self, bar: Bar, symbol: str = "BTCUSDT") -> None:
        """The bar closes, at that moment the market stands at its close, and everything answers."""
        self.clock.ms = max(self.clock.ms, bar.close_time_ms)
        self.double.book.move(str(bar.close))
        self.feed(symbol, bar)
        self.run()

    def wait(self, seconds: float, until: Callable[[], bool] | None = None) -> None:
        """Let the clock run on in steps of half a second, everything answering."""
        for _ in range(int(seconds * 2)):
            if until is not None and until():
                return
            self.clock.ms += 500
            self.run()

    def orders(self) -> list[Underway]:
        """All intents, by cause."""
        with reading(self.engine).begin() as connection:
            return list_orders(connection)

    @property
    def minute(self) -> int:
        """The number of the bar that is forming."""
        return (self.clock.ms - T0) // MINUTE
