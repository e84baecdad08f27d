"""What a backtest says, the same whichever way it was walked: triggers, fills and deals of one bot, in order.

Amounts are exact decimals. `walked` says how: "compiled", or "from event to event because: …" where Python's integers
settled the bars, or "bar by bar because: …" where an evaluator looked at each of them.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from schemas.triggers import Trigger
from streams.engine import kinds
from streams.engine.dca.money import EXACT
from streams.engine.kinds import AnyDeal


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

    @property
    def invested(self) -> list[float]:
        """Of each deal the quote of its entries; of a grid, which buys the same again and again, the most that what it
        held (or owed) at once had cost.
        """
        of_deals = self._fills_by_deal()
        return [_invested(deal, of_deals.get(deal.deal_id, [])) for deal in self.deals]

    @property
    def left(self) -> list[tuple[DealRow, Decimal, Decimal]]:
        """Closed deals that leave something, how much base, and the quote at which their profit has it booked off:
        nothing for dust and parts of a lot, the price at which a grid ended for a position that is kept.
        """
        of_deals = self._fills_by_deal()
        closed = [deal for deal in self.deals if deal.closed_at_ms is not None]
        found = []
        for deal in closed:
            fills = of_deals.get(deal.deal_id, [])
            if held := _held(fills):
                found.append((deal, held, EXACT.subtract(deal.profit, _cash(fills))))
        return found

    def _fills_by_deal(self) -> dict[str, list[FillRow]]:
        found: dict[str, list[FillRow]] = {}
        for fill in self.fills:
            found.setdefault(fill.deal_id, []).append(fill)
        return found


def _change(fill: FillRow) -> Decimal:
    quantity = fill.quantity if fill.side == "buy" else EXACT.minus(fill.quantity)
    return EXACT.subtract(quantity, fill.fee_base)


def _held(fills: Sequence[FillRow]) -> Decimal:
    held = Decimal(0)
    for fill in fills:
        held = EXACT.add(held, _change(fill))
    return held


def _cash(fills: Sequence[FillRow]) -> Decimal:
    cash = Decimal(0)
    for fill in fills:
        quote = EXACT.minus(fill.quote) if fill.side == "buy" else fill.quote
        cash = EXACT.subtract(EXACT.add(cash, quote), fill.fee)
    return cash


def _invested(deal: DealRow, fills: Sequence[FillRow]) -> float:
    if not any(fill.level.startswith("grid_") for fill in fills):
        return float(deal.entry_quote)
    held, cost, most = Decimal(0), 0.0, 0.0
    for fill in fills:
        change, quote = _change(fill), float(fill.quote)
        after = EXACT.add(held, change)
        if held.is_signed() == change.is_signed() or not held:
            cost += quote
        elif after.is_signed() == held.is_signed() or not after:
            cost *= float(after) / float(held)  # what leaves has the average cost
        else:
            cost = quote * float(after) / float(change)  # from one side through nothing to the other
        held, most = after, max(most, cost)
    return most


def deal_row(deal: AnyDeal, fills: int, ambiguous_bars: int, closed_at_ms: int | None) -> DealRow:
    """A deal as it stands."""
    ledger, instrument, sums = deal.ledger, deal.terms.instrument, kinds.traded(deal)
    return DealRow(
        bot_id=deal.bot_id,
        symbol=deal.symbol,
        deal_id=deal.deal_id,
        side=deal.side,
        opened_at_ms=deal.opened_at_ms,
        closed_at_ms=closed_at_ms,
        close_reason=deal.reason if closed_at_ms is not None else None,
        fills=fills,
        safety_orders=kinds.safety_orders_filled(deal),
        entry_quantity=instrument.quantity(sums.entry_lots),
        entry_quote=instrument.quote(sums.entry_quote),
        exit_quantity=instrument.quantity(sums.exit_lots),
        exit_quote=instrument.quote(sums.exit_quote),
        fees=instrument.fee(ledger.fees),
        dust=instrument.quantity(ledger.dust_lots),
        average_price=kinds.average_price(deal),
        profit=deal.profit,
        ambiguous_bars=ambiguous_bars,
    )
