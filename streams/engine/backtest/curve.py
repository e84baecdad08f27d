"""What a bot was worth at the close of every bar: cash, position and price, from its fills. For reports.

Floats: sums for people. The exact ledger is that of the deals.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from streams.engine.backtest.candles import Candles
from streams.engine.backtest.result import FillRow
from streams.engine.bars import Floats, Ints


class Curve(NamedTuple):
    """Arrays by bar of one symbol: `close_ms` int64[n]; `cash` (quote gained or spent since the start, fees included),
    `position` (base held, negative for a short) and `price` (the close) float64[n].
    """

    close_ms: Ints
    cash: Floats
    position: Floats
    price: Floats

    @property
    def equity(self) -> Floats:
        """Gain or loss so far, the position at the close's price."""
        worth: Floats = self.cash + self.position * self.price
        return worth


def curve(candles: Candles, fills: Iterable[FillRow]) -> Curve:
    """The curve of `fills`, those of `candles.symbol` among them."""
    count = len(candles)
    cash, position = np.zeros(count), np.zeros(count)
    own = [fill for fill in fills if fill.symbol == candles.symbol]
    if own:
        at = np.array([fill.at_ms for fill in own], np.int64)
        # A tick's fill counts from the first bar that closes at or after it.
        rows = np.minimum(np.searchsorted(candles.close_ms, at), count - 1)
        sign = np.array([1.0 if fill.side == "buy" else -1.0 for fill in own])
        quote = np.array([float(fill.quote) for fill in own])
        fees = np.array([float(fill.fee) for fill in own])
        np.add.at(cash, rows, -sign * quote - fees)
        taken = np.array([float(fill.fee_base) for fill in own])
        np.add.at(position, rows, sign * np.array([float(fill.quantity) for fill in own]) - taken)
    return Curve(candles.close_ms, np.cumsum(cash), np.cumsum(position), candles.close)
