"""Settings of a bot that make no sense together: each problem names the one to change."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Final

from schemas.bots import BotConfig
from streams.engine.dca.problem import Problem
from streams.engine.dca.terms import Terms

_MOST_MEMBERS: Final = 250
_RULES_OF_A_DEAL: Final = 7
"""Stop, its timer, close rule, timeouts, deletion: what a deal may wait for beside ladder and targets."""


def combinations(config: BotConfig, terms: Terms) -> Iterator[Problem]:
    """What contradicts something else in `config`."""
    if config.side == "neutral":
        yield Problem("side", "neutral is a grid's: a DCA bot is long or short")
    if config.grid is not None:
        yield Problem("grid", "is a grid bot's: kind is dca")
    yield from _tables(config)
    yield from _safety(config, terms)
    yield from _stops(config)
    yield from _deals(config, terms)
    yield from _costs(config)


def _tables(config: BotConfig) -> Iterator[Problem]:
    if not config.steps:
        return
    by_formula = {
        "price_deviation": config.price_deviation != "1",
        "step_scale": config.step_scale != "1",
        "volume_scale": config.volume_scale != "1",
        "safety_order_volume": config.safety_order_volume != "0",
        "max_safety_orders": config.max_safety_orders not in (0, len(config.steps)),
    }
    for field, given in by_formula.items():
        if given:
            yield Problem(field, f"is given by steps, of which there are {len(config.steps)}: leave it out")


def _safety(config: BotConfig, terms: Terms) -> Iterator[Problem]:
    if config.safety_condition not in ("", {}):
        if not terms.safety_orders:
            yield Problem("safety_condition", "there are no safety orders: max_safety_orders is 0")
        if config.gap_through == "merge":
            yield Problem(
                "gap_through", "with a safety_condition one order is bought a bar: nothing to merge"
            )
        if config.max_active_safety_orders is not None:
            yield Problem("max_active_safety_orders", "with a safety_condition only the next one waits")
    if config.gap_through == "merge" and config.max_active_safety_orders == 1:
        yield Problem("gap_through", "with max_active_safety_orders 1 there is nothing to merge")
    shrinks = not config.steps and Fraction(terms.step_scale) < 1 and terms.step_scale != "0"
    if config.anchor == "average" and shrinks and terms.safety_orders > 1:
        yield Problem("step_scale", "below 1 with anchor average: an order could lie above the one before")


def _stops(config: BotConfig) -> Iterator[Problem]:
    stop = config.stop_loss
    if stop is None:
        return
    if stop.trailing and stop.reference != "base":
        yield Problem("stop_loss.from", "a trailing stop follows the price: it has no other reference")
    if stop.trailing and stop.break_even:
        yield Problem("stop_loss.break_even", "a trailing stop follows the price already")
    if stop.trailing and stop.timeout_s:
        yield Problem("stop_loss.timeout_s", "a trailing stop has no place to wait beyond")
    if stop.break_even and (config.take_profit is None or len(config.take_profit.steps) < 2):
        yield Problem("stop_loss.break_even", "needs take_profit.steps: it counts from the first of them on")


def _deals(config: BotConfig, terms: Terms) -> Iterator[Problem]:
    per_pair = config.max_active_deals_per_pair
    if per_pair > config.max_active_deals:
        yield Problem("max_active_deals_per_pair", f"{per_pair} is above max_active_deals")
    if terms.accumulate and terms.safety_orders:
        yield Problem("accumulate", "a deal that every entry adds to has no safety orders")
    if terms.accumulate and per_pair > 1:
        yield Problem("max_active_deals_per_pair", "a bot that accumulates has one deal per pair")
    waiting = terms.max_active_safety_orders or terms.safety_orders
    members = per_pair * (min(waiting, terms.safety_orders) + len(terms.targets) + _RULES_OF_A_DEAL)
    if members > _MOST_MEMBERS:
        reason = f"{per_pair} deals of a pair could wait for {members} alerts, {_MOST_MEMBERS} at most"
        yield Problem("max_active_deals_per_pair", f"{reason}: set max_active_safety_orders")


def _costs(config: BotConfig) -> Iterator[Problem]:
    if config.fee_in == "base" and config.side == "short":
        yield Problem("fee_in", "a short pays in quote: there is no base to take a fee from")
    if Fraction(config.reinvest_percent) > 100:
        yield Problem("reinvest_percent", "is above 100: there is no more profit than all of it")
