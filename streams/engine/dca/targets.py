"""Where a deal is left: take profit and stop loss, each one division of exact sums.

    target on average   A·(1 + tp)/(1 − fee) long, up     A·(1 − tp)/(1 + fee) short, down
    target on base      (ΣQ ± tp·B)/(Σbase·(1 ∓ fee))     B: quote of the base order
    stop                R·(1 − sl) long, up               R·(1 + sl) short, down   (towards the market)

The target pays for the fee of the exit. R is the base order's average price, the deal's, or the last rung's.
"""

from fractions import Fraction
from typing import NamedTuple

from schemas.bots import StopLoss, TakeProfit
from streams.engine.dca.money import Number, ceil_div, floor_div, percent


class Filled(NamedTuple):
    """Sums of the entry side: in a deal tick×lots and lots, in the unrounded preview quote and base."""

    quote: Number
    base: Number
    base_order_quote: Number
    base_order_base: Number


class Price(NamedTuple):
    """A price not yet divided: `quote` / `base`."""

    quote: Number
    base: Number


def take_profit_price(long: bool, target: TakeProfit, fee: Fraction, filled: Filled) -> Price:
    """The exact target, of which `filled` gives the units."""
    n, d = percent(target.percent).as_integer_ratio()
    fee_n, fee_d = fee.as_integer_ratio()
    gain = n * (filled.quote if target.of == "average" else filled.base_order_quote)
    if long:
        return Price((filled.quote * d + gain) * fee_d, filled.base * d * (fee_d - fee_n))
    return Price((filled.quote * d - gain) * fee_d, filled.base * d * (fee_d + fee_n))


def take_profit_ticks(long: bool, target: TakeProfit, fee: Fraction, filled: Filled) -> int:
    """The target on the grid, rounded so that it never brings less: up for a long, down for a short."""
    price = take_profit_price(long, target, fee, filled)
    return ceil_div(*price) if long else floor_div(*price)


def stop_loss_ticks(long: bool, stop: StopLoss, filled: Filled, last_level: int | None) -> int:
    """The stop on the grid, rounded towards the market: up for a long, down for a short.

    `last_level` is the last rung's price in ticks; None without a ladder: the base order stands in for it.
    """
    n, d = percent(stop.percent).as_integer_ratio()
    quote, base = filled.base_order_quote, filled.base_order_base
    if stop.reference == "average":
        quote, base = filled.quote, filled.base
    elif stop.reference == "last_level" and last_level is not None:
        quote, base = last_level, 1
    return ceil_div(quote * (d - n), base * d) if long else floor_div(quote * (d + n), base * d)
