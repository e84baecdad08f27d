"""The conditions of a bot as trees, nothing left implicit: what a GroupCommand may carry."""

from functools import lru_cache

from schemas.bots import BotConfig, WrittenCondition
from schemas.conditions import All, AnyOf, Condition, ConditionError, Schedule, condition_from_json
from streams.engine.conditions.expression import parse
from streams.engine.conditions.resolve import resolve


class EntryInvalid(ValueError):
    """A condition of a bot is refused: `field` is its field, or the path in its tree; `reason` says why.

    For a condition written as text the reason names the column.
    """

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


def entry_tree(config: BotConfig, interval: str = "1m") -> Condition:
    """The entry of `config` on base bars of `interval`. Raises EntryInvalid."""
    if config.entry in ("", {}):
        raise EntryInvalid("entry", "a bot needs an entry condition, such as rsi(14) < 30")
    return condition_tree(config.entry, "entry", config.timeframe, interval)


def condition_tree(raw: WrittenCondition, field: str, timeframe: str, interval: str) -> Condition:
    """The condition of `field`, written as text or as a tree, on base bars of `interval`. Raises EntryInvalid."""
    try:
        if isinstance(raw, str):
            return _parsed(raw, timeframe, interval)
        return resolve(condition_from_json(raw), timeframe, interval)
    except ConditionError as error:
        if isinstance(raw, str) or not error.path:
            raise EntryInvalid(field, str(error)) from error
        raise EntryInvalid(f"{field}.{error.path}", error.reason) from error


def is_scheduled(tree: Condition) -> bool:
    """Is there a schedule in it that must be due for it to be true?"""
    match tree:
        case Schedule():
            return True
        case All(items):
            return any(is_scheduled(item) for item in items)
        case AnyOf(items):
            return all(is_scheduled(item) for item in items)
        case _:
            return False


def accumulates(config: BotConfig, interval: str = "1m") -> bool:
    """Does each entry add to the one deal of its pair? By default where a schedule enters and nothing takes profit."""
    if config.accumulate is not None or config.take_profit is not None:
        return bool(config.accumulate)
    return is_due_anew(config, interval)


def is_due_anew(config: BotConfig, interval: str = "1m") -> bool:
    """Does a schedule enter? It is true for one moment, so that whenever it is, it is a new signal."""
    try:
        return is_scheduled(entry_tree(config, interval))
    except EntryInvalid:
        return False  # told as a problem of the entry


@lru_cache(maxsize=1024)
def _parsed(text: str, timeframe: str, interval: str) -> Condition:
    """The tree of a condition written as text: it is asked for whenever a group is armed."""
    return resolve(parse(text), timeframe, interval)
