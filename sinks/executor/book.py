"""Booking a settlement: fills, ledger entries and events of what a venue did."""

from decimal import Decimal

from schemas.events import EventName
from schemas.triggers import Trigger
from sinks.executor.draft import Detail, Draft
from sinks.executor.state import Entry, Fill, HeldDeal
from sinks.orders.cause import Cause
from streams.engine.dca import (
    Closed,
    DealEvent,
    Dust,
    Merged,
    OrderAccepted,
    OrderCancelled,
    OrderFilled,
    OrderRejected,
    Settlement,
    Skipped,
    StopTimer,
)
from streams.engine.dca.money import EXACT, text


def book(draft: Draft, settlement: Settlement, cause: Trigger | Cause, position: int) -> int:
    """Book every event of `settlement`; `position` fills of the deal came before. Returns how many there are
    now.
    """
    for event in settlement.events:
        if isinstance(event, OrderFilled):
            position += 1
            _book_fill(draft, settlement, event, cause, position)
        elif isinstance(event, Dust):
            _book_dust(draft, settlement, event, cause)
        _tell(draft, settlement, event, cause)
    return position


def tell_opened(draft: Draft, held: HeldDeal, trigger: Trigger) -> None:
    """Report a new deal, before its orders."""
    deal = held.deal
    draft.tell(
        f"{trigger.trigger_id}:deal_opened",
        "deal_opened",
        symbol=deal.symbol,
        group_id=trigger.group_id,
        deal_id=deal.deal_id,
        detail={"side": deal.side, "trigger_id": trigger.trigger_id, "config_seq": held.config_seq},
    )


def _book_fill(
    draft: Draft, settlement: Settlement, fill: OrderFilled, cause: Trigger | Cause, position: int
) -> None:
    deal_id, generation = settlement.deal.deal_id, cause.generation
    draft.fills.append(
        Fill(
            deal_id, fill.level, generation, position, cause.trigger_id, draft.at_ms, fill.side,
            text(fill.price), text(fill.quantity), text(fill.quote), text(fill.fee), text(fill.fee_base), fill.number,
        )
    )  # fmt: skip
    # copy_negate, for the minus sign rounds to the context's 28 digits.
    base, quote = EXACT.subtract(fill.quantity, fill.fee_base), fill.quote.copy_negate()
    if fill.side == "sell":
        base, quote = base.copy_negate(), quote.copy_negate()
    amounts = {"base": base, "quote": quote, "fee": fill.fee.copy_negate()}
    for account, amount in amounts.items():
        draft.ledger.append(Entry(deal_id, fill.level, generation, account, text(amount), fill.number))


def _book_dust(draft: Draft, settlement: Settlement, dust: Dust, cause: Trigger | Cause) -> None:
    deal = settlement.deal
    amount = dust.quantity.copy_negate() if deal.terms.long else dust.quantity
    draft.ledger.append(Entry(deal.deal_id, "dust", cause.generation, "base", text(amount)))


def _tell(draft: Draft, settlement: Settlement, event: DealEvent, cause: Trigger | Cause) -> None:
    name, level, reason, detail = _words(event)
    draft.tell(
        f"{cause.trigger_id}:{name}" + (f":{level}" if level else ""),
        name,
        symbol=settlement.deal.symbol,
        group_id=cause.group_id,
        deal_id=settlement.deal.deal_id,
        reason=reason,
        detail=({"level": level} if level else {}) | dict(detail),
    )


def _words(event: DealEvent) -> tuple[EventName, str, str, Detail]:
    """(event name, level, reason, detail)."""
    match event:
        case OrderAccepted(level, side, quantity, price):
            return (
                "order_accepted",
                level,
                "",
                {"side": side, "quantity": text(quantity), "price": _maybe(price)},
            )
        case OrderFilled(level, side, quantity, price, quote, fee, fee_base=taken):
            amounts = {"quantity": quantity, "price": price, "quote": quote, "fee": fee}
            if taken:
                amounts["fee_base"] = taken
            return (
                "filled",
                level,
                "",
                {"side": side, **{name: text(value) for name, value in amounts.items()}},
            )
        case OrderCancelled(level, reason):
            return "order_cancelled", level, reason, {}
        case OrderRejected(level, reason):
            return "order_rejected", level, reason, {}
        case Skipped(level, reason):
            return "ignored", level, reason, {}
        case Merged(level, into):
            return "merged", level, f"bought together with {into}", {"into": into}
        case StopTimer(price, None):
            return (
                "stop_timer",
                "",
                f"the market closed back on the deal's side of the stop at {text(price)}",
                {},
            )
        case StopTimer(price, until_ms):
            beyond = f"the market closed beyond the stop at {text(price)}"
            return (
                "stop_timer",
                "",
                f"{beyond}: it stops unless the market comes back",
                {"until_ms": until_ms},
            )
        case Dust(quantity, value):
            return "dust", "", "", {"quantity": text(quantity), "value": text(value)}
        case Closed(reason, profit):
            return "closed", "", reason, {"profit": text(profit)}


def _maybe(price: Decimal | None) -> str | None:
    return None if price is None else text(price)
