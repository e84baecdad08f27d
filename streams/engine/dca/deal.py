"""A deal: its orders and its ledger, in whole ticks, lots, tick×lots and fee units. Frozen.

As JSON every amount of money is a decimal string: quote sums pass 2^53, where JSON readers begin to round.
"""

from decimal import Decimal
from typing import Any, Final, Literal

import msgspec

from schemas.bots import BotSide
from streams.engine.dca.events import CloseReason, OrderSide
from streams.engine.dca.money import EXACT, text
from streams.engine.dca.targets import Filled, stop_loss_ticks, take_profit_ticks
from streams.engine.dca.terms import Terms

BASE: Final = "base"
STOP: Final = "sl"
CLOSE: Final = "close"
TARGET: Final = "tp_1"

DealStatus = Literal["opening", "open", "closing", "closed"]
OrderState = Literal["armed", "placed", "accepted", "filled", "cancelled", "rejected"]
_WORKING: Final = {"placed", "accepted"}
_MONEY: Final = frozenset({
    "lots", "ticks", "filled_lots", "filled_quote",
    "entry_lots", "entry_quote", "exit_lots", "exit_quote", "fees", "dust_lots",
})  # fmt: skip


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """One order of the deal. An `armed` one waits for its level; `ticks` is None for a market order."""

    level: str
    side: OrderSide
    lots: int
    ticks: int | None = None
    state: OrderState = "armed"
    filled_lots: int = 0
    filled_quote: int = 0
    fills: int = 0

    @property
    def working(self) -> bool:
        return self.state in _WORKING


class Ledger(msgspec.Struct, frozen=True, kw_only=True):
    """Sums over all fills: entries (buys of a long, sells of a short), exits, fees in 1e-8 quote."""

    entry_lots: int = 0
    entry_quote: int = 0
    exit_lots: int = 0
    exit_quote: int = 0
    fees: int = 0
    dust_lots: int = 0

    @property
    def position(self) -> int:
        """Lots held (owed, for a short)."""
        return self.entry_lots - self.exit_lots - self.dust_lots


class Deal(msgspec.Struct, frozen=True, kw_only=True):
    """One round of one bot on one symbol, from base order to exit."""

    deal_id: str
    bot_id: str
    user_id: str
    symbol: str
    interval: str
    alert_prefix: str
    opened_at_ms: int
    terms: Terms
    status: DealStatus = "opening"
    reason: CloseReason | None = None
    ledger: Ledger = Ledger()
    entries: tuple[Order, ...] = ()
    exit: Order | None = None

    @property
    def side(self) -> BotSide:
        return self.terms.side

    @property
    def closed(self) -> bool:
        return self.status == "closed"

    @property
    def entry_side(self) -> OrderSide:
        return "buy" if self.terms.long else "sell"

    @property
    def exit_side(self) -> OrderSide:
        return "sell" if self.terms.long else "buy"

    @property
    def filled(self) -> Filled:
        """The entry side's sums; the average price is its first two, never a rounded quotient."""
        base, ledger = self.entries[0], self.ledger
        return Filled(ledger.entry_quote, ledger.entry_lots, base.filled_quote, base.filled_lots)

    @property
    def profit(self) -> Decimal:
        """Σ sells − Σ buys − fees in quote, exactly."""
        gain = self.ledger.exit_quote - self.ledger.entry_quote
        instrument = self.terms.instrument
        return EXACT.subtract(
            instrument.quote(gain if self.terms.long else -gain), instrument.fee(self.ledger.fees)
        )

    @property
    def safety_orders_filled(self) -> int:
        """Safety orders with at least one fill."""
        return sum(1 for order in self.entries[1:] if order.filled_lots)

    @property
    def take_profit_ticks(self) -> int | None:
        """The target on what is filled; None without a take profit, a position or a price of one tick."""
        terms = self.terms
        if terms.take_profit is None or self.ledger.position <= 0:
            return None
        ticks = take_profit_ticks(terms.long, terms.take_profit, terms.fee_ratio, self.filled)
        return ticks if ticks >= 1 else None

    @property
    def stop_loss_ticks(self) -> int | None:
        """The stop of what is filled; None without a stop loss or a position."""
        terms = self.terms
        if terms.stop_loss is None or self.ledger.position <= 0:
            return None
        last = self.entries[-1].ticks if len(self.entries) > 1 else None
        ticks = stop_loss_ticks(terms.long, terms.stop_loss, self.filled, last)
        return ticks if ticks >= 1 else None

    def to_json(self) -> bytes:
        """All of the deal as JSON; `Deal.from_json(deal.to_json()) == deal`."""
        return msgspec.json.encode(_quoted(msgspec.to_builtins(self, builtin_types=(Decimal,))))

    @staticmethod
    def from_json(data: bytes | str) -> "Deal":
        """Raises msgspec.ValidationError for what `to_json` did not write."""
        return msgspec.json.decode(data, type=Deal, strict=False)


def _quoted(node: Any) -> Any:
    if isinstance(node, dict):
        return {
            key: str(value) if key in _MONEY and isinstance(value, int) else _quoted(value)
            for key, value in node.items()
        }
    if isinstance(node, list | tuple):
        return [_quoted(item) for item in node]
    return text(node) if isinstance(node, Decimal) else node
