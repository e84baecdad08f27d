"""Figures of a backtest, each by its usual definition. Pure; amounts are quote, ratios are ratios (0.1 is 10 %).

What has no value (a ratio to nothing, a rate over no time) is None, never 0 or infinity.
"""

from math import sqrt
from typing import Final

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from streams.report.equity import Curve, daily

Floats = NDArray[np.float64]
DAYS_A_YEAR: Final = 365.0
"""These markets never close."""
_YEAR_MS: Final = 365.25 * 86_400_000


class Drawdown(msgspec.Struct, frozen=True):
    """The deepest fall from a peak: as a ratio of the peak, in quote, and from the peak to recovery or end."""

    ratio: float
    amount: float
    longest_ms: int


class Metrics(msgspec.Struct, frozen=True, kw_only=True):
    """All figures; see the functions of the same names."""

    net_profit: float
    realized_profit: float
    return_ratio: float | None
    cagr: float | None
    max_drawdown: Drawdown
    sharpe: float | None
    sortino: float | None
    calmar: float | None
    profit_factor: float | None
    win_rate: float | None
    expectancy: float | None
    exposure: float
    capital_used_at_most: float
    longest_deal_ms: int
    deals: int
    closed_deals: int
    safety_orders: int
    fees: float


def metrics(curve: Curve, deals: pl.DataFrame, fills: pl.DataFrame) -> Metrics:
    """`deals`: opened_at_ms, closed_at_ms, profit, safety_orders_filled. `fills`: fee. Amounts are numbers."""
    closed = deals.drop_nulls("closed_at_ms")
    profits = closed["profit"].to_numpy()
    returns = returns_of(daily(curve))
    fall, growth = drawdown(curve), cagr(curve)
    begin = curve.begin if len(curve.equity) else 0.0
    gain = float(curve.equity[-1]) - begin if len(curve.equity) else 0.0
    return Metrics(
        net_profit=gain,
        realized_profit=float(profits.sum()),
        return_ratio=_over(gain, begin),
        cagr=growth,
        max_drawdown=fall,
        sharpe=sharpe(returns),
        sortino=sortino(returns),
        calmar=None if growth is None else _over(growth, fall.ratio),
        profit_factor=profit_factor(profits),
        win_rate=_over(float((profits > 0).sum()), len(profits)),
        expectancy=_over(float(profits.sum()), len(profits)),
        exposure=exposure(curve),
        capital_used_at_most=float(curve.tied.max(initial=0.0)),
        longest_deal_ms=longest_deal_ms(deals, int(curve.time_ms[-1]) if len(curve.time_ms) else 0),
        deals=deals.height,
        closed_deals=closed.height,
        safety_orders=int(deals["safety_orders_filled"].sum()),
        fees=float(fills["fee"].sum()),
    )


def cagr(curve: Curve) -> float | None:
    """Compound annual growth rate: (end / begin)^(1 / years) − 1, a year being 365.25 days.

    None over no time, or where nothing is left to grow. Over a few days it says little.
    """
    if len(curve.time_ms) < 2 or curve.begin <= 0 or curve.equity[-1] <= 0:
        return None
    years = float(curve.time_ms[-1] - curve.time_ms[0]) / _YEAR_MS
    try:
        growth: float = (float(curve.equity[-1]) / curve.begin) ** (1 / years)
        return growth - 1
    except OverflowError:
        return None


def drawdown(curve: Curve) -> Drawdown:
    """max over t of (peak so far − equity) / peak, on bar closes. The longest is the longest time below a peak."""
    if not len(curve.equity):
        return Drawdown(0.0, 0.0, 0)
    peak = curve.peak
    fall = peak - curve.equity
    ratio = np.divide(fall, peak, out=np.zeros_like(fall), where=peak > 0)
    at_peak = np.where(fall == 0, np.arange(len(fall)), 0)
    since = curve.time_ms - curve.time_ms[np.maximum.accumulate(at_peak)]
    return Drawdown(float(ratio.max()), float(fall.max()), int(since.max()))


def sharpe(returns: Floats) -> float | None:
    """Sharpe (1994): mean of daily returns over their sample deviation, times √365; the risk-free rate is 0."""
    if len(returns) < 2:
        return None
    return _over(float(returns.mean()) * sqrt(DAYS_A_YEAR), float(returns.std(ddof=1)))


def sortino(returns: Floats) -> float | None:
    """Sortino and Price (1994): mean daily return over the downside deviation √(mean(min(r, 0)²)), times √365."""
    if len(returns) < 2:
        return None
    downside = sqrt(float(np.square(np.minimum(returns, 0.0)).mean()))
    return _over(float(returns.mean()) * sqrt(DAYS_A_YEAR), downside)


def profit_factor(profits: Floats) -> float | None:
    """Gross profit over gross loss of closed deals, after fees; None without a loss."""
    return _over(float(profits[profits > 0].sum()), -float(profits[profits < 0].sum()))


def exposure(curve: Curve) -> float:
    """The share of bar closes at which something was held."""
    return float((curve.tied > 0).mean()) if len(curve.tied) else 0.0


def longest_deal_ms(deals: pl.DataFrame, end_ms: int) -> int:
    """From opening to close; a deal that is still open counts to the end."""
    longest = (deals["closed_at_ms"].fill_null(end_ms) - deals["opened_at_ms"]).max()
    return int(longest) if isinstance(longest, int) else 0


def returns_of(values: Floats) -> Floats:
    """Relative changes from each value to the next, while there is something to change."""
    ruined = np.flatnonzero(values <= 0)
    values = values[: ruined[0]] if len(ruined) else values
    return np.diff(values) / values[:-1] if len(values) > 1 else np.empty(0)


def _over(part: float, whole: float) -> float | None:
    """The quotient, where the whole is something; deviations below what floats can tell from 0 are nothing."""
    return part / whole if whole > 1e-15 else None
