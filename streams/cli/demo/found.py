"""What the demo brought, from the database and from the topic of fired alerts."""

from decimal import Decimal
from typing import Any

from sqlalchemy import select

from schemas.triggers import Fired
from sinks.database.tables import deals, fills
from streams.cli.cluster import Cluster
from streams.cli.database import query
from streams.cli.reading import decoded, everything
from streams.engine import grid, kinds
from streams.engine.dca.money import text
from topics.registry import Topics

_DEAL = ("deal_id", "bot_id", "symbol", "side", "state", "opened_at_ms", "closed_at_ms", "close_reason",
         "quantity", "average_price", "invested", "safety_orders_filled", "profit")  # fmt: skip
_FILL = ("deal_id", "level", "at_ms", "side", "price", "quantity", "quote", "fee")


def deals_of(database: str) -> list[dict[str, Any]]:
    """Every deal, oldest first, by column, and its `kind`."""
    columns = [deals.c[name] for name in _DEAL]
    rows = query(database, select(*columns, deals.c.body).order_by(deals.c.opened_at_ms, deals.c.deal_id))
    found = []
    for *row, body in rows:
        kind = "grid" if isinstance(kinds.from_json(str(body)), grid.Deal) else "dca"
        found.append(dict(zip(_DEAL, row, strict=True)) | {"kind": kind})
    return found


def grids_of(database: str) -> list[dict[str, Any]]:
    """Of every grid: its orders that wait, its round trips, and what these brought."""
    rows = query(database, select(deals.c.body).order_by(deals.c.opened_at_ms, deals.c.deal_id))
    found = []
    for (body,) in rows:
        deal = kinds.from_json(str(body))
        if isinstance(deal, grid.Deal):
            waiting = grid.waiting(deal)
            found.append({
                "deal_id": deal.deal_id,
                "bot_id": deal.bot_id,
                "symbol": deal.symbol,
                "buys": sum(order.side == "below" for order in waiting),
                "sells": sum(order.side == "above" for order in waiting),
                "holds": text(kinds.quantity(deal)),
                "round_trips": deal.trips,
                "round_trips_brought": text(deal.grid_profit),
            })  # fmt: skip
    return found


def fills_of(database: str) -> list[dict[str, Any]]:
    """Every fill in order of event time."""
    columns = [fills.c[name] for name in _FILL]
    rows = query(database, select(*columns).order_by(fills.c.at_ms, fills.c.deal_id, fills.c.position))
    return [dict(zip(_FILL, row, strict=True)) for row in rows]


def fired_of(cluster: Cluster, topics: Topics) -> list[dict[str, Any]]:
    """Every alert that fired, in order of event time."""
    told = (decoded(record, topics.fired) for record in everything(cluster, topics.fired.name))
    messages = [one.message for one in told if one is not None and isinstance(one.message, Fired)]
    return [
        {
            "alert_id": fired.alert_id,
            "symbol": fired.symbol,
            "at_ms": fired.bar.close_time_ms,
            "close": fired.bar.close,
            "values": fired.values,
        }
        for fired in sorted(messages, key=lambda fired: (fired.bar.close_time_ms, fired.fired_id))
    ]


def profit_of(found: list[dict[str, Any]]) -> str:
    """Σ profit of the closed deals, exactly."""
    return f"{sum((Decimal(deal['profit']) for deal in found if deal['state'] == 'closed'), Decimal(0)):f}"


def averaged_with_profit(found: list[dict[str, Any]]) -> int:
    """Closed deals that filled a safety order and gained."""
    closed = (deal for deal in found if deal["state"] == "closed")
    return sum(deal["safety_orders_filled"] > 0 and Decimal(deal["profit"]) > 0 for deal in closed)
