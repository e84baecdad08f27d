"""What a report is made of: the tables of a backtest or replay, and what it was run with."""

from dataclasses import dataclass, field
from typing import Any, Final

import polars as pl

FILLS: Final[dict[str, Any]] = {
    "deal_id": pl.String, "bot_id": pl.String, "symbol": pl.String, "at_ms": pl.Int64, "level": pl.String,
    "side": pl.String, "price": pl.Float64, "quantity": pl.Float64, "quote": pl.Float64, "fee": pl.Float64,
}  # fmt: skip
DEALS: Final[dict[str, Any]] = {
    "deal_id": pl.String, "bot_id": pl.String, "symbol": pl.String, "side": pl.String, "opened_at_ms": pl.Int64,
    "closed_at_ms": pl.Int64, "close_reason": pl.String, "average_price": pl.Float64, "invested": pl.Float64,
    "profit": pl.Float64, "safety_orders_filled": pl.Int64, "ambiguous_bars": pl.Int64,
}  # fmt: skip
KLINES: Final[dict[str, Any]] = {
    "symbol": pl.String, "open_time": pl.Int64, "open": pl.Float64, "high": pl.Float64, "low": pl.Float64,
    "close": pl.Float64,
}  # fmt: skip
LEVELS: Final[dict[str, Any]] = {
    "deal_id": pl.String, "level": pl.String, "from_ms": pl.Int64, "to_ms": pl.Int64, "price": pl.Float64,
}  # fmt: skip


@dataclass(frozen=True)
class Run:
    """Tables have at least the columns above; amounts are numbers, for pictures and ratios.

    `levels`: from when to when which level of a deal stood at which price (average, targets, stops, safety orders).
    `capital`: what the equity curve begins with. `settings` and `data` are shown as they are, by name.
    """

    title: str
    interval_ms: int
    klines: pl.DataFrame
    fills: pl.DataFrame
    deals: pl.DataFrame
    levels: pl.DataFrame
    capital: float
    bots: dict[str, str] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def as_numbers(table: pl.DataFrame, schema: dict[str, Any]) -> pl.DataFrame:
    """The columns of `schema`, money written as decimal text turned into numbers. Raises PolarsError."""
    return table.select(pl.col(name).cast(kind) for name, kind in schema.items())
