"""The port of a venue: place, find, cancel, of one account.

Exception
├── Refused    the venue will not have the order: nothing was or will be executed for this request
└── Unclear    the venue may or may not have it: ask before anything is sent again
"""

from decimal import Decimal
from typing import Literal, NamedTuple, Protocol

from sinks.orders.intent import Intent

Standing = Literal["open", "filled", "ended"]


class Refused(Exception):
    """A definite no, with the venue's reason. `known`: because it has an order of that client id."""

    def __init__(self, reason: str, *, known: bool = False) -> None:
        super().__init__(reason)
        self.known = known


class Unclear(Exception):
    """No answer, or none that says what became of the request. `wait_s`: the venue asked for so much silence."""

    def __init__(self, reason: str, wait_s: float = 0.0) -> None:
        super().__init__(reason)
        self.wait_s = wait_s


class Trade(NamedTuple):
    """One execution. `fee` is in quote, None where it was paid in a third currency; `fee_base` was kept of the base."""

    trade_id: str
    quantity: Decimal
    price: Decimal
    at_ms: int
    fee: Decimal | None
    fee_base: Decimal = Decimal(0)


class Placed(NamedTuple):
    """An order as the venue has it. `trades` in their order, all of them; `ended`: it will get no more."""

    venue_order_id: str
    standing: Standing
    trades: tuple[Trade, ...]
    at_ms: int
    reason: str = ""


class Exchange(Protocol):
    """One account at one venue. Blocking; used by one thread at a time."""

    def place(self, intent: Intent, at_ms: int) -> None:
        """Send it, under its client_id, signed as of `at_ms`: it may not be taken long after that. Raises Refused or
        Unclear.
        """

    def find(self, intent: Intent) -> Placed | None:
        """What the venue has under that client_id, None for nothing. Raises Unclear."""

    def resting(self) -> list[str]:
        """Client ids of all open orders of the account. Raises Refused or Unclear."""

    def cancel(self, intent: Intent) -> None:
        """Withdraw it; one that is over already is none of our business. Raises Unclear."""
