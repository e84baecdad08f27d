"""When a grid starts: on a bar that closes inside its range, and on which its entry condition, if any, is true."""

from schemas.bots import BotConfig
from schemas.conditions import All, Compare, Condition, Const, Price
from streams.engine.conditions.resolve import resolve
from streams.engine.dca.entry import EntryInvalid, entry_tree


def starts_once(config: BotConfig) -> bool:
    """A grid without an entry condition starts once for each config that is accepted; a stop ends it for good."""
    return config.kind == "grid" and config.entry in ("", {})


def start_tree(config: BotConfig, interval: str = "1m") -> Condition:
    """The condition of its entry group, on base bars of `interval`. Raises EntryInvalid."""
    if config.grid is None:
        raise EntryInvalid("grid", "a bot of kind grid needs a grid")
    close = Price("close")
    inside: tuple[Condition, ...] = (
        Compare("gte", close, Const(float(config.grid.lower))),
        Compare("lte", close, Const(float(config.grid.upper))),
    )
    inside = tuple(resolve(part, interval, interval) for part in inside)
    if starts_once(config):
        return All(inside)
    return All((*inside, entry_tree(config, interval)))
