"""The process dies between any two steps of persistence, many times over: nothing is lost, nothing doubled."""

import asyncio

import pytest
from sqlalchemy import Engine, func, select

from sinks.database.tables import outbox
from tests.sinks.conftest import Day
from tests.sinks.loop import Loop, rows
from tests.sinks.scenario import play
from topics.failpoints import Died, armed

POINTS = (
    "executor.claimed",
    "executor.claim_committed",
    "executor.epoch_checked",
    "executor.loaded",
    "executor.decided",
    "executor.bots_saved",
    "executor.books_saved",
    "executor.inbox_saved",
    "executor.outbox_saved",
    "executor.offsets_saved",
    "executor.pruned",
    "executor.committed",
    "relay.read",
    "relay.sent",
    "relay.acknowledged",
    "relay.epoch_checked",
    "relay.forgotten",
    "relay.committed",
)
WANTED = 5


class Deaths:
    """Lets the executor die at one point: at the first passage, then after two more, after three, after one …"""

    def __init__(self, point: str) -> None:
        self.count = 0
        self._point = point
        self._left = 1

    def run(self, loop: Loop) -> None:
        """Like `Loop.run`, with a new executor on the same database after each death."""
        while True:
            try:
                with armed({self._point: self._left} if self.count < WANTED else {}) as points:
                    handled = asyncio.run(loop.worker.run_until_idle())
                    self._left = points.get(self._point, self._left)
            except Died:
                self.count += 1
                self._left = 1 + self.count % 3
                loop.worker.publisher.crash(delivered=self.count % 2 * 3)
                loop.worker.crash()
                loop.worker = loop.start()
                continue
            if not handled + loop.evaluator.run():
                return


@pytest.mark.parametrize("point", POINTS)
def test_dying_there_changes_nothing(sqlite: Engine, day: Day, point: str) -> None:
    loop, deaths = Loop(sqlite), Deaths(point)
    play(loop, deaths.run)
    assert deaths.count >= WANTED
    assert rows(sqlite) == day.rows
    assert loop.told() == day.told
    with sqlite.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(outbox)) == 0
