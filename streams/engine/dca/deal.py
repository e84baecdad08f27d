"""A deal: what its orders and its ledger come to, in whole ticks, lots, tick×lots and fee units. Frozen.

As JSON every amount of money is a decimal string: quote sums pass 2^53, where JSON readers begin to round.
"""

from decimal import Decimal
from typing import Final, Literal

import msgspec

from schemas.alerts import TrailState
from schemas.bots import BotSide
from streams.engine.dca.events import CloseReason, OrderSide
from streams.engine.dca.money import EXACT
from streams.engine.dca.orders import BASE, CLOSE, PARTS, STOP, Ledger, Order, is_safety
from streams.engine.dca.quoting import as_json
from streams.engine.dca.targets import Filled, break_even_ticks, stop_loss_ticks, take_profit_ticks
from streams.engine.dca.terms import Target, Terms

__all__ = ["BASE", "CLOSE", "PARTS", "STOP", "Deal", "DealStatus", "Ledger", "Order", "is_safety"]

DealStatus = Literal["opening", "open", "closing", "closed"]
_MONEY: Final = frozenset({
    "lots", "ticks", "filled_lots", "filled_quote", "base_fees", "dust_parts",
    "entry_lots", "entry_quote", "exit_lots", "exit_quote", "fees", "dust_lots",
})  # fmt: skip


class Deal(msgspec.Struct, frozen=True, kw_only=True):
    """One round of one bot on one symbol, from base order to exit.

    `entries`: the base order, entries added later while they work, the ladder. `targets`: orders of the take-profit
    steps but the last; `exit`: the order that closes the deal. `base_orders`: how many entries a periodic bot has made.
    `stop_since_ms`: since when the market is beyond a stop that has a timeout. `target_trail`, `stop_trail`: how far
    the trails had come after the last bar that was settled.
    """

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
    targets: tuple[Order, ...] = ()
    base_orders: int = 1
    stop_since_ms: int | None = None
    target_trail: TrailState | None = None
    stop_trail: TrailState | None = None

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
    def ladder(self) -> tuple[Order, ...]:
        """The safety orders, in order; a deal that entries add to has none."""
        return () if self.terms.accumulate else self.entries[1:]

    @property
    def safety_orders_filled(self) -> int:
        """Safety orders with at least one fill, or bought with another one."""
        return sum(1 for order in self.ladder if order.filled_lots or order.state == "merged")

    @property
    def working_targets(self) -> int:
        """Lots of target orders that may still be executed."""
        return sum(order.lots - order.filled_lots for order in self.targets if order.working)

    @property
    def open_targets(self) -> tuple[Target, ...]:
        """Take-profit steps that are still waited for."""
        over = {
            order.level: order.working
            or order.state in {"filled", "skipped"}
            or order.filled_lots >= order.lots
            for order in self.targets
        }
        return tuple(target for target in self.terms.targets if not over.get(f"tp_{target.number}", False))

    def target_ticks(self, target: Target) -> int | None:
        """Where that step is met on what is filled; None without a position or a price of one tick."""
        terms = self.terms
        if terms.take_profit is None or self.ledger.position <= 0:
            return None
        ticks = take_profit_ticks(
            terms.long, target.percent, terms.take_profit.of, terms.fee_ratio, self.filled
        )
        return ticks if ticks >= 1 else None

    @property
    def take_profit_ticks(self) -> int | None:
        """The next target; None without a take profit, a position or a price of one tick."""
        waiting = self.open_targets
        return self.target_ticks(waiting[0]) if waiting else None

    @property
    def breaks_even(self) -> bool:
        """Has the first target moved the stop to break even?"""
        stop = self.terms.stop_loss
        return stop is not None and stop.break_even and any(order.filled_lots for order in self.targets)

    @property
    def stop_loss_ticks(self) -> int | None:
        """The stop of what is filled, where it does not trail; None without a stop loss or a position."""
        terms = self.terms
        if terms.stop_loss is None or self.ledger.position <= 0 or self.stop_trail is not None:
            return None
        if self.breaks_even:
            ticks = break_even_ticks(terms.long, terms.fee_ratio, terms.fee_in == "base", self.filled)
        else:
            last = self._last_rung if terms.stop_loss.reference == "last_level" else None
            ticks = stop_loss_ticks(terms.long, terms.stop_loss, self.filled, last)
        return ticks if ticks >= 1 else None

    @property
    def _last_rung(self) -> int | None:
        return next((order.ticks for order in reversed(self.ladder) if order.ticks is not None), None)

    def to_json(self) -> bytes:
        """All of the deal as JSON; `Deal.from_json(deal.to_json()) == deal`."""
        return as_json(self, _MONEY)

    @staticmethod
    def from_json(data: bytes | str) -> "Deal":
        """Raises msgspec.ValidationError for what `to_json` did not write."""
        return msgspec.json.decode(data, type=Deal, strict=False)
