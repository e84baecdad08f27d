"""Where two results of the same bots part: the first triggers, fills and deals that one has and the other has not."""

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from streams.cli.times import show_time
from streams.engine.backtest.result import BotResult

_MOST: Final = 3
"""Differences told of each bot: the first ones are the cause of the others."""


class _Event(NamedTuple):
    at_ms: int
    words: str
    exactly: Any


def differences(
    one: Sequence[BotResult], other: Sequence[BotResult], names: tuple[str, str], until_ms: int = 1 << 62
) -> list[str]:
    """What happened up to and with `until_ms` in one of two results only, in words. `names` call the two.

    Compared: triggers (their bar, prices and what fired; not what operands were worth), fills, closes of deals.
    """
    found = []
    for mine, theirs in zip(one, other, strict=True):
        found += _of_bot(mine, theirs, names, until_ms)
    return found


def _of_bot(mine: BotResult, theirs: BotResult, names: tuple[str, str], until_ms: int) -> list[str]:
    left, right = (dict.fromkeys(_events(result, until_ms)) for result in (mine, theirs))
    only = [(event, names[0]) for event in left if event not in right]
    only += [(event, names[1]) for event in right if event not in left]
    only.sort(key=lambda pair: (pair[0].at_ms, pair[1]))
    return [
        f"{mine.bot_id}: {show_time(event.at_ms)}: {event.words}, {name} only" for event, name in only[:_MOST]
    ]


def _events(result: BotResult, until_ms: int) -> Iterable[_Event]:
    for trigger in result.triggers:
        bar = trigger.bar
        if bar.close_time_ms <= until_ms:
            fired = tuple((one.alert_id, one.price) for one in trigger.fired)
            yield _Event(
                bar.close_time_ms,
                f"{trigger.action.action_type} fires on {trigger.symbol}",
                (trigger.trigger_id, bar, fired),
            )
    for fill in result.fills:
        if fill.at_ms <= until_ms:
            yield _Event(fill.at_ms, f"{fill.level} fills at {fill.price}", fill)
    for deal in result.deals:
        if deal.closed_at_ms is not None and deal.closed_at_ms <= until_ms:
            yield _Event(deal.closed_at_ms, f"the deal closes with {deal.profit}", deal)
