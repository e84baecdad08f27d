"""Everything that is wrong with a bot before anything is armed: each problem names its field and says why."""

from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from schemas.bots import BotConfig
from streams.engine.dca.entry import EntryInvalid, entry_tree
from streams.engine.dca.instrument import Instrument
from streams.engine.dca.ladder import Step, steps_of
from streams.engine.dca.money import MOST_QUOTE, percent, shown
from streams.engine.dca.terms import Terms, terms_of


class Problem(NamedTuple):
    """`field` is the path of the setting, `reason` what is wrong with it."""

    field: str
    reason: str


def problems(config: BotConfig, instrument: Instrument | None = None, interval: str = "1m") -> list[Problem]:
    """What stands in the way of `config` on base bars of `interval`; empty when it can be armed.

    Without an instrument nothing is known of a minimum notional. A deleted bot has none.
    """
    if config.state == "deleted":
        return []
    return [*_entry(config, interval), *problems_of_money(terms_of(config, instrument or Instrument()))]


@lru_cache(maxsize=1024)
def problems_of_money(terms: Terms) -> tuple[Problem, ...]:
    """The same for amounts alone: volumes, ladder, costs, exits, and the venue's minimum."""
    ladder = steps_of(terms)
    found = (*_volumes(terms, ladder), *_shape(terms, ladder), *_costs(terms), *_exits(terms, ladder))
    return found or tuple(_minimum(terms, ladder))


def _entry(config: BotConfig, interval: str) -> Iterator[Problem]:
    if not config.pairs:
        yield Problem("pairs", "a bot needs at least one pair")
    if len(set(config.pairs)) < len(config.pairs):
        yield Problem("pairs", "a pair is named twice")
    try:
        entry_tree(config, interval)
    except EntryInvalid as error:
        yield Problem(error.field, error.reason)


def _volumes(terms: Terms, ladder: tuple[Step, ...]) -> Iterator[Problem]:
    base = Fraction(terms.base_order_volume)
    if not base:
        yield Problem("base_order_volume", "is 0: there is nothing to open a deal with")
    if ladder and not ladder[0].volume:
        yield Problem("safety_order_volume", f"is 0 while max_safety_orders is {terms.max_safety_orders}")
    elif len(ladder) > 1 and not ladder[1].volume:
        yield Problem("volume_scale", "is 0: the second safety order would have no volume")
    if base + sum(step.volume for step in ladder) > MOST_QUOTE:
        grows = bool(ladder) and ladder[-1].volume > ladder[0].volume
        field = (
            "base_order_volume" if base > MOST_QUOTE else "volume_scale" if grows else "safety_order_volume"
        )
        yield Problem(field, f"a deal could need more than {MOST_QUOTE} quote")


def _shape(terms: Terms, ladder: tuple[Step, ...]) -> Iterator[Problem]:
    if not ladder:
        return
    if not ladder[0].deviation:
        yield Problem("price_deviation", "is 0: every safety order would lie at the base order's price")
    elif len(ladder) > 1 and ladder[1].deviation == ladder[0].deviation:
        yield Problem("step_scale", "is 0: the second safety order would lie at the first one's price")
    for step in ladder:
        if step.deviation >= 1:
            field = "step_scale" if step.number > 1 and Fraction(terms.step_scale) > 1 else "price_deviation"
            count = terms.max_safety_orders
            at = f"safety order {step.number} of {count} deviates by {shown(step.deviation * 100, 4)} %"
            yield Problem(field, f"{at}: 100 % or more is refused")
            return


def _costs(terms: Terms) -> Iterator[Problem]:
    for field, ratio in (("fee", terms.fee_ratio), ("slippage", terms.slippage_ratio)):
        if ratio >= 1:
            yield Problem(field, f"{shown(ratio * 100)} % leaves nothing of a sale")


def _exits(terms: Terms, ladder: tuple[Step, ...]) -> Iterator[Problem]:
    yield from _take_profit(terms, ladder)
    if terms.stop_loss is not None:
        loss = percent(terms.stop_loss.percent)
        if not loss:
            yield Problem("stop_loss.percent", "is 0: the stop would be met at once")
        if loss >= 1 and terms.long:
            yield Problem("stop_loss.percent", f"{terms.stop_loss.percent} %: no price is at or below zero")


def _take_profit(terms: Terms, ladder: tuple[Step, ...]) -> Iterator[Problem]:
    target, field = terms.take_profit, "take_profit.percent"
    if target is None:
        return
    profit, of_base = percent(target.percent), target.of == "base"
    if profit >= 1 and not terms.long:
        yield Problem(field, f"{target.percent} %: a short cannot gain all of the price, or more")
        return
    base = invested = Fraction(terms.base_order_volume)
    if not base or terms.fee_ratio >= 1:
        return  # told already
    for order, volume in enumerate((Fraction(0), *(step.volume for step in ladder))):
        invested += volume
        # The target pays for the exit's fee; what is left of the profit pays for that of the entries.
        if profit * (base if of_base else invested) <= terms.fee_ratio * invested:
            when = f" once safety order {order} is filled" if order else ""
            what = f"{target.percent} % of the {'base order' if of_base else 'average'}"
            yield Problem(field, f"{what} does not cover fees of {terms.fee} % per side{when}")
            return


def _minimum(terms: Terms, ladder: tuple[Step, ...]) -> Iterator[Problem]:
    least, base = Fraction(terms.min_notional), Fraction(terms.base_order_volume)
    below = f"is below the minimum notional {terms.min_notional}"
    if base < least:
        yield Problem("base_order_volume", f"{terms.base_order_volume} {below}")
        return
    for step in ladder:
        if step.volume < least:
            yield Problem("safety_order_volume", f"safety order {step.number}: {shown(step.volume)} {below}")
            return
    # The cheapest exit: of the base order alone, at a loss for a long, at a gain for a short.
    worst = terms.stop_loss if terms.long else terms.take_profit
    if worst is not None and (rest := base * (1 - percent(worst.percent))) < least:
        field = "stop_loss.percent" if terms.long else "take_profit.percent"
        yield Problem(field, f"leaving the base order at {worst.percent} %, for {shown(rest)}, {below}")
