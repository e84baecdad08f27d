"""Booking a settlement: fills, ledger entries and events of what a venue did."""

from schemas.triggers import Trigger
from sinks.executor.draft import Draft
from sinks.executor.state import Entry, Fill, HeldDeal
from sinks.executor.words import words
from sinks.orders.cause import Cause
from streams.engine import kinds
from streams.engine.dca import (
    Dust,
    OrderFilled,
)
from streams.engine.dca.money import EXACT, text
from streams.engine.grid import Kept
from streams.engine.kinds import AnyDeal, AnyEvent, AnySettlement


def book(draft: Draft, settlement: AnySettlement, cause: Trigger | Cause, position: int) -> int:
    """Book every event of `settlement`; `position` fills of the deal came before. Returns how many there are
    now.
    """
    for event in settlement.events:
        if isinstance(event, OrderFilled):
            position += 1
            _book_fill(draft, settlement, event, cause, position)
        elif isinstance(event, Dust):
            _book_dust(draft, settlement, event, cause)
        elif isinstance(event, Kept):
            _book_kept(draft, settlement, event, cause)
        _tell(draft, settlement, event, cause)
    return position


def told_under(trigger_id: str, deal: AnyDeal) -> str:
    """What ids of a deal's events begin with: one trigger may be about several deals that share a group."""
    return f"{trigger_id}:{deal.deal_id}" if deal.terms.shared else trigger_id


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
    draft: Draft, settlement: AnySettlement, fill: OrderFilled, cause: Trigger | Cause, position: int
) -> None:
    deal_id, generation = settlement.deal.deal_id, cause.generation
    # Of a venue's reports several may fill one order, and one level may have had an order before.
    number = position if isinstance(cause, Cause) else fill.number
    draft.fills.append(
        Fill(
            deal_id, fill.level, generation, position, cause.trigger_id, draft.at_ms, fill.side,
            text(fill.price), text(fill.quantity), text(fill.quote), text(fill.fee), text(fill.fee_base), number,
        )
    )  # fmt: skip
    # copy_negate, for the minus sign rounds to the context's 28 digits.
    base, quote = EXACT.subtract(fill.quantity, fill.fee_base), fill.quote.copy_negate()
    if fill.side == "sell":
        base, quote = base.copy_negate(), quote.copy_negate()
    amounts = {"base": base, "quote": quote, "fee": fill.fee.copy_negate()}
    for account, amount in amounts.items():
        draft.ledger.append(Entry(deal_id, fill.level, generation, account, text(amount), number))


def _book_dust(draft: Draft, settlement: AnySettlement, dust: Dust, cause: Trigger | Cause) -> None:
    deal = settlement.deal
    amount = kinds.booked_off(deal, dust)
    draft.ledger.append(Entry(deal.deal_id, "dust", cause.generation, "base", text(amount)))


def _book_kept(draft: Draft, settlement: AnySettlement, kept: Kept, cause: Trigger | Cause) -> None:
    """The position leaves the deal at its price: as a sale would, but nothing was traded."""
    amounts = {"base": kept.quantity.copy_negate(), "quote": kept.quote}
    for account, amount in amounts.items():
        draft.ledger.append(Entry(settlement.deal.deal_id, "kept", cause.generation, account, text(amount)))


def _tell(draft: Draft, settlement: AnySettlement, event: AnyEvent, cause: Trigger | Cause) -> None:
    name, level, reason, detail = words(event)
    draft.tell(
        f"{told_under(cause.trigger_id, settlement.deal)}:{name}" + (f":{level}" if level else ""),
        name,
        symbol=settlement.deal.symbol,
        group_id=cause.group_id,
        deal_id=settlement.deal.deal_id,
        reason=reason,
        detail=({"level": level} if level else {}) | dict(detail),
    )
