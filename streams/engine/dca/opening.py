"""A deal is opened by a market base order at the close of the bar on which the entry fired, ± slippage."""

from hashlib import sha256
from typing import Final

from schemas.bots import BotConfig
from schemas.triggers import Trigger
from streams.engine.dca import paper
from streams.engine.dca.arming import deal_prefix
from streams.engine.dca.deal import Deal
from streams.engine.dca.errors import EntryRefused
from streams.engine.dca.events import Triggered
from streams.engine.dca.fillprices import market_fill
from streams.engine.dca.instrument import Instrument
from streams.engine.dca.levels import LevelOrder, levels, targets
from streams.engine.dca.money import OffScale, market, ratio
from streams.engine.dca.orders import BASE
from streams.engine.dca.problem import Problem
from streams.engine.dca.settlement import Settlement
from streams.engine.dca.terms import terms_of
from streams.engine.dca.validation import problems_of_money

_MOST_BASE: Final = 10**18
_MOST_PRICE: Final = 10**17


def deal_id_of(trigger_id: str) -> str:
    """The id of the deal that the entry trigger opens: always the same for the same trigger (law 9)."""
    return f"d{sha256(trigger_id.encode()).hexdigest()[:16]}"


def new_deal(config: BotConfig, symbol: str, instrument: Instrument, trigger: Trigger) -> Deal:
    """A deal with nothing in it yet; its first event is `Triggered("base", price)`."""
    return Deal(
        deal_id=deal_id_of(trigger.trigger_id),
        bot_id=config.bot_id,
        user_id=config.user_id,
        symbol=symbol,
        interval=trigger.bar.interval,
        alert_prefix=deal_prefix(config, symbol, deal_id_of(trigger.trigger_id)),
        opened_at_ms=trigger.bar.close_time_ms,
        terms=terms_of(config, instrument, trigger.bar.interval),
    )


def open_deal(config: BotConfig, symbol: str, instrument: Instrument, trigger: Trigger) -> Settlement:
    """The deal after its base order on paper. Raises EntryRefused where its ladder cannot be."""
    deal = new_deal(config, symbol, instrument, trigger)
    for problem in problems_of_money(deal.terms):
        raise EntryRefused(problem.field, problem.reason)
    try:
        ticks = market_fill(deal.terms, deal.entry_side, market(trigger.bar.close))
    except OffScale as error:
        raise EntryRefused("price", str(error)) from error
    opened, events = paper.execute(deal, Triggered(BASE, instrument.price(ticks)), ticks)
    _refuse_if_too_coarse(opened, ticks)
    _refuse_if_too_large(opened)
    return Settlement(opened, tuple(events))


def refusal_at(config: BotConfig, instrument: Instrument, ticks: int) -> Problem | None:
    """Why a bot that is sound itself could not open a deal whose base order is filled at `ticks`; None: it could."""
    deal = Deal(
        deal_id="d", bot_id=config.bot_id, user_id=config.user_id, symbol="", interval="1m", alert_prefix="",
        opened_at_ms=0, terms=terms_of(config, instrument),
    )  # fmt: skip
    try:
        opened, _ = paper.execute(deal, Triggered(BASE, instrument.price(ticks)), ticks)
        _refuse_if_too_coarse(opened, ticks)
        _refuse_if_too_large(opened)
    except EntryRefused as why:
        return Problem(why.field, why.reason)
    return None


def add_base(deal: Deal, trigger: Trigger) -> Settlement:
    """One more base order of a periodic bot's deal, at the close of the trigger's bar ± slippage."""
    level = f"base_{deal.base_orders + 1}"
    try:
        ticks = market_fill(deal.terms, deal.entry_side, market(trigger.bar.close))
    except OffScale as error:
        raise EntryRefused("price", str(error)) from error
    instrument = deal.terms.instrument
    after, events = paper.execute(deal, Triggered(level, instrument.price(ticks)), ticks)
    if instrument.quantity(after.ledger.entry_lots) >= _MOST_BASE:
        raise EntryRefused("base_order_volume", f"the deal would hold {_MOST_BASE} or more")
    return Settlement(after, tuple(events))


def _refuse_if_too_coarse(deal: Deal, base_ticks: int) -> None:
    """A tick so large against the price that a level vanishes or lies where the base order was filled."""
    terms = deal.terms
    price = terms.instrument.price(base_ticks)
    if len(deal.ladder) < terms.safety_orders or any(order.ticks is None for order in deal.ladder):
        raise EntryRefused(
            "max_safety_orders", f"at {price} a safety order would lie below one tick, {terms.tick}"
        )
    here = ratio(deal.filled.base_order_quote, deal.filled.base_order_base)
    for level in (*levels(deal), *targets(deal)):
        if level.met_at(here):
            raise EntryRefused(
                _field(level), f"at {price} the level is met at once: the tick, {terms.tick}, is too coarse"
            )
    if len(list(targets(deal))) < len(terms.targets):
        raise EntryRefused(
            "take_profit.percent", f"at {price} the target would lie below one tick, {terms.tick}"
        )


def _field(level: LevelOrder) -> str:
    """The setting that puts it there."""
    return {"sl": "stop_loss.percent", "tp": "take_profit.percent", "dca": "price_deviation"}[level.kind]


def _refuse_if_too_large(deal: Deal) -> None:
    """Amounts that others could not read: commands and snapshots carry at most 18 digits before the point."""
    instrument = deal.terms.instrument
    lots = sum(order.lots for order in deal.entries)
    if instrument.quantity(lots) >= _MOST_BASE:
        raise EntryRefused("base_order_volume", f"at this price the deal could hold {_MOST_BASE} or more")
    for level in (*levels(deal), *targets(deal)):
        if instrument.price(level.ticks) >= _MOST_PRICE:
            raise EntryRefused(_field(level), f"the level would lie at {_MOST_PRICE} or above")
