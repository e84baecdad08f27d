"""A grid before anything is armed: its levels, their first orders, what a round trip brings, capital, problems."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import msgspec

from schemas.bots import BotConfig
from streams.engine.dca.events import OrderSide
from streams.engine.dca.instrument import Instrument
from streams.engine.dca.money import shown, text
from streams.engine.dca.problem import Problem
from streams.engine.grid import paper
from streams.engine.grid.cells import first_cells, nearest_level
from streams.engine.grid.prices import prices, quantities
from streams.engine.grid.terms import Terms, terms_of
from streams.engine.grid.validation import net_profits, problems, problems_of_money


class LevelRow(msgspec.Struct, frozen=True, kw_only=True):
    """A level and its first order; `side` None: empty at the start, or nothing to trade there yet.

    `quantity` in base and `volume` in quote are of that order. `profit_percent`: what a round trip between this level
    and the next higher one brings after both fees, in percent of the lower one's quote; None for the highest.
    """

    level: int
    price: Decimal
    side: OrderSide | None
    quantity: Decimal | None
    volume: Decimal | None
    profit_percent: Decimal | None


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """`purchase`: base that the market order of the start buys (sells, where negative), `purchase_price` where.

    `required_capital` in quote and `required_base` in base: for the market order and all first orders, without fees.
    """

    levels: list[LevelRow]
    purchase: Decimal
    purchase_price: Decimal | None
    required_capital: Decimal
    required_base: Decimal
    problems: list[Problem]

    def to_json(self) -> dict[str, Any]:
        """The form of `bots preview --json`; amounts are decimal strings."""
        rows = [msgspec.to_builtins(row, builtin_types=(Decimal,)) for row in self.levels]
        return {
            "levels": [{name: _plain(value) for name, value in row.items()} for row in rows],
            "purchase": text(self.purchase),
            "purchase_price": _plain(self.purchase_price),
            "required_capital": text(self.required_capital),
            "required_base": text(self.required_base),
            "problems": [problem._asdict() for problem in self.problems],
        }


def preview(config: BotConfig, price: Decimal, instrument: Instrument | None = None) -> Preview:
    """The grid as it starts on a bar that closes at `price`; steps are 1e-8 without an instrument.

    Raises ValueError for a price that is not positive. A price outside the range is a problem: the grid would wait.
    """
    if not price.is_finite() or price <= 0:
        raise ValueError(f"price: {price} is not positive")
    found, known = problems(config, instrument), instrument or Instrument()
    terms = None if config.grid is None else terms_of(config, config.grid, known)
    if terms is None or any(problem.field != "grid.levels" for problem in problems_of_money(terms)):
        return Preview(
            levels=[],
            purchase=Decimal(0),
            purchase_price=None,
            required_capital=Decimal(0),
            required_base=Decimal(0),
            problems=found,
        )
    lower, upper = Decimal(terms.grid.lower), Decimal(terms.grid.upper)
    if not lower <= price <= upper:
        reason = f"{text(price)} is outside the range {text(lower)} to {text(upper)}: the grid waits for it"
        found = [*found, Problem("price", reason)]
    return _previewed(terms, price, found)


def _previewed(terms: Terms, price: Decimal, found: list[Problem]) -> Preview:
    instrument, levels, lots = terms.instrument, prices(terms), quantities(terms)
    start = nearest_level(levels, instrument.in_ticks(price))
    cells = first_cells(terms, start)
    idle = sum(lots[number] for number, cell in enumerate(cells) if cell.state == "idle")
    buying = terms.side != "short"
    purchase = idle if terms.grid.initial_purchase else 0
    at = paper.market_fill(terms, "buy" if buying else "sell", price)
    sides: dict[int, tuple[OrderSide, int]] = {}
    for number, cell in enumerate(cells, start=1):
        upper = cell.state == "sell" or (cell.state == "idle" and buying)
        if cell.state != "idle" or purchase:
            sides[number + upper] = ("sell" if upper else "buy", lots[number - 1])
    quote = sum(levels[level - 1] * amount for level, (side, amount) in sides.items() if side == "buy")
    base = sum(amount for side, amount in sides.values() if side == "sell")
    if buying:
        quote += purchase * at
    else:
        base += purchase
    if terms.side == "long":
        base = 0  # what it sells was bought at the start
    elif terms.side == "short":
        quote = 0  # what it buys back was sold at the start
    return Preview(
        levels=_rows(terms, sides),
        purchase=instrument.quantity(purchase if buying else -purchase),
        purchase_price=instrument.price(at) if purchase else None,
        required_capital=instrument.quote(quote),
        required_base=instrument.quantity(base),
        problems=found,
    )


def _rows(terms: Terms, sides: dict[int, tuple[OrderSide, int]]) -> list[LevelRow]:
    instrument, levels, lots = terms.instrument, prices(terms), quantities(terms)
    nets = net_profits(terms)
    rows = []
    for number, ticks in enumerate(levels, start=1):
        side, amount = sides.get(number, (None, 0))
        share = None
        if number <= len(lots) and ticks:
            share = shown(
                100 * nets[number - 1] / (ticks * lots[number - 1] * Fraction(instrument.quote_unit))
            )
        rows.append(
            LevelRow(
                level=number,
                price=instrument.price(ticks),
                side=side,
                quantity=instrument.quantity(amount) if side else None,
                volume=instrument.quote(amount * ticks) if side else None,
                profit_percent=share,
            )
        )
    return rows


def _plain(value: Any) -> Any:
    return text(value) if isinstance(value, Decimal) else value
