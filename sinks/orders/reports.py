"""Deciding a report: what a venue said of an order, applied to the order's deal. Pure.

A report is applied once (its id is in the inbox) and only while its order is open. What contradicts the deal is a
dead letter and is told as `ignored`: money moved that the books do not have, so somebody has to look.
"""

from decimal import Decimal
from math import ceil

from msgspec.structs import replace

from schemas.orders import OrderReport
from sinks.capital.accounting import account
from sinks.executor.book import book
from sinks.executor.deals import close_deal
from sinks.executor.decision import DeadReason, Decision, Noted, Outcome, Rules, decided
from sinks.executor.draft import Draft
from sinks.executor.snapshot import snapshot
from sinks.executor.state import Bot, HeldDeal
from sinks.executor.timeline import governing, round_up
from sinks.orders.cause import Cause
from sinks.orders.intent import Intent
from sinks.orders.rearming import rearm_after_close, rearm_deal
from sinks.orders.sending import send
from streams.engine import dca, kinds
from streams.engine.dca import DealError, OffGrid, VenueEvent
from streams.engine.dca.booking import fee_units, order_at
from streams.engine.dca.deal import PARTS
from streams.engine.dca.money import FEE_UNIT, OffScale, in_units


def decide_report(bot: Bot | None, report: OrderReport, repeated: bool, rules: Rules) -> Decision:
    """What a report does. `repeated`: its report_id is in the inbox already."""
    if bot is None:
        return _dead(None, report, "UnknownBot", f"no bot {report.bot_id} in the database")
    intent = bot.intents.get(report.client_id)
    if intent is None or (intent.user_id, intent.symbol) != (report.user_id, report.symbol):
        return _dead(bot, report, "UnknownOrder", f"no order {report.client_id} of this bot, user and symbol")
    if repeated:
        return decided(
            Draft(bot, report.at_ms, rules.base_interval), _noted(bot, report, "ignored", "duplicate", False)
        )
    held = bot.deals.get(intent.deal_id)
    if held is None or not intent.open or not isinstance(held.deal, dca.Deal):
        return _dead(bot, report, "OrderOver", f"order {intent.client_id} is over")
    draft = Draft(bot, report.at_ms, rules.base_interval)
    try:
        event = _event(held.deal, intent, report)
        if event is not None:
            _apply(draft, held, intent, report, event, rules)
    except (DealError, OffGrid, OffScale) as error:
        return _dead(bot, report, "Contradiction", str(error))
    return decided(draft, _noted(bot, report, "applied", report.status))


def _apply(
    draft: Draft, held: HeldDeal, intent: Intent, report: OrderReport, event: VenueEvent, rules: Rules
) -> None:
    cause = Cause(report.report_id, kinds.deal_group_id(held.deal), intent.generation)
    settlement = rules.venue.report(held.deal, event)
    if report.last or report.status in {"cancelled", "rejected"}:
        draft.put_intent(replace(intent, state="ended"))
    after = replace(held, deal=settlement.deal, fills=book(draft, settlement, cause, held.fills))
    held = account(draft, held, after)
    draft.put_deal(held)
    send(draft, settlement, cause)
    if settlement.deal.closed:
        seen_ms = draft.bot.pairs[report.symbol].free_from_ms
        close_deal(draft, held, round_up(report.at_ms, rules.base_ms))
        rearm_after_close(draft, report.symbol, seen_ms, report.at_ms, rules.base_ms)
    else:
        rearm_deal(draft, held, report.at_ms, rules.base_ms)
    snapshot(draft)


def _event(deal: dca.Deal, intent: Intent, report: OrderReport) -> VenueEvent | None:
    """What the deal is told; None for an acceptance that fills overtook."""
    level = intent.level
    match report.status:
        case "accepted":
            order = order_at(deal, level)
            if order is not None and order.state != "placed":
                return None
            price = None if intent.price is None else Decimal(intent.price)
            return dca.OrderAccepted(level, "buy" if intent.side == "buy" else "sell", intent.amount, price)
        case "filled":
            return _fill(deal, intent, report)
        case "cancelled":
            return dca.OrderCancelled(level, report.reason)
        case "rejected":
            return dca.OrderRejected(level, report.reason)


def _fill(deal: dca.Deal, intent: Intent, report: OrderReport) -> dca.OrderFilled:
    instrument = deal.terms.instrument
    lots, ticks = (
        instrument.lots(Decimal(report.quantity or "0")),
        instrument.ticks(Decimal(report.price or "0")),
    )
    # In the books' own units, up: what a row says is what the deal's sum has.
    units = (
        fee_units(deal, lots * ticks) if report.fee is None else ceil(in_units(Decimal(report.fee), FEE_UNIT))
    )
    taken = ceil(in_units(Decimal(report.fee_base), instrument.lot) * PARTS)
    filled = dca.fill(deal, intent.level, lots, ticks, fee=instrument.fee(units), last=report.last)
    return replace(filled, fee_base=instrument.parts(taken))


def _noted(bot: Bot, report: OrderReport, outcome: Outcome, reason: str, claims: bool = True) -> Noted:
    accepted = governing(bot.configs, report.at_ms) or bot.newest
    return Noted("report", bot.bot_id, outcome, reason, report.report_id if claims else None, accepted.seq)


def _dead(bot: Bot | None, report: OrderReport, error_class: str, reason: str) -> Decision:
    noted = Noted("report", report.bot_id, "dead", f"{error_class}: {reason}")
    dead = DeadReason(error_class, reason)
    if bot is None:
        return Decision(None, noted, dead=dead)
    draft = Draft(bot, report.at_ms, "1m")
    detail = {
        "report_id": report.report_id,
        "status": report.status,
        "quantity": report.quantity,
        "price": report.price,
    }
    draft.tell(f"{report.report_id}:refused", "ignored", symbol=report.symbol, reason=f"{error_class}: {reason}",
               detail=detail)  # fmt: skip
    return decided(draft, noted)._replace(dead=dead)
