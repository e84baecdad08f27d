"""The ladder before anything is armed: prices, volumes, averages, targets, stops, rebound, capital, problems."""

from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

import msgspec

from schemas.bots import BotConfig
from streams.engine.dca.instrument import Instrument
from streams.engine.dca.money import text
from streams.engine.dca.opening import refusal_at
from streams.engine.dca.problem import Problem
from streams.engine.dca.rows import Ladder, Row
from streams.engine.dca.validation import problems, sound_terms
from streams.engine.dca.warning import coarse_lots, warnings

_EXITS: Final = ("take_profit_prices", "stop_loss_price", "break_even_price")
"""Beside the orders in JSON, whose form others read."""


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """`required_capital`: quote for all orders of one deal, fees not included; `capital_of_all_deals`: of as many as
    may be open at a time. `problems` stand in the way, `warnings` do not.
    """

    orders: list[Row]
    required_capital: Decimal
    problems: list[Problem]
    capital_of_all_deals: Decimal = Decimal(0)
    warnings: list[Problem] = []

    def to_json(self) -> dict[str, Any]:
        """The form of `bots preview --json`; amounts are decimal strings."""
        rows = [msgspec.to_builtins(row, builtin_types=(Decimal,)) for row in self.orders]
        plain = [{name: _plain(value) for name, value in row.items()} for row in rows]
        return {
            "orders": [{name: value for name, value in row.items() if name not in _EXITS} for row in plain],
            "required_capital": text(self.required_capital),
            "problems": [problem._asdict() for problem in self.problems],
            "exits": [{name: row[name] for name in ("order", *_EXITS)} for row in plain],
            "capital_of_all_deals": text(self.capital_of_all_deals),
            "warnings": [warning._asdict() for warning in self.warnings],
        }


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return text(value) if isinstance(value, Decimal) else value


def preview(config: BotConfig, price: Decimal, instrument: Instrument | None = None) -> Preview:
    """The ladder of a deal whose base order is filled at `price`; unrounded without an instrument.

    Raises ValueError for a price that is not positive. Without a base order `orders` is empty.
    """
    if not price.is_finite() or price <= 0:
        raise ValueError(f"price: {price} is not positive")
    found = problems(config, instrument)
    terms = sound_terms(config, instrument or Instrument())
    if not Fraction(terms.base_order_volume) or terms.fee_ratio >= 1:
        return Preview(orders=[], required_capital=Decimal(0), problems=found)
    rows = Ladder(terms, instrument).rows(price)
    capital = rows[-1].total_volume
    coarse: list[Problem] = []
    if instrument is not None:
        coarse = list(coarse_lots(terms, rows))
        refused = None if found else refusal_at(config, instrument, int(rows[0].price / instrument.tick))
        found = [*found, refused] if refused else found
    return Preview(
        orders=rows,
        required_capital=capital,
        problems=found,
        capital_of_all_deals=capital * config.max_active_deals,
        warnings=[*warnings(config, terms), *coarse],
    )
