"""A grid on the paper venue: every command is accepted and filled at once, by the rules of a deal's fills.

    buy limit min(level, open)      sell limit max(level, open)       market: the bar's close ± slippage
    stop: the level, or the open beyond it, ± slippage

`open` counts for every order: what is armed in a bar is met from the next one on.
"""

from decimal import Decimal
from math import ceil, floor

from streams.engine.dca.events import (
    OrderAccepted,
    OrderCancelled,
    OrderSide,
    PlaceOrder,
    Triggered,
    VenueEvent,
)
from streams.engine.dca.fillprices import limit_fill
from streams.engine.dca.money import Number, ceil_div, floor_div
from streams.engine.grid import booking
from streams.engine.grid.deal import Deal
from streams.engine.grid.events import GridEvent, Woken
from streams.engine.grid.machine import apply
from streams.engine.grid.orders import GridOrder
from streams.engine.grid.settlement import consequences
from streams.engine.grid.terms import Terms

_NOTHING = "nothing to {} yet: from the next bar on the level {} it is armed"


def fill_ticks(deal: Deal, order: GridOrder, opened: Number) -> int:
    """Price in ticks of an order that the bar's path met; for a stop that of the position's exit."""
    below = order.side == "below"
    if not order.stop:
        return limit_fill("buy" if below else "sell", order.ticks, opened)
    met = min(order.ticks, opened) if below else max(order.ticks, opened)
    position = deal.ledger.position
    if deal.terms.grid.stop_action == "keep" or not position:
        return floor(met) if position >= 0 else ceil(met)  # handed over where it was met: nothing slips
    return slipped(deal.terms, "sell" if position > 0 else "buy", met)


def market_fill(terms: Terms, side: OrderSide, close: Decimal) -> int:
    """Price in ticks of a market order at a bar's close."""
    return slipped(terms, side, terms.instrument.in_ticks(close))


def slipped(terms: Terms, side: OrderSide, price: Number) -> int:
    """`price` (in ticks) after slippage, on the tick against us, never below one tick."""
    n, d = terms.slippage_ratio.as_integer_ratio()
    if side == "buy":
        return ceil_div(price * (d + n), d)
    return max(1, floor_div(price * (d - n), d))


def execute(deal: Deal, trigger: Triggered, ticks: int) -> tuple[Deal, list[GridEvent]]:
    """`trigger` applied, and its orders accepted and filled in full at `ticks`."""
    after, commands = apply(deal, trigger)
    events: list[GridEvent] = list(consequences(deal, after, trigger.level))
    if not commands and not events and after.cells != deal.cells:
        sells = deal.terms.side == "long"
        why = _NOTHING.format("sell" if sells else "buy back", "below" if sells else "above")
        events.append(Woken(trigger.level, why))
    deal = after
    for command in commands:
        if not isinstance(command, PlaceOrder):
            deal = _tell(deal, OrderCancelled(command.level, "the grid is ending"), events)
            continue
        accepted = OrderAccepted(command.level, command.side, command.quantity, command.price)
        deal = _tell(deal, accepted, events)
        _, rest, _ = booking.rest_of(deal, command.level)
        deal = _tell(deal, booking.fill(deal, command.level, rest, ticks), events)
    return deal, events


def _tell(deal: Deal, event: VenueEvent, events: list[GridEvent]) -> Deal:
    after, _ = apply(deal, event)
    events.append(event)
    events.extend(consequences(deal, after, event.level))
    return after
