"""A backtest as a page: its rows and candles in the form that the report takes, and its figures for the summary."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import polars as pl

from schemas.bots import BotConfig
from schemas.interval import interval_ms
from streams.cli.backtesting.levels import levels_of
from streams.cli.errors import Invalid
from streams.engine.backtest.candles import Candles
from streams.engine.backtest.result import BotResult
from streams.engine.dca import Instrument
from streams.report.charts import ChartsMissing, charts
from streams.report.document import metrics_of, page
from streams.report.equity import most_tied
from streams.report.run import DEALS, FILLS, KLINES, LEVELS, Run
from topics.codec import encode

_MOST_LEVELS: Final = 1_000
"""Deals whose waiting orders are drawn, the newest ones: a page must stay one that a phone can open."""


def write_page(run: Run, file: Path) -> str | None:
    """Write the page. Returns why it has no charts, if so. Raises Invalid where it cannot be written."""
    try:
        library, missing = charts(), None
    except ChartsMissing as why:
        library, missing = None, f"report.html has tables only: {why}"
    try:
        file.write_text(page(run, library), encoding="utf-8")
    except OSError as problem:
        raise Invalid(f"--out: {file}: {problem.strerror or problem}") from None
    return missing


def figures(run: Run) -> dict[str, Any]:
    """What `summary.json` says of the run beside its bots; the page shows the same."""
    return {"capital": run.capital, **msgspec.to_builtins(metrics_of(run))}


def run_of(
    results: Sequence[BotResult],
    bots: Sequence[BotConfig],
    candles: Mapping[str, Candles],
    instruments: Mapping[str, Instrument],
    summary: Mapping[str, Any],
    capital: float | None,
    notes: Sequence[str],
    *,
    title: str = "Backtest",
    changed: Collection[str] = (),
) -> Run:
    """The run as the report takes it. `capital` None: the most that was tied up in deals at once. `changed`: bots that
    had several configs, so that nobody knows from one where their orders stood.
    """
    deals = _deals(results)
    given = capital if capital is not None else most_tied(deals)
    assumed = "" if capital is not None else " (the most that was tied up at once; --capital says otherwise)"
    return Run(
        title=title,
        interval_ms=interval_ms(str(summary["interval"])),
        klines=pl.concat([_bars(one, int(summary["from_ms"])) for one in candles.values()]),
        fills=_fills(results),
        deals=deals,
        levels=_levels(results, bots, instruments, changed),
        capital=given,
        bots={bot.bot_id: _written(bot) for bot in bots},
        settings={
            "capital": f"{given:,.2f}{assumed}",
            **{f"{result.bot_id} was walked": result.walked for result in results},
            **{f"{bot.bot_id} pays": f"fee {bot.fee} % a side, slippage {bot.slippage} %" for bot in bots},
        },
        data={name: _shown(name, value) for name, value in summary.items() if name not in _NOT_DATA},
        notes=tuple(notes),
    )


_NOT_DATA: Final = {"bots", "configs", "alerts", "checks", "profit", "seconds", "metrics"}


def _shown(name: str, value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value[:20])) + (f" and {len(value) - 20} more" if len(value) > 20 else "")
    if name.endswith("_ms"):
        return f"{pl.Series([value]).cast(pl.Datetime('ms'))[0]:%Y-%m-%d %H:%M} UTC"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _written(bot: BotConfig) -> str:
    return msgspec.json.format(encode(bot), indent=2).decode()


def _bars(candles: Candles, from_ms: int) -> pl.DataFrame:
    prices = {name: candles.columns[place] for place, name in enumerate(("open", "high", "low", "close"))}
    table = pl.DataFrame({"open_time": candles.open_ms, **prices}).with_columns(symbol=pl.lit(candles.symbol))
    return table.filter(pl.col("open_time") >= from_ms).select(list(KLINES))


def _fills(results: Sequence[BotResult]) -> pl.DataFrame:
    rows = [
        (fill.deal_id, fill.bot_id, fill.symbol, fill.at_ms, fill.level, fill.side, float(fill.price),
         float(fill.quantity), float(fill.quote), float(fill.fee), float(fill.fee_base))
        for result in results
        for fill in result.fills
    ]  # fmt: skip
    return pl.DataFrame(rows, schema={**FILLS, "fee_base": pl.Float64}, orient="row")


def _deals(results: Sequence[BotResult]) -> pl.DataFrame:
    rows = [
        (deal.deal_id, deal.bot_id, deal.symbol, deal.side, deal.opened_at_ms, deal.closed_at_ms, deal.close_reason,
         None if deal.average_price is None else float(deal.average_price), most,
         None if deal.closed_at_ms is None else float(deal.profit),
         deal.safety_orders, deal.ambiguous_bars)
        for result in results
        for deal, most in zip(result.deals, result.invested, strict=True)
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=DEALS, orient="row")


def _levels(
    results: Sequence[BotResult],
    bots: Sequence[BotConfig],
    instruments: Mapping[str, Instrument],
    changed: Collection[str],
) -> pl.DataFrame:
    every = sorted((deal.opened_at_ms, deal.deal_id) for result in results for deal in result.deals)
    wanted = frozenset(deal_id for _, deal_id in every[-_MOST_LEVELS:])
    rows = [
        row
        for result, bot in zip(results, bots, strict=True)
        for row in levels_of(result, None if bot.bot_id in changed else bot, instruments, wanted)
    ]
    return pl.DataFrame(rows, schema=LEVELS, orient="row")
