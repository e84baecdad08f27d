"""A grid starts at the close of a bar inside its range: a market order for what it needs at once, then its levels."""

from decimal import Decimal
from typing import Final

from schemas.bots import BotConfig
from schemas.triggers import Trigger
from streams.engine.dca.arming import alert_prefix
from streams.engine.dca.errors import EntryRefused
from streams.engine.dca.events import Triggered
from streams.engine.dca.instrument import Instrument
from streams.engine.dca.money import OffScale, market
from streams.engine.dca.opening import deal_id_of
from streams.engine.grid import paper
from streams.engine.grid.cells import first_cells, nearest_level
from streams.engine.grid.deal import BASE, Deal
from streams.engine.grid.prices import prices
from streams.engine.grid.settlement import Settlement
from streams.engine.grid.terms import Terms, terms_of
from streams.engine.grid.validation import problems_of_money

_MOST_BASE: Final = 10**18


def new_deal(config: BotConfig, symbol: str, instrument: Instrument, trigger: Trigger) -> Deal:
    """A grid that has not traded yet; its first event is `Triggered("base", price)`. Raises EntryRefused."""
    if config.grid is None:
        raise EntryRefused("grid", "a grid bot needs a grid")
    terms = terms_of(config, config.grid, instrument)
    for problem in problems_of_money(terms):
        raise EntryRefused(problem.field, problem.reason)
    close = _inside(terms, trigger.bar.close)
    start = nearest_level(prices(terms), instrument.in_ticks(close))
    deal = Deal(
        deal_id=deal_id_of(trigger.trigger_id),
        bot_id=config.bot_id,
        user_id=config.user_id,
        symbol=symbol,
        interval=trigger.bar.interval,
        alert_prefix=alert_prefix(config, symbol),
        opened_at_ms=trigger.bar.close_time_ms,
        terms=terms,
        start_level=start,
        price=close,
        cells=first_cells(terms, start),
    )
    if instrument.quantity(sum(deal.lots)) >= _MOST_BASE:
        raise EntryRefused("grid.quantity", f"the grid could hold {_MOST_BASE} or more")
    return deal


def open_deal(config: BotConfig, symbol: str, instrument: Instrument, trigger: Trigger) -> Settlement:
    """The grid after its start on paper. Raises EntryRefused where it cannot start at this price."""
    deal = new_deal(config, symbol, instrument, trigger)
    side = "sell" if deal.terms.side == "short" else "buy"
    ticks = paper.market_fill(deal.terms, "sell" if side == "sell" else "buy", deal.price)
    opened, events = paper.execute(deal, Triggered(BASE, instrument.price(ticks)), ticks)
    return Settlement(opened, tuple(events))


def _inside(terms: Terms, price: float) -> Decimal:
    try:
        close = market(price)
    except OffScale as error:
        raise EntryRefused("price", str(error)) from error
    grid = terms.grid
    if not Decimal(grid.lower) <= close <= Decimal(grid.upper):
        raise EntryRefused("grid", f"the price {close} is outside the range {grid.lower} to {grid.upper}")
    return close
