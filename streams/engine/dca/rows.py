"""The rows of a preview: the ladder filled from top to bottom, on a grid or in exact ratios."""

from decimal import Decimal
from fractions import Fraction
from math import ceil

import msgspec

from streams.engine.dca.instrument import Instrument
from streams.engine.dca.ladder import Step, rung_price, steps_of
from streams.engine.dca.money import MOST_QUOTE, Number, ratio, shown, whole
from streams.engine.dca.targets import (
    Filled,
    Price,
    break_even_price,
    stop_loss_price,
    take_profit_price,
)
from streams.engine.dca.terms import Target, Terms


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """Where the deal stands when order `order` (0: the base order) is the last one filled.

    `volume` is that order's quote, `total_volume` all quote so far; `take_profit_price` is the first target,
    `take_profit_prices` all of them; `rebound_percent` is how far the price has to come back from this order's price to
    the first. `stop_loss_price`: a trailing stop's where it starts. What the bot does not have is None, or empty.
    """

    order: int
    deviation_percent: Decimal
    price: Decimal
    volume: Decimal
    total_volume: Decimal
    average_price: Decimal
    take_profit_price: Decimal | None
    rebound_percent: Decimal | None
    take_profit_prices: list[Decimal] = []
    stop_loss_price: Decimal | None = None
    break_even_price: Decimal | None = None


class Ladder:
    """Fills the ladder from top to bottom, on the grid of `instrument` or, without one, in exact ratios."""

    def __init__(self, terms: Terms, instrument: Instrument | None) -> None:
        self._terms = terms
        self._grid = instrument
        self._tick = Fraction(instrument.tick) if instrument else Fraction(1)
        self._lot = Fraction(instrument.lot) if instrument else Fraction(1)

    def rows(self, price: Decimal) -> list[Row]:
        """A row for each order that can be."""
        start = Fraction(price) / self._tick
        if self._grid is not None:
            start = Fraction(ceil(start) if self._terms.long else max(1, int(start)))
        base_lots = self._lots(Fraction(self._terms.base_order_volume), start)
        filled = Filled(start * base_lots, base_lots, start * base_lots, base_lots)
        orders = [(0, Fraction(0), start, filled.quote, filled)]
        at = start
        for step in steps_of(self._terms):
            if step.deviation >= 1 or filled.quote * self._tick * self._lot > MOST_QUOTE:
                break  # `problems` says so
            at = self._price(filled, at, step)
            if at <= 0:
                break
            lots = self._lots(step.volume, at)
            filled = filled._replace(quote=filled.quote + at * lots, base=filled.base + lots)
            away = step.deviation if self._terms.anchor == "base_fill" else abs(1 - at / start)
            orders.append((step.number, away, at, at * lots, filled))
        last = None if len(orders) == 1 else at
        return [self._row(*order, last) for order in orders]

    def _price(self, filled: Filled, before: Fraction, step: Step) -> Fraction:
        quote, base = filled.base_order_quote, filled.base_order_base
        if self._terms.anchor == "average":
            quote, base = filled.quote, filled.base
        elif self._terms.anchor == "previous_order":
            quote, base = before, 1
        if self._grid is None:
            sign = -1 if self._terms.long else 1
            return ratio(quote, base) * (1 + sign * step.deviation)
        return Fraction(rung_price(self._terms.long, int(quote), int(base), step.deviation))

    def _lots(self, volume: Fraction, price: Fraction) -> Fraction:
        exact = volume / (price * self._tick * self._lot)
        return exact if self._grid is None else Fraction(ceil(exact))

    def _placed(self, price: Price) -> Fraction:
        """An exit's price; on a grid up for a long, down for a short."""
        exact = ratio(*price)
        if self._grid is None:
            return exact
        return Fraction(ceil(exact) if self._terms.long else exact.__floor__())

    def _target(self, target: Target, filled: Filled) -> Fraction:
        terms = self._terms
        of = "average" if terms.take_profit is None else terms.take_profit.of
        return self._placed(take_profit_price(terms.long, target.percent, of, terms.fee_ratio, filled))

    def _stop(self, filled: Filled, last: Fraction | None) -> Fraction | None:
        terms = self._terms
        if terms.stop_loss is None:
            return None
        return self._placed(stop_loss_price(terms.long, terms.stop_loss, filled, last))

    def _break_even(self, filled: Filled) -> Fraction | None:
        terms = self._terms
        if terms.stop_loss is None or not terms.stop_loss.break_even:
            return None
        in_base = terms.fee_in == "base"
        return self._placed(break_even_price(terms.long, terms.fee_ratio, in_base, filled))

    def _row(
        self,
        order: int,
        deviation: Fraction,
        price: Fraction,
        quote: Number,
        filled: Filled,
        last: Fraction | None,
    ) -> Row:
        targets = [self._target(target, filled) for target in self._terms.targets]
        unit = self._tick * self._lot
        first = targets[0] if targets else None
        change = None if first is None else (first / price - 1 if self._terms.long else 1 - first / price)
        return Row(
            order=order,
            deviation_percent=shown(deviation * 100),
            price=self._placed_amount(price * self._tick),
            volume=self._placed_amount(quote * unit),
            total_volume=self._placed_amount(filled.quote * unit),
            average_price=shown(ratio(filled.quote, filled.base) * self._tick),
            take_profit_price=self._shown(first),
            rebound_percent=None if change is None else shown(change * 100),
            take_profit_prices=[shown(target * self._tick) for target in targets],
            stop_loss_price=self._shown(self._stop(filled, last)),
            break_even_price=self._shown(self._break_even(filled)),
        )

    def _placed_amount(self, amount: Fraction) -> Decimal:
        """On a grid to the last digit, as it is armed: of tick × lot there may be more than are shown of a ratio."""
        return shown(amount) if self._grid is None else whole(amount)

    def _shown(self, price: Fraction | None) -> Decimal | None:
        return None if price is None else shown(price * self._tick)
