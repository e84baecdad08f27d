"""How a deal is left: take-profit steps, the exit that closes it, and what is left over when orders end."""

from decimal import Decimal
from fractions import Fraction
from math import floor
from typing import Final

from msgspec.structs import replace

from streams.engine.dca import booking
from streams.engine.dca.deal import Deal
from streams.engine.dca.errors import UnexpectedEvent
from streams.engine.dca.events import CancelOrder, CloseReason, Command, OrderKind, PlaceOrder, Triggered
from streams.engine.dca.money import percent, shown
from streams.engine.dca.orders import CLOSE, PARTS, STOP, Order

Step = tuple[Deal, tuple[Command, ...]]
_KINDS: Final[dict[str, OrderKind]] = {"tp": "limit", STOP: "stop", CLOSE: "market"}


def take_target(deal: Deal, event: Triggered) -> Step:
    """Sell a step's share: a percent of all that was bought, down to the lot, at most what is held and not on sale.

    A share too small for the venue is passed over; the last step sells it.
    """
    target = next((t for t in deal.open_targets if f"tp_{t.number}" == event.level), None)
    if deal.status != "open" or target is None:
        raise UnexpectedEvent(deal.deal_id, event, f"no armed order of that level while {deal.status}")
    old = booking.order_at(deal, event.level)
    done = 0 if old is None else old.filled_lots
    share = floor(percent(target.amount) * deal.ledger.entry_lots) if old is None else old.lots - done
    lots = min(share, deal.ledger.position - deal.working_targets)
    order = old or Order(level=event.level, side=deal.exit_side, lots=0)
    order = replace(order, lots=done + lots, ticks=deal.target_ticks(target), state="placed")
    too_little = lots < 1 or deal.terms.instrument.below_minimum(lots, event.price)
    if too_little:
        order = replace(order, lots=max(order.lots, 0), state="skipped")
    others = tuple(other for other in deal.targets if other.level != event.level)
    deal = replace(deal, targets=(*others, order))
    return deal, () if too_little else (place(deal, order, order.ticks, "limit"),)


def exit_all(deal: Deal, event: Triggered) -> Step:
    """Withdraw what works and send out all that is held."""
    if deal.status == "closing":
        raise UnexpectedEvent(deal.deal_id, event, "an exit is already working")
    working = (order for order in (*deal.entries, *deal.targets) if order.working)
    cancels = tuple(CancelOrder(order.level) for order in working)
    reason = event.reason or _reason(deal, event.level)
    ticks = None if event.at_market else _ticks_of(deal, event.level)
    deal = replace(deal, status="closing", reason=reason)
    deal, commands = _leave(deal, event.level, event.price, ticks, at_market=event.at_market)
    return deal, cancels + commands


def left_over(deal: Deal) -> Step:
    """When a closing deal's orders are over: an entry was filled while the exit worked, the venue stopped short, or a
    fee in base left parts of a lot. What can be sold goes at the market.
    """
    if deal.status != "closing" or _anything_works(deal):
        return deal, ()
    return _leave(deal, CLOSE, _average(deal), None, at_market=True)


def reopened(deal: Deal) -> Deal:
    """The exit came to nothing, or not to all: the levels count again for what is held."""
    deal = _without_dust(deal, _average(deal))
    if not deal.ledger.position:
        return deal
    return replace(deal, status="opening" if deal.entries[0].working else "open", reason=None)


def place(deal: Deal, order: Order, ticks: int | None, kind: OrderKind) -> PlaceOrder:
    """The command that sends what is left of `order`."""
    instrument = deal.terms.instrument
    price = None if ticks is None else instrument.price(ticks)
    return PlaceOrder(
        order.level, order.side, kind, instrument.quantity(order.lots - order.filled_lots), price
    )


def _leave(deal: Deal, level: str, price: Decimal, ticks: int | None, *, at_market: bool) -> Step:
    """Send out all that is held and not on sale; what the venue would not take is booked off."""
    if not deal.working_targets:
        deal = _without_dust(deal, price)
    lots = deal.ledger.position - deal.working_targets
    if lots < 1:
        return (deal if _anything_works(deal) else replace(deal, status="closed")), ()
    # Counted on over every exit of the deal: a fill of the one before that is told again is none of this one's.
    fills = 0 if deal.exit is None else deal.exit.fills
    order = Order(level=level, side=deal.exit_side, lots=lots, ticks=ticks, state="placed", fills=fills)
    kind = "market" if at_market else _KINDS[level.split("_")[0]]
    return replace(deal, exit=order), (place(deal, order, ticks, kind),)


def _reason(deal: Deal, level: str) -> CloseReason:
    if level == STOP:
        return "break_even" if deal.breaks_even else "stop_loss"
    return "take_profit" if level.startswith("tp_") else "close"


def _ticks_of(deal: Deal, level: str) -> int | None:
    """The limit or stop of the exit at `level`."""
    if level == STOP:
        return deal.stop_loss_ticks
    targets = deal.terms.targets
    return deal.target_ticks(targets[-1]) if targets and level == f"tp_{targets[-1].number}" else None


def _without_dust(deal: Deal, price: Decimal) -> Deal:
    held = deal.ledger.held_parts
    if held and (held < PARTS or deal.terms.instrument.below_minimum(held // PARTS, price)):
        return booking.book_off(deal)
    return deal


def _average(deal: Deal) -> Decimal:
    """The average entry price, for judging whether a rest is worth an order."""
    ledger = deal.ledger
    return shown(Fraction(ledger.entry_quote, ledger.entry_lots or 1) * Fraction(deal.terms.tick))


def _anything_works(deal: Deal) -> bool:
    orders = (*deal.entries, *deal.targets, *(() if deal.exit is None else (deal.exit,)))
    return any(order.working for order in orders)
