"""The replay: engine and executor in one process, bar by bar, with no broker and no database. The reference.

A boundary's bars come by symbol, then the ticks of symbols without a bar; a trigger is answered before anything else
happens. So across symbols the order is (close time, symbol, bot), which is law 12's for bots of several symbols.
"""

from collections import deque
from collections.abc import Iterable

from schemas.alerts import GroupCommand
from streams.cli.backtesting.desk import Desk
from streams.cli.replaying.configs import Change
from streams.cli.replaying.engines import Engines
from streams.feeds.ticks import Boundary


class Replay:
    """Feed it boundaries in order; the desk keeps what came of them. `changes`: configs that come on the way."""

    def __init__(
        self, desk: Desk, commands: Iterable[GroupCommand], interval: str = "1m", fill_up_to: int = 5,
        changes: Iterable[Change] = (),
    ) -> None:  # fmt: skip
        self.desk = desk
        self._interval = interval
        self._changes = deque(changes)
        self._engines = Engines(desk.answer, fill_up_to=fill_up_to)
        for command in commands:
            self._engines.tell(command)

    def feed(self, boundary: Boundary) -> None:
        """All bars that close at one instant, and the ticks that follow them."""
        self._change(boundary.time_ms)
        self._engines.boundary(boundary, self._interval)

    def finish(self) -> None:
        """After the last boundary: configs that came when all candles were there already."""
        self._change(None)

    def _change(self, before_ms: int | None) -> None:
        while self._changes and (before_ms is None or self._changes[0].at_ms < before_ms):
            for command in self.desk.change(self._changes.popleft().incoming):
                self._engines.tell(command)


def replay(desk: Desk, commands: Iterable[GroupCommand], source: Iterable[Boundary], interval: str = "1m",
           fill_up_to: int = 5, changes: Iterable[Change] = ()) -> None:  # fmt: skip
    """Run a whole feed."""
    run = Replay(desk, commands, interval, fill_up_to, changes)
    for boundary in source:
        run.feed(boundary)
    run.finish()
