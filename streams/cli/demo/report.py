"""What the demo brought, from the database: for people as tables, for programs as JSON."""

from decimal import Decimal
from typing import Any

import msgspec
from sqlalchemy import select

from sinks.database.tables import deals, fills
from streams.cli.amounts import money, short
from streams.cli.database import query
from streams.cli.output import print_table
from streams.cli.times import show_span, show_time

_DEAL = ("deal_id", "bot_id", "symbol", "side", "state", "opened_at_ms", "closed_at_ms", "close_reason",
         "quantity", "average_price", "invested", "safety_orders_filled", "profit")  # fmt: skip
_FILL = ("deal_id", "level", "at_ms", "side", "price", "quantity", "quote", "fee")


class Report(msgspec.Struct, frozen=True):
    """`mode` kafka or in-process. `averaged_with_profit`: deals that bought more and closed with a gain."""

    mode: str
    broker: str
    simulated: bool
    klines: int
    triggers: int
    deals: list[dict[str, Any]]
    fills: list[dict[str, Any]]
    profit: str
    averaged_with_profit: int
    dead_letters: int
    database: str
    seconds: float
    notes: list[str]


def deals_of(database: str) -> list[dict[str, Any]]:
    """Every deal, oldest first, by column."""
    columns = [deals.c[name] for name in _DEAL]
    rows = query(database, select(*columns).order_by(deals.c.opened_at_ms, deals.c.deal_id))
    return [dict(zip(_DEAL, row, strict=True)) for row in rows]


def fills_of(database: str) -> list[dict[str, Any]]:
    """Every fill in order of event time."""
    columns = [fills.c[name] for name in _FILL]
    rows = query(database, select(*columns).order_by(fills.c.at_ms, fills.c.deal_id, fills.c.position))
    return [dict(zip(_FILL, row, strict=True)) for row in rows]


def profit_of(found: list[dict[str, Any]]) -> str:
    """Σ profit of the closed deals, exactly."""
    return f"{sum((Decimal(deal['profit']) for deal in found if deal['state'] == 'closed'), Decimal(0)):f}"


def averaged_with_profit(found: list[dict[str, Any]]) -> int:
    """Closed deals that filled a safety order and gained."""
    closed = (deal for deal in found if deal["state"] == "closed")
    return sum(deal["safety_orders_filled"] > 0 and Decimal(deal["profit"]) > 0 for deal in closed)


def print_report(report: Report) -> None:
    """Deals, the fills of the busiest one, sums, and where to look further."""
    kind = "SIMULATED prices, made up" if report.simulated else "recorded prices"
    number = ("average", "invested", "safety orders", "profit")
    print_table(
        ("bot", "symbol", "side", "opened", "closed", "by", *number),
        [
            (d["bot_id"], d["symbol"], d["side"], show_time(d["opened_at_ms"]), show_time(d["closed_at_ms"]),
             d["close_reason"], short(d["average_price"]), money(d["invested"]), d["safety_orders_filled"],
             money(d["profit"]) if d["state"] == "closed" else None)
            for d in report.deals
        ],
        title=f"deals ({kind})",
        right=number,
    )  # fmt: skip
    _print_fills(report)
    closed = sum(deal["state"] == "closed" for deal in report.deals)
    print(
        f"{report.klines:,} klines, {report.triggers} triggers, {len(report.deals)} deals ({closed} closed, "
        f"{report.averaged_with_profit} of them averaged down and won), {len(report.fills)} fills, "
        f"profit {money(report.profit)}, {report.dead_letters} dead letters, "
        f"in {show_span(report.seconds * 1000)}"
    )
    for text in report.notes:
        print(text)


def _print_fills(report: Report) -> None:
    busiest = max(report.deals, key=lambda deal: int(deal["safety_orders_filled"]), default=None)
    if busiest is None:
        return
    own = [fill for fill in report.fills if fill["deal_id"] == busiest["deal_id"]]
    number = ("price", "quantity", "quote", "fee")
    print_table(
        ("at", "level", "side", *number),
        [
            (
                show_time(f["at_ms"]),
                f["level"],
                f["side"],
                short(f["price"]),
                short(f["quantity"]),
                money(f["quote"]),
                short(f["fee"]),
            )
            for f in own
        ],
        title=f"fills of {busiest['bot_id']}'s deal of {show_time(busiest['opened_at_ms'])}",
        right=number,
    )
