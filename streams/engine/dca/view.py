"""A deal as others see it: what `bots.positions.v1` tells of it. Averages are rounded here, and only here."""

from decimal import Decimal
from fractions import Fraction

from schemas.positions import OpenDeal
from streams.engine.dca.deal import Deal
from streams.engine.dca.money import shown, text


def average_price(deal: Deal) -> Decimal | None:
    """Average entry price, for people; None before the first fill."""
    if not deal.ledger.entry_lots:
        return None
    return shown(Fraction(deal.ledger.entry_quote, deal.ledger.entry_lots) * Fraction(deal.terms.tick))


def held(deal: Deal) -> Decimal:
    """What is held (owed, for a short) in base, parts of a lot included."""
    return deal.terms.instrument.parts(deal.ledger.held_parts)


def open_deal_view(deal: Deal) -> OpenDeal:
    """The snapshot of an open deal."""
    instrument, average = deal.terms.instrument, average_price(deal)
    target, stop = deal.take_profit_ticks, deal.stop_loss_ticks
    return OpenDeal(
        deal_id=deal.deal_id,
        symbol=deal.symbol,
        side=deal.side,
        opened_at_ms=deal.opened_at_ms,
        quantity=text(held(deal)),
        average_price="0" if average is None else text(average),
        invested=text(instrument.quote(deal.ledger.entry_quote)),
        safety_orders_filled=deal.safety_orders_filled,
        take_profit_price=None if target is None else text(instrument.price(target)),
        stop_loss_price=None if stop is None else text(instrument.price(stop)),
    )
