"""What a venue accepts for one symbol: the smallest steps of price and quantity, and the smallest order."""

from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from math import ceil, floor

import msgspec

from streams.engine.dca.money import EXACT, FEE_UNIT, Number, ceil_div, exact, in_units, plain

_MAX_DECIMALS = 18


class Instrument(msgspec.Struct, frozen=True):
    """`tick` in quote per base, `lot` in base, `min_notional` in quote. Raises ValueError where not positive.

    Inside a deal a price is a number of ticks, a quantity a number of lots, an amount of quote a number of
    tick×lots, a fee a number of 1e-8 quote.
    """

    tick: Decimal = Decimal("1e-8")
    lot: Decimal = Decimal("1e-8")
    min_notional: Decimal = Decimal(0)

    def __post_init__(self) -> None:
        for name, value in (("tick", self.tick), ("lot", self.lot)):
            if not value.is_finite() or value <= 0:
                raise ValueError(f"{name}: {value} is not positive")
        if not self.min_notional.is_finite() or self.min_notional < 0:
            raise ValueError(f"min_notional: {self.min_notional} is negative")
        if -int(EXACT.multiply(self.tick, self.lot).as_tuple().exponent) > _MAX_DECIMALS:
            raise ValueError(f"tick, lot: {self.tick} × {self.lot} has more than {_MAX_DECIMALS} decimals")

    @property
    def quote_unit(self) -> Fraction:
        """One tick×lot in quote."""
        return _product(self.tick, self.lot)

    def in_ticks(self, price: Decimal) -> Number:
        """A price on this instrument's scale; an integer iff it lies on the grid."""
        return in_units(price, self.tick)

    def ticks_down(self, price: Decimal) -> int:
        return floor(self.in_ticks(price))

    def ticks_up(self, price: Decimal) -> int:
        return ceil(self.in_ticks(price))

    def ticks(self, price: Decimal) -> int:
        """Raises OffGrid for a price between two ticks."""
        return exact(price, self.tick)

    def lots(self, quantity: Decimal) -> int:
        """Raises OffGrid for a quantity between two lots."""
        return exact(quantity, self.lot)

    def lots_for(self, volume: Fraction, ticks: int) -> int:
        """Lots that cost at least `volume` quote at `ticks`: up to the lot."""
        unit = self.quote_unit
        return ceil_div(volume.numerator * unit.denominator, volume.denominator * unit.numerator * ticks)

    def price(self, ticks: int) -> Decimal:
        return plain(EXACT.multiply(Decimal(ticks), self.tick))

    def quantity(self, lots: int) -> Decimal:
        return plain(EXACT.multiply(Decimal(lots), self.lot))

    def parts(self, parts: int) -> Decimal:
        """Parts of a lot (1e-8 of one) in base, exactly."""
        return plain(EXACT.multiply(EXACT.multiply(Decimal(parts), FEE_UNIT), self.lot))

    def quote(self, amount: int) -> Decimal:
        """An amount of tick×lots in quote units, exactly."""
        return plain(EXACT.multiply(EXACT.multiply(Decimal(amount), self.tick), self.lot))

    def fee(self, units: int) -> Decimal:
        return plain(EXACT.multiply(Decimal(units), FEE_UNIT))

    def below_minimum(self, lots: int, price: Decimal) -> bool:
        """Would an order of `lots` at `price` be under the minimum notional?"""
        return EXACT.multiply(self.quantity(lots), price) < self.min_notional


@lru_cache(maxsize=4096)
def _product(tick: Decimal, lot: Decimal) -> Fraction:
    return Fraction(tick) * Fraction(lot)


@lru_cache(maxsize=4096)
def instrument_of(tick: Decimal, lot: Decimal, min_notional: Decimal) -> Instrument:
    """The instrument of these steps; a deal asks for it many times a bar."""
    return Instrument(tick, lot, min_notional)
