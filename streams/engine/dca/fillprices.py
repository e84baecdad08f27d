"""What an order pays on paper, in ticks; prices that do not flatter.

    buy limit min(level, market)    sell limit max(level, market)       market: the bar's close ± slippage
    sell stop min(level, market) − slippage      buy stop max(level, market) + slippage

`market` is where it stood when the order came to life: the open for a level armed before the bar, the place on the
path where it was born for one that a fill of this bar brought. What falls between two ticks is rounded against us.
Slippage is a percent of the price.
"""

from decimal import Decimal
from math import ceil, floor

from streams.engine.dca.events import OrderSide
from streams.engine.dca.money import Number, ceil_div, floor_div
from streams.engine.dca.terms import Terms


def limit_fill(side: OrderSide, level: int, opened: Number | None) -> int:
    """Price in ticks of a limit order whose level was met; `opened`: the market then, if it counts."""
    if opened is None:
        return level
    return min(level, ceil(opened)) if side == "buy" else max(level, floor(opened))


def stop_fill(terms: Terms, side: OrderSide, level: int, opened: Number | None) -> int:
    """Price in ticks of a stop order whose level was met."""
    met: Number = level
    if opened is not None:
        met = max(met, opened) if side == "buy" else min(met, opened)
    return slipped(terms, side, met)


def market_fill(terms: Terms, side: OrderSide, close: Decimal) -> int:
    """Price in ticks of a market order at a bar's close."""
    return slipped(terms, side, terms.instrument.in_ticks(close))


def slipped(terms: Terms, side: OrderSide, price: Number) -> int:
    """`price` (in ticks) after slippage, on the tick against us, never below one tick."""
    n, d = terms.slippage_ratio.as_integer_ratio()
    if side == "buy":
        return ceil_div(price * (d + n), d)
    return max(1, floor_div(price * (d - n), d))
