"""The ladder before anything is armed: prices, volumes, averages, targets, rebound, capital, problems."""

from decimal import Decimal
from fractions import Fraction
from math import ceil
from typing import Any

import msgspec

from schemas.bots import BotConfig
from streams.engine.dca.instrument import Instrument
from streams.engine.dca.ladder import Step, rung_price, steps_of
from streams.engine.dca.money import MOST_QUOTE, Number, ratio, shown, text
from streams.engine.dca.targets import Filled, take_profit_price, take_profit_ticks
from streams.engine.dca.terms import Terms, terms_of
from streams.engine.dca.validation import Problem, problems


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """Where the deal stands when order `order` (0: the base order) is the last one filled.

    `volume` is that order's quote, `total_volume` all quote so far; `rebound_percent` is how far the price
    has to come back from this order's price to the take profit. Without a take profit the last two are None.
    """

    order: int
    deviation_percent: Decimal
    price: Decimal
    volume: Decimal
    total_volume: Decimal
    average_price: Decimal
    take_profit_price: Decimal | None
    rebound_percent: Decimal | None


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """`required_capital`: quote for all orders of one deal, fees not included."""

    orders: list[Row]
    required_capital: Decimal
    problems: list[Problem]

    def to_json(self) -> dict[str, Any]:
        """The form of `bots preview --json`; amounts are decimal strings."""
        rows = [msgspec.to_builtins(row, builtin_types=(Decimal,)) for row in self.orders]
        return {
            "orders": [{name: _plain(value) for name, value in row.items()} for row in rows],
            "required_capital": text(self.required_capital),
            "problems": [problem._asdict() for problem in self.problems],
        }


def _plain(value: Any) -> Any:
    return text(value) if isinstance(value, Decimal) else value


def preview(config: BotConfig, price: Decimal, instrument: Instrument | None = None) -> Preview:
    """The ladder of a deal whose base order is filled at `price`; unrounded without an instrument.

    Raises ValueError for a price that is not positive. Without a base order `orders` is empty.
    """
    if not price.is_finite() or price <= 0:
        raise ValueError(f"price: {price} is not positive")
    found = problems(config, instrument)
    terms = terms_of(config, instrument or Instrument())
    if not Fraction(terms.base_order_volume) or terms.fee_ratio >= 1:
        return Preview(orders=[], required_capital=Decimal(0), problems=found)
    rows = _Ladder(terms, instrument).rows(price)
    return Preview(orders=rows, required_capital=rows[-1].total_volume, problems=found)


class _Ladder:
    """Fills the ladder from top to bottom, on the grid of `instrument` or, without one, in exact ratios."""

    def __init__(self, terms: Terms, instrument: Instrument | None) -> None:
        self._terms = terms
        self._grid = instrument
        self._tick = Fraction(instrument.tick) if instrument else Fraction(1)
        self._lot = Fraction(instrument.lot) if instrument else Fraction(1)

    def rows(self, price: Decimal) -> list[Row]:
        start = Fraction(price) / self._tick
        if self._grid is not None:
            start = Fraction(ceil(start) if self._terms.long else max(1, int(start)))
        base_lots = self._lots(Fraction(self._terms.base_order_volume), start)
        filled = Filled(start * base_lots, base_lots, start * base_lots, base_lots)
        out = [self._row(0, Fraction(0), start, filled.quote, filled)]
        for step in steps_of(self._terms):
            if step.deviation >= 1 or filled.quote * self._tick * self._lot > MOST_QUOTE:
                break  # `problems` says so
            at = self._price(filled, step)
            if at <= 0:
                break
            lots = self._lots(step.volume, at)
            filled = filled._replace(quote=filled.quote + at * lots, base=filled.base + lots)
            out.append(self._row(step.number, step.deviation, at, at * lots, filled))
        return out

    def _price(self, filled: Filled, step: Step) -> Fraction:
        if self._grid is None:
            sign = -1 if self._terms.long else 1
            return ratio(filled.base_order_quote, filled.base_order_base) * (1 + sign * step.deviation)
        quote, lots = int(filled.base_order_quote), int(filled.base_order_base)
        return Fraction(rung_price(self._terms.long, quote, lots, step.deviation))

    def _lots(self, volume: Fraction, price: Fraction) -> Fraction:
        exact = volume / (price * self._tick * self._lot)
        return exact if self._grid is None else Fraction(ceil(exact))

    def _target(self, filled: Filled) -> Fraction | None:
        terms = self._terms
        if terms.take_profit is None:
            return None
        if self._grid is not None:
            return Fraction(take_profit_ticks(terms.long, terms.take_profit, terms.fee_ratio, filled))
        price = take_profit_price(terms.long, terms.take_profit, terms.fee_ratio, filled)
        return ratio(*price)

    def _row(self, order: int, deviation: Fraction, price: Fraction, quote: Number, filled: Filled) -> Row:
        target = self._target(filled)
        unit = self._tick * self._lot
        change = None if target is None else (target / price - 1 if self._terms.long else 1 - target / price)
        return Row(
            order=order,
            deviation_percent=shown(deviation * 100),
            price=shown(price * self._tick),
            volume=shown(quote * unit),
            total_volume=shown(filled.quote * unit),
            average_price=shown(ratio(filled.quote, filled.base) * self._tick),
            take_profit_price=None if target is None else shown(target * self._tick),
            rebound_percent=None if change is None else shown(change * 100),
        )
