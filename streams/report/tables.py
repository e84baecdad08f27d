"""The tables of the page: by month, by bot, by symbol. Pure; rows as they are shown."""

from typing import Any

import polars as pl

Rows = list[dict[str, Any]]


def by_month(deals: pl.DataFrame) -> Rows:
    """Closed deals by the UTC month in which they were closed, oldest first."""
    closed = deals.drop_nulls("closed_at_ms").with_columns(
        month=pl.from_epoch("closed_at_ms", time_unit="ms").dt.strftime("%Y-%m")
    )
    return _summed(closed, "month")


def by_bot(deals: pl.DataFrame) -> Rows:
    """All deals by bot."""
    return _summed(deals, "bot_id")


def by_symbol(deals: pl.DataFrame) -> Rows:
    """All deals by symbol."""
    return _summed(deals, "symbol")


def deal_rows(deals: pl.DataFrame) -> Rows:
    """Every deal, in order of opening."""
    return deals.sort("opened_at_ms", "deal_id").to_dicts()


def _summed(deals: pl.DataFrame, name: str) -> Rows:
    closed = pl.col("closed_at_ms").is_not_null()
    won = closed & (pl.col("profit") > 0)
    table = deals.group_by(name).agg(
        deals=pl.len(),
        closed=closed.sum(),
        won=won.sum(),
        profit=pl.col("profit").filter(closed).sum(),
        best=pl.col("profit").filter(closed).max(),
        worst=pl.col("profit").filter(closed).min(),
        safety_orders=pl.col("safety_orders_filled").sum(),
        longest_ms=(pl.col("closed_at_ms") - pl.col("opened_at_ms")).max(),
    )
    return table.sort(name).to_dicts()
