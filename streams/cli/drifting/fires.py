"""What users' alerts fired, of which the recorded and the replayed are to be the same. Pure."""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from schemas.alerts import AlertCommand
from schemas.triggers import Fired
from streams.cli.replaying.alerts import Key, Scripts

Named = tuple[str, str]
"""Symbol and fired_id: an alert's id is one per symbol."""


class Comparable(NamedTuple):
    """The fires to be held against each other, and in words why others are not."""

    recorded: dict[Named, Fired]
    replayed: dict[Named, Fired]
    unchecked: list[str]


def comparable(
    alerts: Scripts, replayed: Iterable[Fired], in_window: Callable[[int], bool], cut: Mapping[str, int]
) -> Comparable:
    """Left out: what the topic has no command of any more; alerts that count forming bars (law 12); alerts older than
    the first kline there is, `cut` by symbol, where klines before it are gone.
    """
    commands = alerts.commands
    why = {key: reason for key, command in commands.items() if (reason := _beyond(command, cut))}
    reasons: dict[str, int] = {}

    def kept(fires: Iterable[Fired], *, count: bool) -> dict[Named, Fired]:
        found: dict[Named, Fired] = {}
        for fired in fires:
            if not in_window(fired.bar.close_time_ms):
                continue
            key: Key = fired.symbol, fired.alert_id, fired.generation
            reason = why.get(
                key, "" if key in commands else "the topic has no command of their alert any more"
            )
            if not reason:
                found[fired.symbol, fired.fired_id] = fired
            elif count:
                reasons[reason] = reasons.get(reason, 0) + 1
        return found

    was, now = kept(alerts.fires.values(), count=True), kept(replayed, count=False)
    return Comparable(was, now, [f"{number:,} fires: {reason}" for reason, number in sorted(reasons.items())])


def _beyond(command: AlertCommand, cut: Mapping[str, int]) -> str:
    if command.on == "tick":
        return "alerts on tick, which fire on bars still forming, are outside the parity of closed bars"
    if (command.effective_from_ms or 0) < cut.get(command.symbol, 0):
        return "their alert is older than the first kline of its symbol that the topic still has"
    return ""
