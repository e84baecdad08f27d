"""Which config governs which bar, and what entry group a pair should have now. Pure.

Configs and triggers arrive on two topics, so a config may be read before or after a trigger of a bar that
closed before it. That must not matter: a config governs the bars that open at or after its `from_ms`
(`effective_from_ms` rounded up to a base bar), whenever it is read. So an edit or a pause does not replace an
armed entry group at once. If the group's members would change, it is armed again from the *same* instant (law
7: no trigger caused this) with one more member `at` the change; a fire from before the change comes again and
counts under the old config, and the trigger of the `at` member is answered by what the next config wants. A
change that an entry group does not show (volumes, targets) leaves it armed as it is.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from schemas.alerts import WhenTrue
from schemas.bots import BotConfig
from sinks.executor.state import Accepted, Pair
from streams.engine import dca
from streams.engine.kinds import Ending, deletion, starts_once

_MOST_UNSEEN: Final = 32
"""So many changes that do not show, and the group ends all the same: its answer says which configs are over."""


class Plan(NamedTuple):
    """An entry group to be armed: the cooldown alone, a delayed start alone, or the entry, which may end at a change of
    config.
    """

    accepted: Accepted
    armed_from_ms: int
    when_true: WhenTrue
    cooldown_until_ms: int | None
    end_at_ms: int | None
    start_at_ms: int | None = None


class Standing(NamedTuple):
    """What decides beside the configs whether a pair wants an entry.

    `opened`: deals that the bot ever opened; `here`: deals open on the pair; `alone`: one of them must stay alone, for
    its alerts are in no order with others'; `adds_to`: one of them is what entries add to.
    """

    opened: int = 0
    here: int = 0
    alone: bool = False
    adds_to: bool = False

    def room(self, config: BotConfig) -> bool:
        """May an entry do something here?"""
        if self.alone:
            return False
        if self.adds_to and dca.accumulates(config):
            return True
        most = config.disable_after_deals
        return (most is None or self.opened < most) and self.here < config.max_active_deals_per_pair


_NOTHING_OPEN: Final = Standing()


def round_up(time_ms: int, interval_ms: int) -> int:
    """The first boundary of `interval_ms` at or after `time_ms`."""
    return -(-time_ms // interval_ms) * interval_ms


def governing(configs: Sequence[Accepted], open_time_ms: int) -> Accepted | None:
    """The config for a bar that opens at `open_time_ms`: the one accepted last of those that have begun."""
    return next((c for c in reversed(configs) if c.from_ms <= open_time_ms), None)


def next_change(configs: Sequence[Accepted], after_ms: int) -> Accepted | None:
    """The config that takes over next after the one that governs at `after_ms`, at its own `from_ms`."""
    now = governing(configs, after_ms)
    later = [c for c in configs if c.from_ms > after_ms and (now is None or c.seq > now.seq)]
    return governing(later, min(c.from_ms for c in later)) if later else None


def still_governing(configs: Sequence[Accepted], from_ms: int) -> tuple[Accepted, ...]:
    """Without those that govern no bar opening at or after `from_ms`; the newest always stays."""
    kept: list[Accepted] = []
    earliest: int | None = None
    for config in reversed(configs):
        if earliest is None or config.from_ms < earliest:
            kept.append(config)
            earliest = config.from_ms
            if config.from_ms <= from_ms:
                break
    return tuple(reversed(kept))


def plan_entry(configs: Sequence[Accepted], pair: Pair, standing: Standing = _NOTHING_OPEN) -> Plan | None:
    """The entry of a pair; None: no config, now or later, wants one."""
    at = pair.free_from_ms
    accepted = governing(configs, at)
    if pair.start_at_ms is not None and accepted is not None:
        return Plan(accepted, at, "wait", None, None, pair.start_at_ms)
    while accepted is None or not accepted.enters(pair.symbol) or not _room(accepted, pair, standing):
        accepted = next_change(configs, at)
        if accepted is None:
            return None
        at = accepted.from_ms
    if pair.cooldown_until_ms is not None and pair.cooldown_until_ms > at:
        return Plan(accepted, at, "wait", pair.cooldown_until_ms, None)
    anew = starts_once(accepted.config) or dca.is_due_anew(accepted.config)
    seen = pair.seen_signal == accepted.signal and not anew
    when_true: WhenTrue = "wait" if seen else "fire"
    return Plan(accepted, at, when_true, None, _end(configs, accepted, at, pair.symbol))


def ending_of(configs: Sequence[Accepted], opened_ms: int, base_ms: int) -> Ending | None:
    """How a deal of a bar that opened at `opened_ms` must end, because its bot will be deleted by then."""
    change = next_change(configs, opened_ms)
    while change is not None:
        if change.config.state == "deleted" and (end := deletion(change.config, change.from_ms + base_ms)):
            return end
        change = next_change(configs, change.from_ms)
    return None


def _room(accepted: Accepted, pair: Pair, standing: Standing) -> bool:
    return standing.room(accepted.config) and not over(accepted, pair)


def over(accepted: Accepted, pair: Pair) -> bool:
    """A config that opens one deal only does not open another after one that ended while it was there."""
    acted = pair.seen_signal is not None
    return acted and starts_once(accepted.config) and accepted.from_ms < pair.free_from_ms


def _end(configs: Sequence[Accepted], accepted: Accepted, at: int, symbol: str) -> int | None:
    change, unseen = next_change(configs, at), 1
    while change is not None:
        if not change.enters(symbol) or change.shape != accepted.shape or unseen >= _MOST_UNSEEN:
            return change.from_ms
        change, unseen = next_change(configs, change.from_ms), unseen + 1
    return None
