"""In which order the evaluator is told the recorded commands again. Pure.

Live, a command comes some time after what caused it. The replay knows only what was caused: an *answer* (the next
generation after a trigger, or a removal) is given the moment the replay fires that trigger; any other change of a group
(an edit, a pause, a deletion) when event time has come to its record. What fired under a generation that such a change
replaced is ignored by the executor whenever it was sent, so it is left out of the comparison.
"""

from collections.abc import Collection, Iterable, Iterator

from schemas.alerts import GroupCommand

Key = tuple[str, int]
"""A group's id and a generation."""


class Script:
    """The commands of one group, each with the event time of its record, in the order of the topic."""

    def __init__(self, commands: Iterable[tuple[int, GroupCommand]], fired: Collection[Key]) -> None:
        self._commands = list(commands)
        self._fired = fired
        self._next = 0

    @property
    def group_id(self) -> str:
        return self._commands[0][1].group_id

    @property
    def first_generation(self) -> int:
        """The oldest that the topic still has; of older ones nobody can tell what armed them."""
        return self._commands[0][1].generation

    def superseded(self) -> Iterator[Key]:
        """Generations that were replaced by something else than the answer to their trigger."""
        for place in range(len(self._commands) - 1):
            if not self._answers(place + 1):
                yield self.group_id, self._commands[place][1].generation

    def due(self, now_ms: int) -> Iterator[GroupCommand]:
        """What is to be told now that event time is at `now_ms`, answers apart."""
        while self._next < len(self._commands) and not self._answers(self._next):
            time_ms, command = self._commands[self._next]
            if time_ms > now_ms and self._next:
                return
            self._next += 1
            yield command

    def answer(self, generation: int) -> Iterator[GroupCommand]:
        """What was answered to the trigger of that generation."""
        before = self._next - 1
        if before < 0 or self._commands[before][1].generation != generation:
            return
        if self._next < len(self._commands) and self._answers(self._next):
            self._next += 1
            yield self._commands[before + 1][1]

    def _answers(self, place: int) -> bool:
        """Whether the command at `place` answers the trigger of the one before: it sees other bars, or takes the group
        away, after that fired.
        """
        if place == 0:
            return False
        before, command = self._commands[place - 1][1], self._commands[place][1]
        if (before.group_id, before.generation) not in self._fired:
            return False
        return command.op == "remove" or command.armed_from_ms > before.armed_from_ms
