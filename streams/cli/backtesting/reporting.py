"""A backtest as a run that the report draws: its candles, fills and deals as numbers, and the averages as lines."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
import polars as pl

from schemas.bots import BotConfig
from schemas.interval import interval_ms
from streams.engine.backtest.candles import Candles
from streams.engine.backtest.result import BotResult, DealRow, FillRow
from streams.report.run import DEALS, FILLS, KLINES, LEVELS, Run

_NAMES = ("open", "high", "low", "close")


def run_of(
    title: str, results: Sequence[BotResult], candles: Mapping[str, Candles], bots: Iterable[BotConfig],
    capital: float, summary: Mapping[str, Any], notes: Sequence[str],
) -> Run:  # fmt: skip
    """What the page is made of. `summary`: where the candles came from, shown as it is."""
    interval = str(summary["interval"])
    deals = {deal.deal_id: deal for result in results for deal in result.deals}
    fills = [fill for result in results for fill in result.fills]
    told = ("bots", "seconds", "metrics")
    return Run(
        title=title,
        interval_ms=interval_ms(interval),
        klines=pl.concat([_klines(one) for one in candles.values()]),
        fills=_table(FILLS, [_fill(fill) for fill in fills]),
        deals=_table(DEALS, [_deal(deal) for deal in deals.values()]),
        levels=_table(LEVELS, list(_averages(fills, deals, int(summary["end_ms"])))),
        capital=capital,
        bots={bot.bot_id: msgspec.json.format(msgspec.json.encode(bot)).decode() for bot in bots},
        settings={result.bot_id: f"walked {result.walked}" for result in results},
        data={name: value for name, value in summary.items() if name not in told},
        notes=tuple(notes),
    )


def _table(schema: dict[str, Any], rows: list[tuple[Any, ...]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=schema, orient="row")


def _klines(candles: Candles) -> pl.DataFrame:
    columns = {name: candles.columns[place] for place, name in enumerate(_NAMES)}
    table = pl.DataFrame({"open_time": candles.open_ms, **columns})
    return table.select(pl.lit(candles.symbol).alias("symbol"), *list(KLINES)[1:])


def _fill(fill: FillRow) -> tuple[Any, ...]:
    amounts = (float(amount) for amount in (fill.price, fill.quantity, fill.quote, fill.fee))
    return (fill.deal_id, fill.bot_id, fill.symbol, fill.at_ms, fill.level, fill.side, *amounts)


def _deal(deal: DealRow) -> tuple[Any, ...]:
    average = None if deal.average_price is None else float(deal.average_price)
    return (
        deal.deal_id, deal.bot_id, deal.symbol, deal.side, deal.opened_at_ms, deal.closed_at_ms, deal.close_reason,
        average, float(deal.entry_quote), float(deal.profit), deal.safety_orders, deal.ambiguous_bars,
    )  # fmt: skip


def _averages(
    fills: Iterable[FillRow], deals: Mapping[str, DealRow], end_ms: int
) -> Iterable[tuple[str, str, int, int, float]]:
    """Each deal's average price, from entry to entry."""
    by_deal: dict[str, list[FillRow]] = {}
    for fill in fills:
        by_deal.setdefault(fill.deal_id, []).append(fill)
    for deal_id, filled in by_deal.items():
        entries = [fill for fill in filled if fill.side == filled[0].side]
        ends_ms = deals[deal_id].closed_at_ms or end_ms
        quote = quantity = 0.0
        for fill, until_ms in zip(entries, [*(later.at_ms for later in entries[1:]), ends_ms], strict=True):
            quote, quantity = quote + float(fill.quote), quantity + float(fill.quantity)
            if until_ms > fill.at_ms and deals[deal_id].average_price is not None:
                yield deal_id, "average", fill.at_ms, until_ms, quote / quantity
