"""The paper venue: every command is accepted and filled at once, at prices that do not flatter.

    buy limit min(level, open)      sell limit max(level, open)       market: the bar's close ± slippage
    sell stop min(level, open) − slippage      buy stop max(level, open) + slippage

`open` counts only for levels armed before the bar; a level born in the bar fills at the level. What falls
between two ticks is rounded against us. Slippage is a percent of the price.
"""

from decimal import Decimal
from math import ceil, floor

from streams.engine.dca import booking
from streams.engine.dca.deal import Deal
from streams.engine.dca.events import (
    DealEvent,
    OrderAccepted,
    OrderCancelled,
    OrderSide,
    PlaceOrder,
    Triggered,
    VenueEvent,
)
from streams.engine.dca.machine import apply
from streams.engine.dca.money import Number, ceil_div, floor_div
from streams.engine.dca.settlement import consequences
from streams.engine.dca.terms import Terms


def limit_fill(side: OrderSide, level: int, opened: Number | None) -> int:
    """Price in ticks of a limit order whose level was met; `opened`: the open in ticks, if it counts."""
    if opened is None:
        return level
    return min(level, ceil(opened)) if side == "buy" else max(level, floor(opened))


def stop_fill(terms: Terms, side: OrderSide, level: int, opened: Number | None) -> int:
    """Price in ticks of a stop order whose level was met."""
    met: Number = level
    if opened is not None:
        met = max(met, opened) if side == "buy" else min(met, opened)
    return slipped(terms, side, met)


def market_fill(terms: Terms, side: OrderSide, close: Decimal) -> int:
    """Price in ticks of a market order at a bar's close."""
    return slipped(terms, side, terms.instrument.in_ticks(close))


def slipped(terms: Terms, side: OrderSide, price: Number) -> int:
    """`price` (in ticks) after slippage, on the tick against us, never below one tick."""
    n, d = terms.slippage_ratio.as_integer_ratio()
    if side == "buy":
        return ceil_div(price * (d + n), d)
    return max(1, floor_div(price * (d - n), d))


def execute(deal: Deal, trigger: Triggered, ticks: int) -> tuple[Deal, list[DealEvent]]:
    """`trigger` applied, and its orders accepted and filled in full at `ticks`."""
    after, commands = apply(deal, trigger)
    events: list[DealEvent] = list(consequences(deal, after))
    deal = after
    for command in commands:
        if not isinstance(command, PlaceOrder):
            deal = _tell(deal, OrderCancelled(command.level, "the deal is being closed"), events)
            continue
        accepted = OrderAccepted(command.level, command.side, command.quantity, command.price)
        deal = _tell(deal, accepted, events)
        order = booking.order_at(deal, command.level)
        lots = order.lots if order is not None else 0
        deal = _tell(deal, booking.fill(deal, command.level, lots, ticks), events)
    return deal, events


def _tell(deal: Deal, event: VenueEvent, events: list[DealEvent]) -> Deal:
    after, _ = apply(deal, event)
    events.append(event)
    events.extend(consequences(deal, after))
    return after
