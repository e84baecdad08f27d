"""Which command was in force on a bar: the newest that saw it (law 7)."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from schemas.alerts import AlertCommand, GroupCommand
from streams.engine.groups.arming import first_bar_ms


class Candidate(NamedTuple):
    """A command, its generation (an alert's is its offset), and the event time of its record: when it was given."""

    command: AlertCommand | GroupCommand
    generation: int
    given_ms: int

    @property
    def name(self) -> str:
        """Of the group or alert."""
        return self.command.alert_id if isinstance(self.command, AlertCommand) else self.command.group_id

    @property
    def arms(self) -> bool:
        """Whether it arms, rather than deletes or removes."""
        if isinstance(self.command, AlertCommand):
            return self.command.state == "active"
        return self.command.op == "arm"

    def sees_from_ms(self, base: str) -> int:
        """Open time of the first bar it is in force on; for one that ends, from when it was given."""
        command = self.command
        if isinstance(command, GroupCommand):
            return command.armed_from_ms if self.arms else first_bar_ms(self.given_ms, base)
        since = self.given_ms if command.effective_from_ms is None else command.effective_from_ms
        return first_bar_ms(since, base)

    def has(self, alert_id: str) -> bool:
        """Whether it is this alert's, or that of a group with such a member."""
        if isinstance(self.command, AlertCommand):
            return self.command.alert_id == alert_id
        return any(member.alert_id == alert_id for member in self.command.members)


def accepted(commands: Iterable[Candidate]) -> list[Candidate]:
    """What the evaluator took of one name's commands, in the order of their offsets: none of an older generation,
    none of another user while the alert lived.
    """
    taken: dict[str, list[Candidate]] = {}
    for one in commands:
        before = taken.setdefault(one.name, [])
        if before and one.generation <= before[-1].generation:
            continue
        foreign = before and before[-1].command.user_id != one.command.user_id and before[-1].arms
        if not (foreign and isinstance(one.command, AlertCommand)):
            before.append(one)
    return [one for found in taken.values() for one in found]


def in_force(commands: Sequence[Candidate], alert_id: str, open_time_ms: int, base: str) -> Candidate | None:
    """The command of `alert_id` that was in force on the bar that opened then; None: none was yet.

    Several groups may have had a member of that name, one after the other: the newest that has it then, or else the
    newest that had it.
    """
    newest: dict[str, Candidate] = {}
    for one in accepted(commands):
        if one.sees_from_ms(base) <= open_time_ms:
            newest[one.name] = one
    found = sorted(newest.values(), key=lambda one: (one.has(alert_id) and one.arms, one.generation))
    return found[-1] if found else None


def earliest(commands: Sequence[Candidate], alert_id: str, base: str) -> Candidate:
    """The first command that was to arm `alert_id`, for bars before any was in force."""
    arming = [one for one in accepted(commands) if one.arms and one.has(alert_id)]
    return min(arming or commands, key=lambda one: one.sees_from_ms(base))
