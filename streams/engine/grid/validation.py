"""Everything that is wrong with a grid bot before anything is armed: each problem names its field and says why."""

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from typing import Final

import msgspec

from schemas.bots import BotConfig
from streams.engine.dca.entry import EntryInvalid
from streams.engine.dca.instrument import Instrument
from streams.engine.dca.money import MOST_QUOTE, shown, text
from streams.engine.dca.problem import Problem
from streams.engine.grid.booking import fee_units
from streams.engine.grid.entry import start_tree
from streams.engine.grid.orders import above_ticks, below_ticks
from streams.engine.grid.prices import prices, quantities
from streams.engine.grid.terms import Terms, terms_of

_OF_A_LADDER: Final = (
    "base_order_volume", "safety_order_volume", "max_safety_orders", "price_deviation", "step_scale", "volume_scale",
    "steps", "anchor", "safety_condition", "max_active_safety_orders", "gap_through", "take_profit", "stop_loss",
    "close", "deal_timeout_s", "start_delay_s", "accumulate", "reinvest_percent", "same_bar_exit",
    "max_active_deals", "max_active_deals_per_pair",
)  # fmt: skip
_INSTEAD: Final = {"stop_loss": "; use grid.stop_below", "take_profit": "; use grid.stop_above"}


def problems(config: BotConfig, instrument: Instrument | None = None, interval: str = "1m") -> list[Problem]:
    """What stands in the way of `config` on base bars of `interval`; empty when it can be armed.

    Without an instrument its steps are 1e-8 and nothing is known of a minimum notional. A deleted bot has none.
    """
    if config.state == "deleted":
        return []
    if config.grid is None:
        return [Problem("grid", "a bot of kind grid needs a grid")]
    terms = terms_of(config, config.grid, instrument or Instrument())
    return [*_bot(config, interval), *problems_of_money(terms)]


@lru_cache(maxsize=1024)
def problems_of_money(terms: Terms) -> tuple[Problem, ...]:
    """The same for prices and amounts alone: range, levels, quantities, stops, and what a level brings."""
    found = (*_range(terms), *_costs(terms))
    if found or terms.fee_ratio >= 1:
        return found
    return (*_levels(terms), *_stops(terms)) or (*_amounts(terms),) or (*_profit(terms),)


def _bot(config: BotConfig, interval: str) -> Iterator[Problem]:
    if len(config.pairs) != 1:
        yield Problem("pairs", "a grid's range is of one pair: name exactly one")
    for field in _OF_A_LADDER:
        if getattr(config, field) != _DEFAULTS[field]:
            yield Problem(field, f"belongs to DCA bots; a grid has none{_INSTEAD.get(field, '')}")
    if config.fee_in != "quote":
        yield Problem("fee_in", "a grid's fee is in quote: lots that are bought are the lots that are sold")
    if not config.entry:
        for field in ("cooldown_s", "disable_after_deals"):
            if getattr(config, field) != _DEFAULTS[field]:
                yield Problem(field, "a grid without an entry condition starts once")
    try:
        start_tree(config, interval)
    except EntryInvalid as error:
        yield Problem(error.field, error.reason)


def _range(terms: Terms) -> Iterator[Problem]:
    lower, upper = Decimal(terms.grid.lower), Decimal(terms.grid.upper)
    if lower < terms.tick:
        yield Problem("grid.lower", f"{terms.grid.lower} is below one tick, {text(terms.tick)}")
    if lower >= upper:
        yield Problem("grid.lower", f"{terms.grid.lower} is not below the upper price, {terms.grid.upper}")
    if upper > MOST_QUOTE:
        yield Problem("grid.upper", f"is more than {MOST_QUOTE}")
    if not Fraction(terms.grid.quantity):
        yield Problem("grid.quantity", "is 0: there is nothing to trade")


def _costs(terms: Terms) -> Iterator[Problem]:
    for field, ratio in (("fee", terms.fee_ratio), ("slippage", terms.slippage_ratio)):
        if ratio >= 1:
            yield Problem(field, f"{shown(ratio * 100)} % leaves nothing of a sale")


def _levels(terms: Terms) -> Iterator[Problem]:
    levels = prices(terms)
    for number, (low, high) in enumerate(pairwise(levels), start=1):
        if low == high:
            at = text(terms.instrument.price(low))
            yield Problem(
                "grid.levels",
                f"levels {number} and {number + 1} are less than one tick, {text(terms.tick)}, apart: both at {at}",
            )
            return


def _stops(terms: Terms) -> Iterator[Problem]:
    grid, instrument, levels = terms.grid, terms.instrument, prices(terms)
    if grid.stop_below is not None:
        ticks = below_ticks(instrument, grid.stop_below)
        if ticks >= levels[0]:
            yield Problem(
                "grid.stop_below", f"{grid.stop_below} is not below the range, which begins at {grid.lower}"
            )
        if not Fraction(grid.stop_below):
            yield Problem("grid.stop_below", "is 0: no price is at or below zero")
    if grid.stop_above is not None and above_ticks(instrument, grid.stop_above) <= levels[-1]:
        yield Problem(
            "grid.stop_above", f"{grid.stop_above} is not above the range, which ends at {grid.upper}"
        )


def _amounts(terms: Terms) -> Iterator[Problem]:
    instrument, levels, lots = terms.instrument, prices(terms), quantities(terms)
    total = sum(price * quantity for price, quantity in zip(levels[1:], lots, strict=True))
    if instrument.quote_unit * total > MOST_QUOTE:
        yield Problem("grid.quantity", f"the grid could need more than {MOST_QUOTE} quote")
        return
    for number, (ticks, quantity) in enumerate(zip(levels[:-1], lots, strict=True), start=1):
        if instrument.below_minimum(quantity, price := instrument.price(ticks)):
            amount = f"{text(instrument.quantity(quantity))} at level {number}, {text(price)}"
            least = text(terms.min_notional)
            yield Problem("grid.quantity", f"{amount}, is below the minimum notional {least}")
            return


def _profit(terms: Terms) -> Iterator[Problem]:
    """Every pair of neighbours has to bring something after the fees of both legs."""
    for number, net in enumerate(net_profits(terms), start=1):
        if net <= 0:
            what = f"a trip between levels {number} and {number + 1} brings {text(shown(net))}"
            yield Problem(
                "grid.levels", f"{what} after fees of {terms.fee} % per side: fewer levels, or a wider range"
            )
            return


def net_profits(terms: Terms) -> list[Fraction]:
    """What a round trip of each cell brings in quote, after the fees of both legs, in order."""
    levels, out = prices(terms), []
    for (low, high), lots in zip(pairwise(levels), quantities(terms), strict=True):
        fees = fee_units(terms, low * lots) + fee_units(terms, high * lots)
        out.append((high - low) * lots * terms.instrument.quote_unit - Fraction(fees, 10**8))
    return out


_DEFAULTS: Final = {
    field.name: field.default for field in msgspec.structs.fields(BotConfig) if not field.required
} | {"steps": ()}
