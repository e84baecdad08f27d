"""The equity curve: what the bots' money is worth at every bar's close.

    equity(t) = capital + Σ sells − Σ buys − fees of all fills up to t + Σ position(symbol, t) · close(symbol, t)

A short's position is negative. Fills happen at a bar's close time or inside the bar; both count at its close.
"""

from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Times = NDArray[np.int64]


class Curve(NamedTuple):
    """By close time, in order: `equity` (quote), `tied` (quote that open positions cost when they were entered)."""

    time_ms: Times
    equity: Floats
    tied: Floats


def equity_curve(closes: pl.DataFrame, fills: pl.DataFrame, deals: pl.DataFrame, capital: float) -> Curve:
    """`closes`: symbol, close_time (ms), close. `fills`: symbol, at_ms, side, quantity, quote, fee. `deals`:
    opened_at_ms, closed_at_ms (null: open), invested. Amounts are numbers; `capital` is in quote.

    Between two bars of a symbol its last close counts; before its first, nothing of it can be held.
    """
    time_ms = closes["close_time"].unique().sort().to_numpy()
    equity = np.full(len(time_ms), capital)
    for (symbol,), bars in closes.group_by("symbol"):
        own = fills.filter(pl.col("symbol") == symbol)
        if own.is_empty():
            continue
        cash, held = _after_fills(own, time_ms)
        equity += cash + held * _last_close(bars, time_ms)
    return Curve(time_ms, equity, _tied(deals, time_ms))


def daily(curve: Curve) -> Floats:
    """The equity at the end of every UTC day there is, after the value at the curve's beginning."""
    if not len(curve.time_ms):
        return np.empty(0)
    days = (curve.time_ms - 1) // 86_400_000  # a bar that closes at midnight belongs to the day before
    last = np.flatnonzero(np.diff(days, append=days[-1] + 1))
    return np.concatenate((curve.equity[:1], curve.equity[last]))


def _after_fills(fills: pl.DataFrame, time_ms: Times) -> tuple[Floats, Floats]:
    """Cash and base after all fills at or before each time."""
    fills = fills.sort("at_ms", maintain_order=True)
    bought = (fills["side"] == "buy").to_numpy()
    quote, base = fills["quote"].to_numpy(), fills["quantity"].to_numpy()
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
