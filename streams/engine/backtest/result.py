"""What a backtest says, the same whichever way it was walked: triggers, fills and deals of one bot, in order.

Amounts are exact decimals. `walked` says how: "compiled", or "from event to event because: …" where Python's integers
settled the bars, or "bar by bar because: …" where an evaluator looked at each of them.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from schemas.triggers import Trigger
from streams.engine.dca import Deal, average_price
from streams.engine.dca.money import EXACT
from streams.engine.grid.deal import Deal as Grid


class FillRow(NamedTuple):
    """One fill. `position` counts the deal's fills from 1; `fee` is in quote, `fee_base` was taken of the quantity."""

    bot_id: str
    symbol: str
    deal_id: str
    level: str
    generation: int
    position: int
    trigger_id: str
    at_ms: int
    side: str
    price: Decimal
    quantity: Decimal
    quote: Decimal
    fee: Decimal
    fee_base: Decimal = Decimal(0)


class DealRow(NamedTuple):
    """One deal; what is None has not happened. `profit` = Σ sells − Σ buys − fees so far."""

    bot_id: str
    symbol: str
    deal_id: str
    side: str
    opened_at_ms: int
    closed_at_ms: int | None
    close_reason: str | None
    fills: int
    safety_orders: int
    entry_quantity: Decimal
    entry_quote: Decimal
    exit_quantity: Decimal
    exit_quote: Decimal
    fees: Decimal
    dust: Decimal
    average_price: Decimal | None
    profit: Decimal
    ambiguous_bars: int


class BotResult(NamedTuple):
    """All of one bot. `outcomes`: what became of each trigger (applied, refused, ignored)."""

    bot_id: str
    walked: str
    triggers: Sequence[Trigger]
    outcomes: Sequence[str]
    fills: Sequence[FillRow]
    deals: Sequence[DealRow]

    @property
    def profit(self) -> Decimal:
        """Of the closed deals."""
        total = Decimal(0)
        for deal in self.deals:
            if deal.closed_at_ms is not None:
                total = EXACT.add(total, deal.profit)
        return total


def grid_row(deal: Grid, fills: int, ambiguous_bars: int, closed_at_ms: int | None) -> DealRow:
    """A grid as it stands: a short's entries are its sells, everybody else's the buys. What an end handed over counts
    at its price, as part of the profit.
    """
    ledger, instrument = deal.ledger, deal.terms.instrument
    buys, sells = (ledger.buy_lots, ledger.buy_quote), (ledger.sell_lots, ledger.sell_quote)
    entry, leaving = (sells, buys) if deal.side == "short" else (buys, sells)
    return DealRow(
        bot_id=deal.bot_id,
        symbol=deal.symbol,
        deal_id=deal.deal_id,
        side=deal.side,
        opened_at_ms=deal.opened_at_ms,
        closed_at_ms=closed_at_ms,
        close_reason=deal.reason if closed_at_ms is not None else None,
        fills=fills,
        safety_orders=0,
        entry_quantity=instrument.quantity(entry[0]),
        entry_quote=instrument.quote(entry[1]),
        exit_quantity=instrument.quantity(leaving[0]),
        exit_quote=instrument.quote(leaving[1]),
        fees=instrument.fee(ledger.fees),
        dust=instrument.quantity(ledger.dust_lots),
        average_price=None,
        profit=deal.profit,
        ambiguous_bars=ambiguous_bars,
    )


def deal_row(deal: Deal, fills: int, ambiguous_bars: int, closed_at_ms: int | None) -> DealRow:
    """A deal as it stands."""
    ledger, instrument = deal.ledger, deal.terms.instrument
    return DealRow(
        bot_id=deal.bot_id,
        symbol=deal.symbol,
        deal_id=deal.deal_id,
        side=deal.side,
        opened_at_ms=deal.opened_at_ms,
        closed_at_ms=closed_at_ms,
        close_reason=deal.reason if closed_at_ms is not None else None,
        fills=fills,
        safety_orders=deal.safety_orders_filled,
        entry_quantity=instrument.quantity(ledger.entry_lots),
        entry_quote=instrument.quote(ledger.entry_quote),
        exit_quantity=instrument.quantity(ledger.exit_lots),
        exit_quote=instrument.quote(ledger.exit_quote),
        fees=instrument.fee(ledger.fees),
        dust=instrument.quantity(ledger.dust_lots),
        average_price=average_price(deal),
        profit=deal.profit,
        ambiguous_bars=ambiguous_bars,
    )
