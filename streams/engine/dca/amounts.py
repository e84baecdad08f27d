"""What is wrong with a bot's volumes, its ladder and its costs."""

from collections.abc import Iterator
from fractions import Fraction

from streams.engine.dca.ladder import Step
from streams.engine.dca.money import MOST_QUOTE, percent, shown
from streams.engine.dca.problem import Problem
from streams.engine.dca.terms import Terms


def amounts(terms: Terms, ladder: tuple[Step, ...]) -> Iterator[Problem]:
    """Volumes, the ladder's shape, fee and slippage."""
    yield from _volumes(terms, ladder)
    yield from _table(terms, ladder) if terms.steps else _formula(terms, ladder)
    for field, ratio in (("fee", terms.fee_ratio), ("slippage", terms.slippage_ratio)):
        if ratio >= 1:
            yield Problem(field, f"{shown(ratio * 100)} % leaves nothing of a sale")


def minimum(terms: Terms, ladder: tuple[Step, ...]) -> Iterator[Problem]:
    """Orders that the venue would not take, of a bot that is sound otherwise."""
    least, base = Fraction(terms.min_notional), Fraction(terms.base_order_volume)
    below = f"is below the minimum notional {terms.min_notional}"
    if base < least:
        yield Problem("base_order_volume", f"{terms.base_order_volume} {below}")
        return
    for step in ladder:
        if step.volume < least:
            field = f"steps[{step.number - 1}].volume" if terms.steps else "safety_order_volume"
            yield Problem(field, f"safety order {step.number}: {shown(step.volume)} {below}")
            return
    # The cheapest exit: of the base order alone, at a loss for a long, at a gain for a short.
    if terms.long and terms.stop_loss is not None:
        field, worst = "stop_loss.percent", terms.stop_loss.percent
    elif not terms.long and terms.targets:
        field, worst = "take_profit.percent", terms.targets[-1].percent
    else:
        return
    if (rest := base * (1 - percent(worst))) < least:
        yield Problem(field, f"leaving the base order at {worst} %, for {shown(rest)}, {below}")


def _volumes(terms: Terms, ladder: tuple[Step, ...]) -> Iterator[Problem]:
    base = Fraction(terms.base_order_volume)
    if not base:
        yield Problem("base_order_volume", "is 0: there is nothing to open a deal with")
    if not terms.steps:
        if ladder and not ladder[0].volume:
            yield Problem("safety_order_volume", f"is 0 while max_safety_orders is {terms.max_safety_orders}")
        elif len(ladder) > 1 and not ladder[1].volume:
            yield Problem("volume_scale", "is 0: the second safety order would have no volume")
    if base + sum(step.volume for step in ladder) > MOST_QUOTE:
        grows = bool(ladder) and ladder[-1].volume > ladder[0].volume
        field = "steps" if terms.steps else "volume_scale" if grows else "safety_order_volume"
        if base > MOST_QUOTE:
            field = "base_order_volume"
        yield Problem(field, f"a deal could need more than {MOST_QUOTE} quote")


def _formula(terms: Terms, ladder: tuple[Step, ...]) -> Iterator[Problem]:
    if not ladder:
        return
    if not ladder[0].deviation:
        yield Problem("price_deviation", "is 0: every safety order would lie at the base order's price")
    elif len(ladder) > 1 and (
        ladder[1].deviation == ladder[0].deviation if terms.anchor == "base_fill" else not ladder[1].deviation
    ):
        yield Problem("step_scale", "is 0: the second safety order would lie at the first one's price")
    for step in ladder:
        if step.deviation >= 1:
            field = "step_scale" if step.number > 1 and Fraction(terms.step_scale) > 1 else "price_deviation"
            count = terms.max_safety_orders
            at = f"safety order {step.number} of {count} deviates by {shown(step.deviation * 100, 4)} %"
            yield Problem(field, f"{at}: 100 % or more is refused")
            return


def _table(terms: Terms, ladder: tuple[Step, ...]) -> Iterator[Problem]:
    before = Fraction(0)
    for step in ladder:
        field = f"steps[{step.number - 1}]"
        away = shown(step.deviation * 100, 4)
        if not step.volume:
            yield Problem(f"{field}.volume", "is 0: there is nothing to buy")
        if not step.deviation:
            yield Problem(f"{field}.deviation", "is 0: it would lie at its anchor")
        elif step.deviation >= 1:
            yield Problem(f"{field}.deviation", f"{away} %: 100 % or more is refused")
        elif terms.anchor == "base_fill" and step.deviation <= before:
            yield Problem(f"{field}.deviation", f"{away} % is not beyond the step before")
        elif terms.anchor == "average" and step.deviation < before:
            yield Problem(
                f"{field}.deviation", f"{away} % is less than the step before, counted from the average"
            )
        before = step.deviation
