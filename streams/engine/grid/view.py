"""A grid as others see it. Averages are rounded here, and only here."""

from decimal import Decimal
from fractions import Fraction

from schemas.positions import GridView, OpenDeal
from streams.engine.dca.money import shown, text
from streams.engine.grid.cells import cost
from streams.engine.grid.deal import Deal
from streams.engine.grid.orders import waiting


def average_price(deal: Deal) -> Decimal | None:
    """Average price of what is held or owed, for people; None without a position."""
    position = deal.ledger.position
    if not position:
        return None
    return shown(abs(Fraction(cost(deal), position)) * Fraction(deal.terms.tick))


def invested(deal: Deal) -> Decimal:
    """Quote that the position cost; where it is owed, what it brought."""
    return deal.terms.instrument.quote(abs(cost(deal)) if deal.ledger.position else 0)


def open_deal_view(deal: Deal) -> OpenDeal:
    """The snapshot of a grid that runs."""
    instrument, average, levels = deal.terms.instrument, average_price(deal), waiting(deal)
    position = deal.ledger.position
    return OpenDeal(
        deal_id=deal.deal_id,
        symbol=deal.symbol,
        side=deal.side,
        opened_at_ms=deal.opened_at_ms,
        quantity=text(instrument.quantity(-position if deal.side == "short" else position)),
        average_price="0" if average is None else text(average),
        invested=text(invested(deal)),
        safety_orders_filled=0,
        grid=GridView(
            buys=sum(order.side == "below" for order in levels),
            sells=sum(order.side == "above" for order in levels),
            round_trips=deal.trips,
            profit=text(deal.grid_profit),
        ),
    )
