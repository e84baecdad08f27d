"""Exact money: integers and ratios inside, decimal text at the edges. No binary float is ever computed with.

A market price, a float by nature, enters as `Decimal(repr(x))`: the digits the venue printed, not their
binary neighbour (a float ledger was one tick off in 119 of 60,000 targets).
"""

from decimal import Clamped, Context, Decimal, FloatOperation, Inexact, Rounded
from fractions import Fraction
from functools import lru_cache
from typing import Final, TypeAlias

Number: TypeAlias = int | Fraction  # integers in a deal; ratios where the preview rounds nothing

FEE_UNIT: Final = Decimal("1e-8")
FEE_UNITS_PER_QUOTE: Final = 10**8
_SHOWN_DIGITS: Final = 18

MOST_QUOTE: Final = 10**15
"""More quote than any deal may need, and more than any price: what lies beyond is a mistake, not a market."""

EXACT: Final = Context(prec=200, traps=[Inexact, Rounded, Clamped, FloatOperation])
_SHOWN: Final = Context(prec=_SHOWN_DIGITS)
_ZERO: Final = Decimal(0)
_ONE: Final = Decimal(1)


def market(price: float) -> Decimal:
    """A market price as the decimal its shortest text names: 0.1 becomes Decimal("0.1").

    Raises OffScale for one that no market has: a float goes up to 1e308, and exact sums would have no end.
    """
    if not price <= MOST_QUOTE:
        raise OffScale(f"a price of {price} is more than {MOST_QUOTE}")
    return Decimal(repr(float(price)))


def floor_div(numerator: Number, denominator: Number) -> int:
    """Largest integer at or below the quotient; `denominator` > 0."""
    return numerator // denominator


def ceil_div(numerator: Number, denominator: Number) -> int:
    """Smallest integer at or above the quotient; `denominator` > 0."""
    return -(-numerator // denominator)


def ratio(numerator: Number, denominator: Number) -> Fraction:
    """The quotient, exactly."""
    return Fraction(numerator) / Fraction(denominator)


@lru_cache(maxsize=4096)
def percent(text: str) -> Fraction:
    """ "1.5" (percent) as the exact ratio 3/200."""
    return Fraction(text) / 100


def exact(value: Decimal, unit: Decimal) -> int:
    """How many `unit`s make up `value`. Raises OffGrid where it is not a whole number of them."""
    count = in_units(value, unit)
    if not isinstance(count, int):
        raise OffGrid(f"{value} is no multiple of {unit}")
    return count


def in_units(value: Decimal, unit: Decimal) -> Number:
    """`value` measured in `unit`, exactly: an integer where it is a whole number of them."""
    n, d = value.as_integer_ratio()
    unit_n, unit_d = unit.as_integer_ratio()
    whole, rest = divmod(n * unit_d, d * unit_n)
    return Fraction(n * unit_d, d * unit_n) if rest else whole


def plain(value: Decimal) -> Decimal:
    """The same number with no trailing zeros and no exponent (1E+3 becomes 1000)."""
    if not value:
        return _ZERO
    value = EXACT.normalize(value)
    return EXACT.quantize(value, _ONE) if value == value.to_integral_value() else value


def text(value: Decimal) -> str:
    """Plain decimal text: digits and at most one point, no exponent, no trailing zeros."""
    shown = str(value)
    if "E" in shown:
        shown = format(value, "f")
    if "." in shown:
        shown = shown.rstrip("0").rstrip(".")
    return "0" if shown in {"-0", ""} else shown


def shown(ratio: Fraction, decimals: int = _SHOWN_DIGITS) -> Decimal:
    """A ratio for people: 18 significant digits, at most `decimals` after the point. Not to compute with."""
    value = _SHOWN.divide(Decimal(ratio.numerator), Decimal(ratio.denominator))
    if -int(value.as_tuple().exponent) > decimals:
        value = value.quantize(Decimal(1).scaleb(-decimals), context=Context(prec=200))
    return plain(value)


def whole(ratio: Fraction) -> Decimal:
    """A ratio whose decimals have an end, with all of them. Raises Inexact where they have none."""
    return plain(EXACT.divide(Decimal(ratio.numerator), Decimal(ratio.denominator)))


class OffScale(ValueError):
    """A market price that is no price of any market."""


class OffGrid(ValueError):
    """A price, quantity or fee that is no whole number of its unit: booking it would round money."""
