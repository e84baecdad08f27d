"""What is wrong with a bot's exits."""

from collections.abc import Iterator
from fractions import Fraction

from streams.engine.dca.ladder import Step
from streams.engine.dca.money import percent
from streams.engine.dca.problem import Problem
from streams.engine.dca.terms import Target, Terms


def exits(terms: Terms, ladder: tuple[Step, ...]) -> Iterator[Problem]:
    """Take profit and stop loss."""
    yield from _steps(terms)
    for target in terms.targets:
        yield from _target(terms, ladder, target)
    yield from _trailing(terms)
    if terms.stop_loss is not None:
        loss = percent(terms.stop_loss.percent)
        if not loss:
            yield Problem("stop_loss.percent", "is 0: the stop would be met at once")
        if loss >= 1 and terms.long:
            yield Problem("stop_loss.percent", f"{terms.stop_loss.percent} %: no price is at or below zero")


def _field(terms: Terms, target: Target) -> str:
    if terms.take_profit is not None and terms.take_profit.steps:
        return f"take_profit.steps[{target.number - 1}].percent"
    return "take_profit.percent"


def _steps(terms: Terms) -> Iterator[Problem]:
    profit = terms.take_profit
    if profit is None or not profit.steps:
        return
    before = Fraction(0)
    for number, step in enumerate(profit.steps):
        if not Fraction(step.amount):
            yield Problem(f"take_profit.steps[{number}].amount", "is 0: the step would sell nothing")
        if number and percent(step.percent) <= before:
            yield Problem(
                f"take_profit.steps[{number}].percent", f"{step.percent} % is not above the step before"
            )
        before = percent(step.percent)
    total = sum(Fraction(step.amount) for step in profit.steps)
    if total != 100:
        yield Problem("take_profit.steps", f"the amounts add up to {float(total):g}, not to 100")


def _target(terms: Terms, ladder: tuple[Step, ...], target: Target) -> Iterator[Problem]:
    field, profit = _field(terms, target), percent(target.percent)
    of_base = terms.take_profit is not None and terms.take_profit.of == "base"
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


def _trailing(terms: Terms) -> Iterator[Problem]:
    profit = terms.take_profit
    if profit is None or profit.trailing is None:
        return
    back, last = percent(profit.trailing), terms.targets[-1]
    if not back:
        yield Problem("take_profit.trailing", "is 0: it would sell where the target is met; leave it out")
        return
    gain, fee = percent(last.percent), terms.fee_ratio
    kept = (1 + gain) * (1 - back) >= 1 + fee if terms.long else (1 - gain) * (1 + back) <= 1 - fee
    if not kept and profit.of == "average":
        where = "below" if terms.long else "above"
        reason = (
            f"{profit.trailing} % back from a target of {last.percent} % is {where} the average and its fees"
        )
        yield Problem("take_profit.trailing", reason)
    elif back >= 1 and terms.long:
        yield Problem("take_profit.trailing", f"{profit.trailing} %: no price is at or below zero")
