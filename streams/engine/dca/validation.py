"""Everything that is wrong with a bot before anything is armed: each problem names its field and says why."""

from collections.abc import Iterator
from functools import lru_cache

from msgspec.structs import replace

from schemas.bots import BotConfig, WrittenCondition
from schemas.conditions import All, Compare, ConditionError, Const, Price, Trail, condition_to_json
from schemas.conditions import condition_from_json as read
from streams.engine.dca.amounts import amounts, minimum
from streams.engine.dca.combining import combinations
from streams.engine.dca.entry import EntryInvalid, condition_tree, entry_tree
from streams.engine.dca.exits import exits
from streams.engine.dca.instrument import Instrument
from streams.engine.dca.ladder import steps_of
from streams.engine.dca.problem import Problem
from streams.engine.dca.terms import Terms, terms_of

__all__ = ["Problem", "problems", "problems_of_money", "sound_terms"]


def problems(config: BotConfig, instrument: Instrument | None = None, interval: str = "1m") -> list[Problem]:
    """What stands in the way of `config` on base bars of `interval`; empty when it can be armed.

    Without an instrument nothing is known of a minimum notional. A deleted bot has none.
    """
    if config.state == "deleted":
        return []
    if config.kind != "dca":
        return [Problem("kind", f"a {config.kind} bot is not carried out by this version")]
    conditions = [*_pairs(config), *_conditions(config, interval)]
    terms = sound_terms(config, instrument or Instrument(), interval)
    return [*conditions, *combinations(config, terms), *problems_of_money(terms)]


@lru_cache(maxsize=1024)
def problems_of_money(terms: Terms) -> tuple[Problem, ...]:
    """The same for amounts alone: volumes, ladder, costs, exits, and the venue's minimum."""
    ladder = steps_of(terms)
    found = (*amounts(terms, ladder), *exits(terms, ladder))
    return found or tuple(minimum(terms, ladder))


def sound_terms(config: BotConfig, instrument: Instrument, interval: str = "1m") -> Terms:
    """The terms of `config`, without conditions that do not parse: what is wrong with them is told elsewhere."""
    try:
        return terms_of(config, instrument, interval)
    except EntryInvalid:
        return terms_of(replace(config, safety_condition="", close=None), instrument, interval)


def _pairs(config: BotConfig) -> Iterator[Problem]:
    if not config.pairs:
        yield Problem("pairs", "a bot needs at least one pair")
    if len(set(config.pairs)) < len(config.pairs):
        yield Problem("pairs", "a pair is named twice")


def _conditions(config: BotConfig, interval: str) -> Iterator[Problem]:
    try:
        entry_tree(config, interval)
    except EntryInvalid as error:
        yield Problem(error.field, error.reason)
    if config.safety_condition not in ("", {}):
        yield from _rule(config.safety_condition, "safety_condition", config, interval)
    if config.close is not None:
        if config.close.when in ("", {}):
            yield Problem("close.when", "needs a condition, such as rsi(14) > 70")
        else:
            yield from _rule(config.close.when, "close.when", config, interval)


def _rule(raw: WrittenCondition, field: str, config: BotConfig, interval: str) -> Iterator[Problem]:
    """A condition of an open deal, which is armed anew after every fill."""
    try:
        tree = condition_tree(raw, field, config.timeframe, interval)
        if isinstance(tree, Trail):
            yield Problem(
                field, "a trail is a stop's or a target's: stop_loss.trailing, take_profit.trailing"
            )
            return
        # As it is armed: with the price beside it.
        read(condition_to_json(All((tree, Compare("lte", Price("close", interval), Const(1.0))))))
    except EntryInvalid as error:
        yield Problem(error.field, error.reason)
    except ConditionError as error:
        yield Problem(field, f"together with the price it is too large: {error.reason}")
