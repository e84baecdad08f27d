"""A backtest's files: triggers, fills, deals and fired alerts as parquet, the summary as JSON.

Money is Decimal with 18 places, exactly; prices of bars are floats, as the feed has them.
"""

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import msgspec
import polars as pl

from schemas.triggers import Fired
from streams.cli.errors import Invalid
from streams.engine.backtest.result import BotResult, DealRow
from streams.engine.dca import decimal_text

MONEY: Final = pl.Decimal(38, 18)
_FIRED: Final = pl.List(pl.Struct({"alert_id": pl.String, "action_type": pl.String, "price": pl.Float64}))
_VALUES: Final = pl.List(pl.Struct({"operand": pl.String, "value": pl.Float64}))
_TRIGGERS: Final = {
    "trigger_id": pl.String, "bot_id": pl.String, "symbol": pl.String, "group_id": pl.String, "generation": pl.Int64,
    "open_time_ms": pl.Int64, "close_time_ms": pl.Int64, "open": pl.Float64, "high": pl.Float64, "low": pl.Float64,
    "close": pl.Float64, "volume": pl.Float64, "stale_price": pl.Boolean, "action_type": pl.String,
    "dca_index": pl.Int64, "tp_index": pl.Int64, "fired": _FIRED, "values": _VALUES, "outcome": pl.String,
}  # fmt: skip
_FILLS: Final = {
    "bot_id": pl.String, "symbol": pl.String, "deal_id": pl.String, "level": pl.String, "generation": pl.Int64,
    "position": pl.Int64, "trigger_id": pl.String, "at_ms": pl.Int64, "side": pl.String, "price": MONEY,
    "quantity": MONEY, "quote": MONEY, "fee": MONEY, "fee_base": MONEY,
}  # fmt: skip
_DEALS: Final = {
    "bot_id": pl.String, "symbol": pl.String, "deal_id": pl.String, "side": pl.String, "opened_at_ms": pl.Int64,
    "closed_at_ms": pl.Int64, "close_reason": pl.String, "fills": pl.Int64, "safety_orders": pl.Int64,
    "entry_quantity": MONEY, "entry_quote": MONEY, "exit_quantity": MONEY, "exit_quote": MONEY, "fees": MONEY,
    "dust": MONEY, "average_price": pl.Float64, "profit": MONEY, "ambiguous_bars": pl.Int64,
}  # fmt: skip
_FIRES: Final = {
    "fired_id": pl.String, "alert_id": pl.String, "user_id": pl.String, "symbol": pl.String, "generation": pl.Int64,
    "fire_number": pl.Int64, "frequency": pl.String, "open_time_ms": pl.Int64, "close_time_ms": pl.Int64,
    "open": pl.Float64, "high": pl.Float64, "low": pl.Float64, "close": pl.Float64, "volume": pl.Float64,
    "stale_price": pl.Boolean, "values": _VALUES, "message": pl.String, "tags": pl.List(pl.String),
}  # fmt: skip


def write(
    results: Sequence[BotResult], summary: dict[str, Any], folder: Path, fires: Sequence[Fired] = ()
) -> None:
    """Write all files into `folder`, which is made; `fired.parquet` where users' alerts fired. Raises Invalid where
    that cannot be.
    """
    tables = {
        "triggers": _frame(_TRIGGERS, _trigger_rows(results)),
        "fills": _frame(_FILLS, (row for result in results for row in result.fills)),
        "deals": _frame(_DEALS, (_deal_row(row) for result in results for row in result.deals)),
    }
    if fires:
        tables["fired"] = _frame(_FIRES, map(_fired_row, fires))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not fires:
            (folder / "fired.parquet").unlink(
                missing_ok=True
            )  # one of an earlier run would be of other alerts
        for name, table in tables.items():
            table.write_parquet(folder / f"{name}.parquet")
        text = msgspec.json.format(msgspec.json.encode(summary), indent=2)
        (folder / "summary.json").write_bytes(text + b"\n")
    except OSError as problem:
        raise Invalid(f"--out: {folder}: {problem.strerror or problem}") from None


def _frame(schema: dict[str, Any], rows: Iterable[Sequence[Any]]) -> pl.DataFrame:
    columns = list(zip(*rows, strict=True)) or [()] * len(schema)
    return pl.DataFrame(
        [
            pl.Series(name, column, dtype=kind, strict=True)
            for (name, kind), column in zip(schema.items(), columns, strict=True)
        ]
    )


def _trigger_rows(results: Sequence[BotResult]) -> Iterable[Sequence[Any]]:
    for result in results:
        for trigger, outcome in zip(result.triggers, result.outcomes, strict=True):
            bar, action = trigger.bar, trigger.action
            fired = [
                {"alert_id": one.alert_id, "action_type": one.action.action_type, "price": one.price}
                for one in trigger.fired
            ]
            values = [{"operand": name, "value": value} for name, value in trigger.values.items()]
            yield (
                trigger.trigger_id, trigger.bot_id, trigger.symbol, trigger.group_id, trigger.generation,
                bar.open_time_ms, bar.close_time_ms, bar.open, bar.high, bar.low, bar.close, bar.volume,
                bar.stale_price, action.action_type, action.dca_index, action.tp_index, fired, values, outcome,
            )  # fmt: skip


def _fired_row(fired: Fired) -> Sequence[Any]:
    bar = fired.bar
    values = [{"operand": name, "value": value} for name, value in fired.values.items()]
    return (
        fired.fired_id, fired.alert_id, fired.user_id, fired.symbol, fired.generation, fired.fire_number,
        fired.frequency, bar.open_time_ms, bar.close_time_ms, bar.open, bar.high, bar.low, bar.close, bar.volume,
        bar.stale_price, values, fired.message, fired.tags,
    )  # fmt: skip


def _deal_row(row: DealRow) -> Sequence[Any]:
    average = None if row.average_price is None else float(row.average_price)
    return row._replace(average_price=average)  # type: ignore[arg-type]


def bot_summary(result: BotResult) -> dict[str, Any]:
    """One bot in `summary.json`; money as decimal text."""
    closed = [deal for deal in result.deals if deal.closed_at_ms is not None]
    return {
        "bot_id": result.bot_id,
        "walked": result.walked,
        "triggers": len(result.triggers),
        "fills": len(result.fills),
        "deals": len(result.deals),
        "closed_deals": len(closed),
        "won": sum(1 for deal in closed if deal.profit > 0),
        "profit": decimal_text(result.profit),
        "fees": decimal_text(sum((deal.fees for deal in result.deals), Decimal(0))),
        "most_safety_orders": max((deal.safety_orders for deal in result.deals), default=0),
        "ambiguous_bars": sum(deal.ambiguous_bars for deal in result.deals),
        "refused_entries": sum(1 for outcome in result.outcomes if outcome == "refused"),
    }


def never_opened(results: Iterable[BotResult]) -> Iterator[str]:
    """A line for every bot whose entries fired and were all refused: triggers without a deal explain nothing."""
    for result in results:
        refused = sum(1 for outcome in result.outcomes if outcome == "refused")
        if refused and not result.deals:
            yield (
                f"{result.bot_id}: no deal was opened: the executor refused {refused:,} of {len(result.triggers):,} "
                "entries at their prices; see its tick, lot and minimum notional"
            )
