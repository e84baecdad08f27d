"""The entry condition as a tree, nothing left implicit: what a GroupCommand may carry."""

from functools import lru_cache

from schemas.bots import BotConfig
from schemas.conditions import Condition, ConditionError, condition_from_json
from streams.engine.conditions.expression import parse
from streams.engine.conditions.resolve import resolve


class EntryInvalid(ValueError):
    """The entry condition is refused: `field` is `entry`, or the path in its tree; `reason` says why.

    For an entry written as text the reason names the column.
    """

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


def entry_tree(config: BotConfig, interval: str = "1m") -> Condition:
    """The entry of `config` on base bars of `interval`. Raises EntryInvalid."""
    raw = config.entry
    if raw in ("", {}):
        raise EntryInvalid("entry", "a bot needs an entry condition, such as rsi(14) < 30")
    try:
        if isinstance(raw, str):
            return _parsed(raw, config.timeframe, interval)
        return resolve(condition_from_json(raw), config.timeframe, interval)
    except ConditionError as error:
        if isinstance(raw, str) or not error.path:
            raise EntryInvalid("entry", str(error)) from error
        raise EntryInvalid(f"entry.{error.path}", error.reason) from error


@lru_cache(maxsize=1024)
def _parsed(text: str, timeframe: str, interval: str) -> Condition:
    """The tree of an entry written as text: it is asked for whenever an entry group is armed."""
    return resolve(parse(text), timeframe, interval)
