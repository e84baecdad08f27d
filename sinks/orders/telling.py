"""From what a venue has to reports: each with an id that is the same whenever it is told. Pure."""

from decimal import Decimal

from schemas.orders import OrderReport, ReportStatus
from sinks.orders.exchange import Placed, Trade
from sinks.orders.intent import Intent
from sinks.orders.store import Underway
from streams.engine.dca.money import text


def accepted(intent: Intent, at_ms: int) -> OrderReport:
    """The venue has the order."""
    return _report(intent, "accepted", "accepted", at_ms)


def ended(intent: Intent, status: ReportStatus, at_ms: int, reason: str) -> OrderReport:
    """Nothing more will come of it."""
    return _report(intent, "ended", status, at_ms, reason)


def told_by(item: Underway, placed: Placed) -> list[OrderReport]:
    """What `placed` says that was not reported yet, in order."""
    intent, reports = item.intent, [] if item.phase == "working" else [accepted(item.intent, placed.at_ms)]
    filled = sum((trade.quantity for trade in placed.trades[: item.reported]), Decimal(0))
    for trade in placed.trades[item.reported :]:
        filled += trade.quantity
        reports.append(_fill(intent, trade, placed.venue_order_id, last=filled == intent.amount))
    if placed.standing != "open" and filled != intent.amount:
        reports.append(ended(intent, "cancelled", placed.at_ms, placed.reason))
    return reports


def is_over(item: Underway, placed: Placed) -> bool:
    """Was everything said that there will ever be to say?"""
    filled = sum((trade.quantity for trade in placed.trades), Decimal(0))
    return placed.standing != "open" or filled == item.intent.amount


def _fill(intent: Intent, trade: Trade, venue_order_id: str, *, last: bool) -> OrderReport:
    return OrderReport(
        report_id=f"{intent.client_id}:trade:{trade.trade_id}",
        client_id=intent.client_id,
        bot_id=intent.bot_id,
        user_id=intent.user_id,
        symbol=intent.symbol,
        status="filled",
        at_ms=trade.at_ms,
        quantity=text(trade.quantity),
        price=text(trade.price),
        fee=None if trade.fee is None else text(trade.fee),
        fee_base=text(trade.fee_base),
        last=last,
        venue_order_id=venue_order_id,
    )


def _report(intent: Intent, name: str, status: ReportStatus, at_ms: int, reason: str = "") -> OrderReport:
    return OrderReport(
        report_id=f"{intent.client_id}:{name}",
        client_id=intent.client_id,
        bot_id=intent.bot_id,
        user_id=intent.user_id,
        symbol=intent.symbol,
        status=status,
        at_ms=at_ms,
        reason=reason,
    )
