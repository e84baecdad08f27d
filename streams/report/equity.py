"""The equity curve: what the bots' money is worth at every bar's close.

    equity(t) = capital + Σ sells − Σ buys − fees of all fills up to t + Σ position(symbol, t) · close(symbol, t)

A short's position is negative. Fills happen at a bar's close time or inside the bar; both count at its close.
"""

from typing import Final, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Times = NDArray[np.int64]


FUNDING_MS: Final = 8 * 3_600_000


class Curve(NamedTuple):
    """By close time, in order: `equity` (quote), `tied` (quote that open positions cost when they were entered).

    `capital`: what there was before the first bar, whose close may have fees behind it already; None: as at that close.
    """

    time_ms: Times
    equity: Floats
    tied: Floats
    capital: float | None = None

    @property
    def begin(self) -> float:
        """The equity before the first bar; there is one."""
        return float(self.equity[0]) if self.capital is None else self.capital

    @property
    def peak(self) -> Floats:
        """The highest equity so far, that of the beginning included."""
        return np.maximum(np.maximum.accumulate(self.equity), self.begin)


def equity_curve(
    closes: pl.DataFrame, fills: pl.DataFrame, deals: pl.DataFrame, capital: float, funding: float = 0.0
) -> Curve:
    """`closes`: symbol, close_time (ms), close. `fills`: symbol, at_ms, side, quantity, quote, fee, and fee_base (what
    was taken of the quantity) where there is any. `deals`: opened_at_ms, closed_at_ms (null: open), invested. Amounts
    are numbers; `capital` is in quote.

    Between two bars of a symbol its last close counts; before its first, nothing of it can be held. `funding`:
    percent of a position's worth that a long pays and a short gets at 00:00, 08:00 and 16:00 UTC.
    """
    time_ms = closes["close_time"].unique().sort().to_numpy()
    equity = np.full(len(time_ms), capital)
    for (symbol,), bars in closes.group_by("symbol"):
        own = fills.filter(pl.col("symbol") == symbol)
        if own.is_empty():
            continue
        cash, held = _after_fills(own, time_ms)
        value = held * _last_close(bars, time_ms)
        equity += cash + value - funding_paid(time_ms, value, funding)
    return Curve(time_ms, equity, _tied(deals, time_ms), capital)


def booked_off(fills: pl.DataFrame, deals: pl.DataFrame) -> pl.DataFrame:
    """What closed deals leave, as fills without a fee at what their profit (deal_id, profit) has it booked off at: dust
    and parts of a lot at nothing, a position that a grid keeps at the price at which it ended.
    """
    way = pl.when(pl.col("side") == "buy").then(1.0).otherwise(-1.0)
    fee_base = pl.col("fee_base") if "fee_base" in fills.columns else pl.lit(0.0)
    sums = fills.group_by("deal_id", "symbol").agg(
        net=(way * pl.col("quantity") - fee_base).sum(),
        cash=(-way * pl.col("quote") - pl.col("fee")).sum(),
    )
    closed = deals.drop_nulls("closed_at_ms").select("deal_id", "profit", at_ms="closed_at_ms")
    left = sums.filter(pl.col("net") != 0).join(closed, on="deal_id")
    brings = pl.col("profit") - pl.col("cash")
    return left.select(
        "symbol",
        "at_ms",
        side=pl.when(pl.col("net") > 0).then(pl.lit("sell")).otherwise(pl.lit("buy")),
        quantity=pl.col("net").abs(),
        quote=pl.when(pl.col("net") > 0).then(brings).otherwise(-brings),
        fee=pl.lit(0.0),
        fee_base=pl.lit(0.0),
    ).sort("at_ms", "symbol", "quantity")


def funding_paid(time_ms: Times, value: Floats, percent: float) -> Floats:
    """What was paid up to each time for positions worth `value` at bar closes (negative: a short's).

    Paid at the first close at or after each instant; over a longer hole once for each instant in it.
    """
    periods = time_ms // FUNDING_MS
    instants = np.diff(periods, prepend=periods[:1])
    paid: Floats = np.cumsum(instants * value * (percent / 100))
    return paid


def daily(curve: Curve) -> Floats:
    """The equity at the end of every UTC day there is, after the value at the curve's beginning."""
    if not len(curve.time_ms):
        return np.empty(0)
    days = (curve.time_ms - 1) // 86_400_000  # a bar that closes at midnight belongs to the day before
    last = np.flatnonzero(np.diff(days, append=days[-1] + 1))
    return np.concatenate(([curve.begin], curve.equity[last]))


def _after_fills(fills: pl.DataFrame, time_ms: Times) -> tuple[Floats, Floats]:
    """Cash and base after all fills at or before each time."""
    fills = fills.sort("at_ms", maintain_order=True)
    bought = (fills["side"] == "buy").to_numpy()
    kept = pl.col("quantity") - pl.col("fee_base") if "fee_base" in fills.columns else pl.col("quantity")
    quote, base = fills["quote"].to_numpy(), fills.select(kept).to_series().to_numpy()
    cash = np.cumsum(np.where(bought, -quote, quote) - fills["fee"].to_numpy())
    held = np.cumsum(np.where(bought, base, -base))
    place = np.searchsorted(fills["at_ms"].to_numpy(), time_ms, side="right")
    none = np.zeros(1)
    return np.concatenate((none, cash))[place], np.concatenate((none, held))[place]


def _last_close(bars: pl.DataFrame, time_ms: Times) -> Floats:
    bars = bars.sort("close_time")
    place = np.searchsorted(bars["close_time"].to_numpy(), time_ms, side="right")
    return np.concatenate((np.zeros(1), bars["close"].to_numpy()))[place]


def _tied(deals: pl.DataFrame, time_ms: Times) -> Floats:
    """Quote invested in deals that are open at each time; a deal counts in full from its opening on."""
    opened = deals.select(time="opened_at_ms", change="invested")
    closed = deals.drop_nulls("closed_at_ms").select(time="closed_at_ms", change=-pl.col("invested"))
    changes = pl.concat([opened, closed]).sort("time")
    place = np.searchsorted(changes["time"].to_numpy(), time_ms, side="right")
    return np.concatenate((np.zeros(1), np.cumsum(changes["change"].to_numpy())))[place]


def most_tied(deals: pl.DataFrame) -> float:
    """The most that was invested in open deals at once; at least 1, so that there is something to compare with."""
    times = pl.concat([deals["opened_at_ms"], deals["closed_at_ms"].drop_nulls()]).unique().sort().to_numpy()
    return max(1.0, float(_tied(deals, times).max(initial=0.0)))
