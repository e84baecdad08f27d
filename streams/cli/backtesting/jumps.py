"""A bot from event to event: the executor's decisions, each on the bar that a finder names next."""

from collections.abc import Iterable, Mapping
from heapq import heappop, heappush

from schemas.alerts import GroupCommand
from schemas.triggers import Trigger
from streams.cli.backtesting.desk import Desk
from streams.engine.backtest.finder import STAND_IN, Finder


class Jumps:
    """`finders` by symbol; a symbol without candles brings nothing."""

    def __init__(self, desk: Desk, finders: Mapping[str, Finder]) -> None:
        self.desk = desk
        self._finders = finders
        self._armed: dict[str, int] = {}
        self._queue: list[tuple[tuple[int, bool, str, int, str], int, Trigger]] = []

    def run(self, commands: Iterable[GroupCommand]) -> None:
        """Until nothing fires any more. Raises BarByBar before anything that only an evaluator decides."""
        for command in commands:
            self._take(command)
        while self._queue:
            _, generation, trigger = heappop(self._queue)
            if self._armed.get(trigger.group_id) != generation:
                continue
            for command in self.desk.answer(trigger):
                self._take(command)

    def _take(self, command: GroupCommand) -> None:
        if command.op == "remove":
            self._armed.pop(command.group_id, None)
            return
        self._armed[command.group_id] = command.generation
        finder = self._finders.get(command.symbol)
        found = finder.find(command) if finder is not None else None
        if found is not None:
            when, trigger = found
            order = (when.comes_ms, when.row == STAND_IN, command.symbol, when.row, command.group_id)
            heappush(self._queue, (order, command.generation, trigger))
