"""What is decided at a bar's close, after all levels: exits that fired, a safety order on a condition, a stop's timer.

First a stop whose time is up, then what was armed for an instant (a timeout, a deletion), then the close rule; if the
deal goes on, the safety order; and last whether the market closed beyond a stop that has a timeout.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import Final

from msgspec.structs import replace

from schemas.alerts import ActionType
from schemas.triggers import Bar, FiredMember
from streams.engine.dca import booking, paper
from streams.engine.dca.deal import Deal
from streams.engine.dca.events import CloseReason, DealEvent, StopTimer, Triggered
from streams.engine.dca.fillprices import market_fill
from streams.engine.dca.levels import safety_levels, stop_level
from streams.engine.dca.money import FEE_UNITS_PER_QUOTE, market, percent
from streams.engine.dca.orders import CLOSE, STOP

AT_CLOSE: Final[dict[ActionType, CloseReason]] = {"close": "close", "timeout": "timeout"}
RULE: Final = "exit"
"""The close rule's alert: `bot_{bot_id}_exit`."""

_LIVE: Final = {"opening", "open"}


def decide_at_close(
    deal: Deal, events: list[DealEvent], bar: Bar, fired: Sequence[FiredMember]
) -> tuple[Deal, list[DealEvent]]:
    """The deal after what its levels left to decide."""
    if deal.status not in _LIVE:
        return deal, events
    exit_by = _exit(deal, bar, fired)
    if exit_by is not None:
        ticks = market_fill(deal.terms, deal.exit_side, market(bar.close))
        level, reason = exit_by
        trigger = Triggered(level, deal.terms.instrument.price(ticks), reason, at_market=True)
        deal, more = paper.execute(deal, trigger, ticks)
        return deal, events + more
    deal, more = _safety_order(deal, bar, fired)
    timed, told = _timer(deal, bar)
    return timed, events + more + told


def is_rule(deal: Deal, member: FiredMember) -> bool:
    """Did the deal's close rule fire?"""
    return member.alert_id == f"{deal.alert_prefix}_{RULE}"


def brings_enough(deal: Deal, close: float) -> bool:
    """Would closing at the market bring the close rule's minimum profit, after fees?"""
    terms = deal.terms
    if terms.min_profit is None:
        return True
    ledger, lots = deal.ledger, deal.ledger.position
    quote = lots * market_fill(terms, deal.exit_side, market(close))
    gain = ledger.exit_quote + quote - ledger.entry_quote
    fees = Fraction(ledger.fees + booking.fee_units(deal, quote), FEE_UNITS_PER_QUOTE)
    unit = terms.instrument.quote_unit
    profit = (gain if terms.long else -gain) * unit - fees
    return profit >= percent(terms.min_profit) * ledger.entry_quote * unit


def _exit(deal: Deal, bar: Bar, fired: Sequence[FiredMember]) -> tuple[str, CloseReason] | None:
    """The level and the reason of the first exit that counts."""
    if _time_is_up(deal, bar):
        return STOP, "break_even" if deal.breaks_even else "stop_loss"
    for member in fired:
        reason = AT_CLOSE.get(member.action.action_type)
        if reason is None:
            continue
        if not is_rule(deal, member):
            return CLOSE, reason
        if deal.ledger.position and brings_enough(deal, bar.close):
            return CLOSE, "condition"
    return None


def _time_is_up(deal: Deal, bar: Bar) -> bool:
    stop = deal.terms.stop_loss
    if stop is None or deal.stop_since_ms is None or not _beyond(deal, bar):
        return False
    return bar.close_time_ms >= deal.stop_since_ms + stop.timeout_s * 1_000


def _beyond(deal: Deal, bar: Bar) -> bool:
    level = stop_level(deal)
    return level is not None and level.met_at(deal.terms.instrument.in_ticks(market(bar.close)))


def _safety_order(deal: Deal, bar: Bar, fired: Sequence[FiredMember]) -> tuple[Deal, list[DealEvent]]:
    """The next safety order at the market, where its condition fired and the close is at or beyond its deviation."""
    terms = deal.terms
    if not terms.safety_condition or deal.status != "open" or bar.stale_price:
        return deal, []
    asked = {member.action.dca_index for member in fired if member.action.action_type == "execute_dca"}
    for level in safety_levels(deal):
        if level.number in asked and level.met_at(terms.instrument.in_ticks(market(bar.close))):
            ticks = market_fill(terms, deal.entry_side, market(bar.close))
            trigger = Triggered(level.name, terms.instrument.price(ticks), at_market=True)
            return paper.execute(deal, trigger, ticks)
    return deal, []


def _timer(deal: Deal, bar: Bar) -> tuple[Deal, list[DealEvent]]:
    """Start the stop's timer where the bar closed beyond it, end it where it came back."""
    level, stop = stop_level(deal), deal.terms.stop_loss
    if level is None or stop is None or bar.stale_price:
        return deal, []
    beyond, running = _beyond(deal, bar), deal.stop_since_ms is not None
    if beyond == running:
        return deal, []
    since = bar.close_time_ms if beyond else None
    until = None if since is None else since + stop.timeout_s * 1_000
    told = StopTimer(deal.terms.instrument.price(level.ticks), until)
    return replace(deal, stop_since_ms=since), [told]
