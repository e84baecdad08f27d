"""In which order a bar's extremes are taken to have happened (law 8)."""

from decimal import Decimal
from typing import Protocol

from schemas.bots import BotSide, Intrabar


class Prices(Protocol):
    """The prices of a bar between which it went."""

    @property
    def open(self) -> float: ...
    @property
    def high(self) -> float: ...
    @property
    def low(self) -> float: ...


def low_first(bar: Prices, side: BotSide, intrabar: Intrabar) -> bool:
    """Whether the path meets the bar's low before its high.

    `pessimistic` walks O-L-H-C for a long and O-H-L-C for a short; `ohlc` walks O, the nearer extreme (tie: the
    adverse one), the other extreme, C.
    """
    if intrabar == "ohlc":
        # In decimals: as floats two distances that are equal on paper need not be.
        up, down = (Decimal(repr(price)) - Decimal(repr(bar.open)) for price in (bar.high, bar.low))
        if up != -down:
            return -down < up
    return side == "long"
