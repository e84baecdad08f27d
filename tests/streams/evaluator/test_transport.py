"""What becomes of a fetch: delivered, or given back so that it is fetched again. Fakes stand for Faust and aiokafka."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from faust.types import TP

from streams.transport import SourceConsumer
from topics.records import Record

KLINES, CHANGELOG = TP("klines", 0), TP("changelog", 0)


def records(tp: TP, first: int, end: int) -> list[Record]:
    return [Record(tp.topic, tp.partition, at, 1, b"", b"") for at in range(first, end)]


class Fetching(SourceConsumer):
    """A consumer with one fetch under way. `position`: where the client reads on, None where nothing is assigned."""

    def __init__(self, position: int | None = 7, *, rebalancing: bool = False) -> None:
        self.delivered: list[TP] = []
        self.sought: list[tuple[TP, int]] = []
        self.fetch: dict[TP, list[Record]] = {}
        self.flow_active = True
        self.before_the_next: Callable[[], None] = lambda: None
        self.place = SimpleNamespace(has_valid_position=True, position=position)
        self.assigned = SimpleNamespace(tps={KLINES, CHANGELOG}, state_value=lambda tp: self.place)
        of_group = SimpleNamespace(assignment=None if position is None else self.assigned)
        client = SimpleNamespace(_subscription=SimpleNamespace(subscription=of_group))
        self.asked = 0
        self.group = SimpleNamespace(consumer_generation_id=1, rebalancing=rebalancing)
        vars(self).update(
            _thread=SimpleNamespace(_ensure_consumer=lambda: client),
            app=self.group,
            _active_partitions={KLINES, CHANGELOG},
            transport=SimpleNamespace(sources=frozenset({"klines"})),
        )

    async def _wait_next_records(self, timeout: float) -> Any:  # noqa: ASYNC109 (Faust's name)
        self.asked += 1
        return self.fetch, None

    async def _deliver(self, tp: TP, records: list[Any]) -> None:
        self.delivered.append(tp)
        self.before_the_next()

    async def seek(self, partition: TP, offset: int) -> None:
        self.sought.append((partition, offset))

    async def drain(self, *fetches: tuple[TP, list[Record]]) -> "Fetching":
        self.fetch = dict(fetches)
        await self._drain_fetch()
        return self


async def test_a_fetch_in_quiet_times_is_delivered() -> None:
    consumer = await Fetching().drain((KLINES, records(KLINES, 3, 7)), (CHANGELOG, records(CHANGELOG, 3, 7)))
    assert (consumer.delivered, consumer.sought) == ([KLINES, CHANGELOG], [])


async def test_during_a_rebalance_sources_are_given_back_and_changelogs_are_delivered() -> None:
    consumer = Fetching(rebalancing=True)
    await consumer.drain((KLINES, records(KLINES, 3, 7)), (CHANGELOG, records(CHANGELOG, 3, 7)))
    assert (consumer.delivered, consumer.sought) == ([CHANGELOG], [(KLINES, 3)])


async def test_while_nothing_is_taken_it_looks_again_soon() -> None:
    consumer = Fetching()
    vars(consumer)["_active_partitions"] = set()
    async with asyncio.timeout(0.9):  # Faust sleeps for 1 s
        await consumer.drain((KLINES, records(KLINES, 3, 7)))
    assert consumer.asked == 0
    vars(consumer)["_active_partitions"] = {CHANGELOG}
    assert (await consumer.drain((CHANGELOG, records(CHANGELOG, 3, 7)))).delivered == [CHANGELOG]
    assert [consumer.takes(tp) for tp in (KLINES, CHANGELOG)] == [False, True]


def test_of_what_is_not_taken_no_error_says_that_it_is_not_fetched() -> None:
    consumer, looked_at = Fetching(), []
    vars(consumer)["_thread"].verify_event_path = lambda now, tp: looked_at.append(tp)
    vars(consumer)["_active_partitions"] = {KLINES}
    for tp in (KLINES, CHANGELOG):
        consumer.verify_event_path(1_000.0, tp)
    assert looked_at == [KLINES]


@pytest.mark.parametrize("change", ["flow stops", "generation moves on"])
async def test_what_is_left_of_a_fetch_when_things_change_in_its_middle_is_given_back(change: str) -> None:
    consumer = Fetching()

    def happens() -> None:
        consumer.flow_active = change != "flow stops"
        consumer.group.consumer_generation_id += change == "generation moves on"

    consumer.before_the_next = happens
    await consumer.drain((CHANGELOG, records(CHANGELOG, 0, 9)), (KLINES, records(KLINES, 3, 7)))
    assert (consumer.delivered, consumer.sought) == ([CHANGELOG], [(KLINES, 3)])


@pytest.mark.parametrize("position", [3, 6, 8, 0])
async def test_where_somebody_has_sought_elsewhere_since_nothing_is_given_back(position: int) -> None:
    consumer = Fetching(rebalancing=True)
    consumer.place.position = position
    assert (await consumer.drain((KLINES, records(KLINES, 3, 7)))).sought == []


async def test_a_position_that_is_not_known_yet_is_left_alone() -> None:
    consumer = Fetching(rebalancing=True)
    consumer.place.has_valid_position = False
    assert (await consumer.drain((KLINES, records(KLINES, 3, 7)))).sought == []


async def test_a_partition_that_has_gone_is_not_given_back() -> None:
    nothing = Fetching(None, rebalancing=True)
    assert (await nothing.drain((KLINES, records(KLINES, 3, 7)))).sought == []
    others = Fetching(rebalancing=True)
    others.assigned.tps = {CHANGELOG}
    assert (await others.drain((KLINES, records(KLINES, 3, 7)))).sought == []
