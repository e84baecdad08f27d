"""What the agent does with fetches: in order, none across a rebalance, none behind a hole."""

from collections.abc import AsyncIterator

from streams.agents import take
from tests.streams.evaluator.test_lane import ONE, Way
from topics.records import Record


def records(*offsets: int) -> list[Record]:
    return [Record(ONE.alerts.name, 0, offset, 1, b"k", b"v") for offset in offsets]


async def stream(*fetches: list[Record]) -> AsyncIterator[list[Record]]:
    for fetch in fetches:
        yield fetch


class Offered:
    """Remembers what was offered, and how often it was asked about a fetch's first record."""

    def __init__(self, *, rebalance_at: int | None = None) -> None:
        self.offsets: list[int] = []
        self.asked: list[int] = []
        self.life = 0
        self._rebalance_at = rebalance_at

    def offer(self, record: Record) -> None:
        self.offsets.append(record.offset)
        if record.offset == self._rebalance_at:
            self.life += 1

    async def missed(self, first: Record) -> bool:
        self.asked.append(first.offset)
        expected = self.offsets[-1] + 1 if self.offsets else 0
        return first.offset > expected

    async def take(self, *fetches: list[Record]) -> None:
        await take(stream(*fetches), self.offer, lambda: self.life, self.missed)


async def test_records_are_offered_in_order() -> None:
    there = Offered()
    await there.take(records(0, 1), records(2))
    assert there.offsets == [0, 1, 2]


async def test_the_rest_of_a_fetch_from_before_a_rebalance_is_dropped() -> None:
    there = Offered(rebalance_at=1)
    await there.take(records(0, 1, 2), records(2, 3))
    assert there.offsets == [0, 1, 2, 3]
    there = Offered(rebalance_at=1)
    await there.take(records(0, 1, 2))
    assert there.offsets == [0, 1]


async def test_a_fetch_behind_a_hole_is_left_until_the_hole_is_filled() -> None:
    there = Offered()
    await there.take(records(0), records(3, 4), records(1, 2), records(3, 4))
    assert there.offsets == [0, 1, 2, 3, 4]
    assert there.asked == [0, 3, 1, 3]


def test_a_lane_expects_what_comes_after_everything_it_was_offered() -> None:
    way = Way()
    topic = ONE.alerts.name
    assert way.lane.expected(topic) == 0
    way.lane.offer(records(0)[0])
    assert way.lane.expected(topic) == 1
