"""Where a deal is left: take profit and stop loss, each one division of exact sums.

    target on average   A·(1 + tp)/(1 − fee) long, up     A·(1 − tp)/(1 + fee) short, down
    target on base      (ΣQ ± tp·B)/(Σbase·(1 ∓ fee))     B: quote of the base order
    stop                R·(1 − sl) long, up               R·(1 + sl) short, down   (towards the market)
    break even          A·(1 + fee)/(1 − fee) long, up    A·(1 − fee)/(1 + fee) short, down

The target pays for the fee of the exit, break even for both. R is the base order's average price, the deal's, or the
last rung's.
"""

from fractions import Fraction
from typing import Literal, NamedTuple

from schemas.bots import StopLoss
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


def take_profit_price(
    long: bool, profit: str, of: Literal["average", "base"], fee: Fraction, filled: Filled
) -> Price:
    """The exact target at `profit` percent, of which `filled` gives the units."""
    n, d = percent(profit).as_integer_ratio()
    fee_n, fee_d = fee.as_integer_ratio()
    gain = n * (filled.quote if of == "average" else filled.base_order_quote)
    if long:
        return Price((filled.quote * d + gain) * fee_d, filled.base * d * (fee_d - fee_n))
    return Price((filled.quote * d - gain) * fee_d, filled.base * d * (fee_d + fee_n))


def take_profit_ticks(
    long: bool, profit: str, of: Literal["average", "base"], fee: Fraction, filled: Filled
) -> int:
    """The target on the grid, rounded so that it never brings less: up for a long, down for a short."""
    price = take_profit_price(long, profit, of, fee, filled)
    return ceil_div(*price) if long else floor_div(*price)


def stop_loss_price(long: bool, stop: StopLoss, filled: Filled, last_level: Number | None) -> Price:
    """The exact stop. `last_level` is the last rung's price; None without a ladder: the base order stands in."""
    n, d = percent(stop.percent).as_integer_ratio()
    quote, base = filled.base_order_quote, filled.base_order_base
    if stop.reference == "average":
        quote, base = filled.quote, filled.base
    elif stop.reference == "last_level" and last_level is not None:
        quote, base = last_level, 1
    return Price(quote * (d - n) if long else quote * (d + n), base * d)


def stop_loss_ticks(long: bool, stop: StopLoss, filled: Filled, last_level: int | None) -> int:
    """The stop on the grid, rounded towards the market: up for a long, down for a short."""
    price = stop_loss_price(long, stop, filled, last_level)
    return ceil_div(*price) if long else floor_div(*price)


def break_even_price(long: bool, fee: Fraction, fee_in_base: bool, filled: Filled) -> Price:
    """Where what is still held pays for what it cost, the fees of both sides included."""
    n, d = fee.as_integer_ratio()
    if not long:
        return Price(filled.quote * (d - n), filled.base * (d + n))
    if fee_in_base:  # less is held than was bought
        return Price(filled.quote * d * d, filled.base * (d - n) * (d - n))
    return Price(filled.quote * (d + n), filled.base * (d - n))


def break_even_ticks(long: bool, fee: Fraction, fee_in_base: bool, filled: Filled) -> int:
    """Break even on the grid, rounded so that nothing is lost."""
    price = break_even_price(long, fee, fee_in_base, filled)
    return ceil_div(*price) if long else floor_div(*price)
