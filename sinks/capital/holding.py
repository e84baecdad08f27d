"""What a deal holds of its user's money: what it has spent, and what is set aside for what it may still buy."""

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Final, Literal

from streams.engine import grid
from streams.engine.dca import Deal, Order
from streams.engine.dca.deal import PARTS
from streams.engine.dca.ladder import steps_of
from streams.engine.dca.money import EXACT, ceil_div
from streams.engine.kinds import AnyDeal

Reserve = Literal["ladder", "next_order", "none"]

_CENT: Final = Decimal("1e-8")


def spent(deal: AnyDeal) -> Decimal:
    """Money that went into the deal and has not come back: entries and fees less exits. A short's entries are its
    collateral, given back with what is bought back. A grid spends what it has set aside, over and over.
    """
    if isinstance(deal, grid.Deal):
        return Decimal(0)
    ledger, instrument = deal.ledger, deal.terms.instrument
    fees = instrument.fee(ledger.fees)
    if deal.terms.long:
        return EXACT.add(instrument.quote(ledger.entry_quote - ledger.exit_quote), fees)
    owed = ceil_div(ledger.entry_quote * max(ledger.held_parts, 0), (ledger.entry_lots or 1) * PARTS)
    return EXACT.add(instrument.quote(2 * owed - ledger.entry_quote + ledger.exit_quote), fees)


def handed_over(deal: AnyDeal) -> Decimal:
    """What a position that a grid left to its user counts for in the deal's profit: its user has it in base, so that it
    pays for nothing. What is owed after a short one stays owed.
    """
    if not isinstance(deal, grid.Deal):
        return Decimal(0)
    return deal.terms.instrument.quote(max(deal.ledger.kept_quote, 0))


def planned(deal: AnyDeal, reserve: Reserve) -> Decimal:
    """What the deal may still buy, fees included: all safety orders, the next one, or nothing. Rounded up to 1e-8."""
    if isinstance(deal, grid.Deal):
        return Decimal(0) if deal.closed else _most(deal)
    if deal.status not in {"opening", "open"} or reserve == "none":
        return Decimal(0)
    costs = list(_costs(deal))
    total = Decimal(0)
    for cost in costs if reserve == "ladder" else costs[:1]:
        total = EXACT.add(total, cost)
    return total


def _costs(deal: Deal) -> Iterator[Decimal]:
    volumes = {f"dca_{step.number}": step.volume for step in steps_of(deal.terms)}
    for order in deal.ladder:
        if order.state == "armed":
            yield _cost(deal, order, volumes[order.level])


def _cost(deal: Deal, order: Order, volume: Fraction) -> Decimal:
    """At its level, quantity up to the lot; an order at the market costs its volume."""
    terms = deal.terms
    quote = volume
    if order.ticks is not None and not terms.safety_condition:
        quote = order.ticks * order.lots * terms.instrument.quote_unit
    if terms.fee_in == "quote" or not terms.long:
        quote *= 1 + terms.fee_ratio
    return _up(quote)


def _most(deal: grid.Deal) -> Decimal:
    """The most that a grid ever has in the market, fees included: every cell's opening order at its level, or at the
    start's average price where that was worse. Round trips earn more than they cost, so nothing is added later.
    """
    base, levels = deal.base, deal.prices
    started = ceil_div(base.filled_quote, base.filled_lots) if base is not None and base.filled_lots else 0
    quote = 0
    for number, lots in enumerate(deal.lots, start=1):
        opens_low = deal.opens_with(number) == "buy"
        quote += lots * max(levels[number - 1] if opens_low else levels[number], started if opens_low else 0)
    return _up(quote * deal.terms.instrument.quote_unit * (1 + deal.terms.fee_ratio))


def _up(quote: Fraction) -> Decimal:
    return EXACT.multiply(Decimal(ceil_div(quote.numerator * 10**8, quote.denominator)), _CENT)
