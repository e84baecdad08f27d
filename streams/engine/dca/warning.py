"""What a bot may do, and its owner may not have meant: told by the preview, refused by nobody."""

from collections.abc import Iterator, Sequence
from fractions import Fraction

from schemas.bots import BotConfig
from streams.engine.dca.ladder import steps_of
from streams.engine.dca.money import percent, shown, text
from streams.engine.dca.problem import Problem
from streams.engine.dca.rows import Row
from streams.engine.dca.terms import Terms


def warnings(config: BotConfig, terms: Terms) -> Iterator[Problem]:
    """Warnings in the form of problems: the field, and what will come of it."""
    yield from _stop_above_ladder(terms)
    yield from _small_steps(terms)
    yield from _without_effect(config, terms)
    if not terms.targets and terms.stop_loss is None and not terms.close_when and not terms.deal_timeout_s:
        what = "collects and never sells" if terms.accumulate else "buys and never sells"
        yield Problem("take_profit", f"no exit at all: the bot {what}")
    if terms.stop_loss is not None and terms.stop_loss.reference == "last_level" and not terms.safety_orders:
        yield Problem("stop_loss.from", "without safety orders the stop counts from the base order")
    if config.disable_after_deals is not None and config.disable_after_deals < config.max_active_deals:
        yield Problem("disable_after_deals", "is below max_active_deals, which is never reached")


def _stop_above_ladder(terms: Terms) -> Iterator[Problem]:
    """Safety orders beyond a stop that stands still are never bought."""
    stop = terms.stop_loss
    if stop is None or stop.reference != "base" or terms.anchor != "base_fill" or stop.timeout_s:
        return
    beyond = [step.number for step in steps_of(terms) if step.deviation >= percent(stop.percent)]
    if beyond:
        several = f"safety orders {beyond[0]} to {beyond[-1]} lie"
        which = several if len(beyond) > 1 else f"safety order {beyond[0]} lies"
        yield Problem("stop_loss.percent", f"{which} at or beyond the stop of {stop.percent} %: never bought")


def _without_effect(config: BotConfig, terms: Terms) -> Iterator[Problem]:
    """Settings of safety orders that change nothing: whoever wrote them expects that they do."""
    active = config.max_active_safety_orders
    if terms.safety_orders:
        if active is not None and active > terms.safety_orders:
            yield Problem("max_active_safety_orders", f"is above the {terms.safety_orders} that there are")
        return
    for field, given in (
        ("anchor", config.anchor != "base_fill"),
        ("gap_through", config.gap_through != "each"),
        ("max_active_safety_orders", active is not None),
    ):
        if given:
            yield Problem(field, "means nothing without safety orders")


def coarse_lots(terms: Terms, rows: Sequence[Row]) -> Iterator[Problem]:
    """The first order that the lot makes half as large again as it was asked for, or more."""
    asked = (Fraction(terms.base_order_volume), *(step.volume for step in steps_of(terms)))
    for row, volume in zip(rows, asked, strict=False):
        if Fraction(row.volume) * 2 >= volume * 3:
            steps = f"steps[{row.order - 1}].volume" if terms.steps else "safety_order_volume"
            grown = f"{shown(volume)} becomes {text(row.volume)}"
            what = f"{grown}: the lot, {text(terms.lot)}, is too coarse at this price"
            yield Problem(steps if row.order else "base_order_volume", what)
            return


def _small_steps(terms: Terms) -> Iterator[Problem]:
    """Targets that would sell less than the venue takes, of the base order alone."""
    base, least = Fraction(terms.base_order_volume), Fraction(terms.min_notional)
    for target in terms.targets[:-1]:
        share = base * percent(target.amount)
        if share < least:
            field = f"take_profit.steps[{target.number - 1}].amount"
            sells = f"of the base order alone it would sell {shown(share)}"
            yield Problem(
                field, f"{sells}, below the minimum notional {terms.min_notional}: the last step sells it"
            )
