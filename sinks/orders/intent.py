"""An intent: an order that is to be at the venue, recorded before it leaves."""

from collections.abc import Mapping
from decimal import Decimal
from hashlib import sha256
from types import MappingProxyType
from typing import Final, Literal

import msgspec

IntentKind = Literal["market", "limit", "ioc"]
IntentState = Literal["open", "ended"]
Phase = Literal["intended", "sending", "working", "done"]

_ID_LENGTH: Final = 32


def client_id(cause: str, level: str) -> str:
    """The order's id at the venue: always the same for the order of `level` that `cause` brought.

    128 bits as 32 hexadecimal digits, the form that the strictest of the known venues take (OKX 32 letters and digits,
    Binance and Bybit 36, Kraken 32 hexadecimal digits or a short text).
    """
    return sha256(f"{cause}\n{level}".encode()).hexdigest()[:_ID_LENGTH]


class Intent(msgspec.Struct, frozen=True, kw_only=True):
    """An order as the executor wants it and has booked it. Amounts are decimal strings, in base and quote per base.

    `cause`: the trigger_id or report_id that brought it. `entry`: it opens or enlarges a position. `withdrawn`: it is
    to be cancelled. While it is `open` reports may change its deal.
    """

    client_id: str
    bot_id: str
    user_id: str
    partition: int
    deal_id: str
    level: str
    generation: int
    cause: str
    symbol: str
    side: str
    kind: IntentKind
    quantity: str
    price: str | None
    entry: bool
    at_ms: int
    withdrawn: bool = False
    state: IntentState = "open"

    @property
    def open(self) -> bool:
        return self.state == "open"

    @property
    def amount(self) -> Decimal:
        return Decimal(self.quantity)


NO_INTENTS: Final[Mapping[str, Intent]] = MappingProxyType({})
