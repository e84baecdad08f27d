"""The paper venue: every command is accepted and filled at once, at the prices of `fillprices`."""

from streams.engine.dca import booking
from streams.engine.dca.deal import Deal
from streams.engine.dca.events import (
    DealEvent,
    OrderAccepted,
    OrderCancelled,
    PlaceOrder,
    Triggered,
    VenueEvent,
)
from streams.engine.dca.fillprices import limit_fill, market_fill, slipped, stop_fill
from streams.engine.dca.machine import apply
from streams.engine.dca.settlement import consequences

__all__ = ["execute", "limit_fill", "market_fill", "slipped", "stop_fill"]


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
        lots = order.lots - order.filled_lots if order is not None else 0
        deal = _tell(deal, booking.fill(deal, command.level, lots, ticks), events)
    return deal, events


def _tell(deal: Deal, event: VenueEvent, events: list[DealEvent]) -> Deal:
    after, _ = apply(deal, event)
    events.append(event)
    events.extend(consequences(deal, after))
    return after
