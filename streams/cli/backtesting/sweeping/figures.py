"""The figures of one configuration: from its deals always; from its equity, bar by bar, only where they are wanted.

Definitions are those of `streams.report.metrics`, so that a configuration says what its own backtest would.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

import msgspec
import numpy as np

from streams.cli.backtesting.sweeping.traded import Traded
from streams.engine.backtest.candles import Candles
from streams.engine.backtest.worth import Worth, worth
from streams.engine.bars import Floats, Ints
from streams.report.equity import Curve, daily
from streams.report.metrics import drawdown, profit_factor, returns_of, sharpe, sortino

MONEY_NAMES: Final = ("profit", "fees")


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """`profit` and `fees` exactly, in quote, of closed deals and of all; ratios are ratios. What needs the equity of
    every bar (from `net_profit` on) is None where it was not asked for, or has no value.
    """

    profit: Decimal
    fees: Decimal
    capital: float
    return_ratio: float
    deals: int
    closed_deals: int
    win_rate: float | None
    profit_factor: float | None
    expectancy: float | None
    worst_deal: float | None
    longest_deal_ms: int
    most_safety_orders: int
    ambiguous_bars: int
    walked: str
    net_profit: float | None = None
    max_drawdown: float | None = None
    return_over_drawdown: float | None = None
    sharpe: float | None = None
    sortino: float | None = None


OF_EQUITY: Final = ("net_profit", "max_drawdown", "return_over_drawdown", "sharpe", "sortino")
OBJECTIVES: Final = (
    "profit", "return_ratio", "win_rate", "profit_factor", "expectancy", "worst_deal", "net_profit",
    "return_over_drawdown", "sharpe", "sortino",
)  # fmt: skip
"""What a sweep can be ranked by, more being better."""


def figures(found: Traded, end_ms: int, capital: float | None) -> Figures:
    """Of deals alone. `end_ms`: when the candles end, up to which an open deal lasts. `capital` None: the most that was
    tied up at once.
    """
    closed = found.closed_ms >= 0
    gains = found.gains[closed]
    given = capital if capital is not None else most_tied(found)
    lasted = np.where(closed, found.closed_ms, end_ms) - found.opened_ms
    count = len(gains)
    return Figures(
        profit=found.profit, fees=found.fees, capital=given, return_ratio=float(found.profit) / given,
        deals=len(found.gains), closed_deals=count,
        win_rate=float((gains > 0).sum()) / count if count else None,
        profit_factor=profit_factor(gains),
        expectancy=float(gains.sum()) / count if count else None,
        worst_deal=float(gains.min()) if count else None,
        longest_deal_ms=int(lasted.max(initial=0)),
        most_safety_orders=int(found.safety.max(initial=0)),
        ambiguous_bars=int(found.ambiguous.sum()), walked=found.walked,
    )  # fmt: skip


def with_equity(plain: Figures, found: Traded, candles: Mapping[str, Candles], from_ms: int) -> Figures:
    """The same with what the equity says, from the bar that opens at `from_ms` on."""
    fall, days = _worth(found, candles, from_ms, plain.capital)
    returns = returns_of(days)
    gain = float(days[-1] - days[0]) if len(days) else 0.0
    growth = gain / plain.capital
    return msgspec.structs.replace(
        plain,
        net_profit=gain,
        max_drawdown=fall,
        return_over_drawdown=growth / fall if fall > 1e-15 else None,
        sharpe=sharpe(returns),
        sortino=sortino(returns),
    )


def _worth(found: Traded, candles: Mapping[str, Candles], from_ms: int, capital: float) -> Worth:
    """One symbol in one pass; several over the curve that they have together."""
    if len(found.symbols) == 1:
        one = candles[found.symbols[0]]
        begin, order = one.row_from(from_ms), np.argsort(found.at_ms, kind="stable")
        fills = found.at_ms[order], found.base[order], found.quote[order]
        return worth(one.open_ms[begin:], one.step_ms, one.close[begin:], *fills, capital)
    curve = equity(found, candles, from_ms, capital)
    return Worth(drawdown(curve).ratio, daily(curve))


def most_tied(found: Traded) -> float:
    """The most that was invested in open deals at once; at least 1 (see `streams.report.equity`)."""
    closed = found.closed_ms >= 0
    at_ms = np.concatenate((found.opened_ms, found.closed_ms[closed]))
    order = np.argsort(at_ms, kind="stable")
    summed = np.cumsum(np.concatenate((found.invested, -found.invested[closed]))[order])
    last = np.flatnonzero(np.diff(at_ms[order], append=-1))  # what happens at one time counts together
    return max(1.0, float(summed[last].max(initial=0.0)))


def equity(found: Traded, candles: Mapping[str, Candles], from_ms: int, capital: float) -> Curve:
    """What the bot's money is worth at the close of every bar that opens from `from_ms` on."""
    own = {symbol: candles[symbol] for symbol in found.symbols}
    seen = [one.close_ms[one.row_from(from_ms) :] for one in own.values()]
    time_ms = seen[0] if len(seen) == 1 else np.unique(np.concatenate(seen))
    worth = np.full(len(time_ms), capital)
    for place, one in enumerate(own.values()):
        mine = found.symbol == place
        at_ms, begin = found.at_ms[mine], one.row_from(from_ms)
        cash, held = _stepped(at_ms, found.quote[mine], time_ms), _stepped(at_ms, found.base[mine], time_ms)
        worth += cash + held * _last(one.close_ms[begin:], one.close[begin:], time_ms, alone=len(own) == 1)
    return Curve(time_ms, worth, _tied(found, time_ms), capital)


def _stepped(at_ms: Ints, changes: Floats, time_ms: Ints) -> Floats:
    """The sum of all changes at or before each time."""
    out = np.zeros(len(time_ms) + 1)
    np.add.at(out, np.searchsorted(time_ms, at_ms), changes)
    summed: Floats = np.cumsum(out[:-1])
    return summed


def _last(close_ms: Ints, close: Floats, time_ms: Ints, *, alone: bool) -> Floats:
    if alone:
        return close
    return np.concatenate((np.zeros(1), close))[np.searchsorted(close_ms, time_ms, side="right")]


def _tied(found: Traded, time_ms: Ints) -> Floats:
    closed = found.closed_ms >= 0
    at_ms = np.concatenate((found.opened_ms, found.closed_ms[closed]))
    return _stepped(at_ms, np.concatenate((found.invested, -found.invested[closed])), time_ms)
