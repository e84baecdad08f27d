"""An executor that gets nowhere ends, and says where."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any, NoReturn

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaConnectionError

from sinks.config import ExecutorSettings
from sinks.database.engine import open_engine
from sinks.errors import BeyondEnd, RecordsLost
from sinks.executor.core import Executor
from sinks.executor.owned import Claim
from sinks.kafka import KafkaExecutor
from sinks.metrics import Metrics
from sinks.patience import Patience
from sinks.watchdog import NO_PROGRESS, Watchdog
from tests.sinks.bots import TOPICS
from tests.sinks.loop import RULES
from topics.bus import MemoryBus, MemoryPublisher
from topics.records import Record

TRIGGERS = TopicPartition(TOPICS.triggers.name, 1)
CONFIGS = TopicPartition(TOPICS.configs.name, 1)


class Ended(Exception):
    """Stands for the end of the process."""


def _end(code: int) -> NoReturn:
    raise Ended(code)


class Sights:
    """What a watchdog sees, one look after the other; `now` is its clock."""

    def __init__(self, *looks: tuple[float, Mapping[str, object] | Exception]) -> None:
        self.now = 0.0
        self._looks = list(looks)
        self.dog = Watchdog(self.look, 60.0, lambda: self.now, _end)

    async def look(self) -> Mapping[str, object]:
        self.now, seen = self._looks.pop(0)
        if isinstance(seen, Exception):
            raise seen
        return seen

    def play(self) -> None:
        while self._looks:
            asyncio.run(self.dog.check())


def test_a_partition_that_stands_still_ends_the_process_though_another_moves(caplog) -> None:
    caplog.set_level(logging.CRITICAL)
    sights = Sights((0, {"t[0]": 5, "t[1]": 5}), (40, {"t[0]": 5, "t[1]": 6}), (80, {"t[0]": 5, "t[1]": 7}))
    with pytest.raises(Ended) as ended:
        sights.play()
    assert ended.value.args == (NO_PROGRESS,)
    assert "t[0] (at 5)" in caplog.text
    assert "t[1]" not in caplog.text


def test_a_broker_that_does_not_answer_is_no_progress(caplog) -> None:
    sights = Sights((0, {}), (10, TimeoutError()), (40, OSError()), (71, TimeoutError()))
    with pytest.raises(Ended):
        sights.play()
    assert "broker" in caplog.text


def test_a_broker_that_answers_again_in_time_ends_nothing() -> None:
    Sights((0, {"t[0]": 1}), (30, TimeoutError()), (59, {"t[0]": 2}), (110, {"t[0]": 3}), (160, {})).play()


class Broker:
    """A consumer's view of a broker: where topics begin and end, and how far it has read."""

    def __init__(self, begin: int, end: int, position: int) -> None:
        self._begin, self._end, self._position = begin, end, position
        self.away = False

    def assignment(self) -> set[TopicPartition]:
        return {TRIGGERS, CONFIGS}

    async def beginning_offsets(self, places: list[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(places, self._begin)

    async def end_offsets(self, places: list[TopicPartition]) -> dict[TopicPartition, int]:
        if self.away:
            raise KafkaConnectionError("away")
        return dict.fromkeys(places, self._end)

    async def position(self, place: TopicPartition) -> int:
        return self._position if place == TRIGGERS else self._end


async def running(sqlite: Any, broker: Broker, expected: int = 100) -> KafkaExecutor:
    executor = Executor(sqlite, TOPICS, RULES)
    publisher = MemoryPublisher(MemoryBus(*TOPICS.all()))
    made = KafkaExecutor(ExecutorSettings(partitions=3), executor, publisher, Metrics())
    await made._consumer.stop()
    made._consumer = broker
    made._next = {TRIGGERS: expected, CONFIGS: expected}
    made._relays.claimed(Claim(1, 1, {}, {}))
    return made


def behind(sqlite: Any, broker: Broker, *, claimed: bool = True) -> dict[str, object]:
    async def look() -> dict[str, object]:
        made = await running(sqlite, broker)
        if not claimed:
            made._relays.released(1)
        return await made._look()

    return asyncio.run(look())


def test_what_is_read_to_its_end_is_not_behind(sqlite) -> None:
    assert behind(sqlite, Broker(0, 100, 100)) == {}


def test_a_partition_with_lag_is_behind_with_its_address_and_place(sqlite) -> None:
    assert behind(sqlite, Broker(0, 120, 100)) == {f"{TRIGGERS.topic}[1]": "offset 100, claim 100"}


def test_a_partition_that_is_ours_for_the_group_and_anothers_for_the_database_is_behind(sqlite) -> None:
    """Nobody reads it, lag or not: only a new assignment brings a new claim."""
    assert set(behind(sqlite, Broker(0, 100, 100), claimed=False)) == {
        f"{TRIGGERS.topic}[1]",
        f"{CONFIGS.topic}[1]",
    }


def test_a_broker_away_is_told_to_the_watchdog_as_silence(sqlite) -> None:
    broker = Broker(0, 1, 0)
    broker.away = True
    with pytest.raises(TimeoutError):
        behind(sqlite, broker)


def away(seconds: float) -> dict[str, object]:
    """What is named while the database has not answered for so long; it is waited for 180 seconds."""

    class Waiting(Patience):
        @property
        def away_s(self) -> float:
            return seconds

    async def look(sqlite: Any = None) -> dict[str, object]:
        made = await running(sqlite, Broker(0, 120, 100))
        made._patience = Waiting(180)
        return await made._look()

    engine = open_engine("sqlite://")
    try:
        return asyncio.run(look(engine))
    finally:
        engine.dispose()


def test_while_the_database_is_waited_for_nobody_else_is_behind_and_time_is_progress() -> None:
    assert away(10.0) != away(20.0)
    assert set(away(10.0)) == {"database"}


def test_a_database_that_is_away_for_longer_than_it_is_waited_for_makes_no_progress() -> None:
    assert away(190.0) == away(230.0) != away(170.0)
    assert set(away(0.0)) == {f"{TRIGGERS.topic}[1]"}


@pytest.mark.parametrize(
    "place, found, begin, error",
    [
        (TRIGGERS, 100, 0, None),
        (TRIGGERS, 0, 0, BeyondEnd),  # the log was cut off behind our back and the client began anew
        (CONFIGS, 0, 0, BeyondEnd),
        (TRIGGERS, 130, 130, RecordsLost),  # retention was faster than we
        (TRIGGERS, 130, 0, None),  # numbers that carry no record
        (CONFIGS, 130, 130, None),  # compaction
    ],
)
def test_a_reader_that_the_broker_moved_stops_with_a_message(sqlite, place, found, begin, error) -> None:
    record = Record(place.topic, 1, found, 0, b"dip", b"{}")

    async def check() -> None:
        made = await running(sqlite, Broker(begin, 140, 140))
        await made._unbroken([record])

    if error is None:
        asyncio.run(check())
    else:
        with pytest.raises(error):
            asyncio.run(check())
