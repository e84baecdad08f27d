"""The reconciler beside an executor: for its partitions only, told once, and never worth the executor's life."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException
from sqlalchemy import Engine, update
from sqlalchemy.exc import ProgrammingError

from schemas.events import BotEvent
from sinks.database.tables import bots, groups
from sinks.executor.owned import Claim
from sinks.metrics import Metrics
from sinks.reconciler.books import TopicBounds
from sinks.reconciler.following import BusLog
from sinks.reconciler.metrics import ReconcilerMetrics
from sinks.reconciler.reconciler import Look, Reconciler
from sinks.reconciler.running import Reconciling
from tests.deadline import DEADLINE_S
from tests.sinks.bots import TOPICS
from tests.sinks.loop import Loop, rows
from tests.sinks.scenario import play
from tests.sinks.test_patience import of_postgresql
from topics.bus import MemoryPublisher


class Owned:
    """An executor's relays, as the reconciler sees them."""

    def __init__(self, loop: Loop) -> None:
        self.publishing = asyncio.Lock()
        self._loop = loop

    def claims(self) -> tuple[Claim, ...]:
        return tuple(claim for _, claim in sorted(self._loop.worker._claims.items()))


class Beside:
    """A reconciler beside the executor of `loop`."""

    def __init__(self, loop: Loop, log: Any = None) -> None:
        self.loop = loop
        self.metrics = Metrics()
        self.reconciler = Reconciler(loop.engine, TOPICS, log or BusLog(loop.bus))
        self.running = Reconciling(
            self.reconciler, Owned(loop), MemoryPublisher(loop.bus), TOPICS,
            ReconcilerMetrics(self.metrics.registry, lambda: 1_234.0), every_s=0.01,
        )  # fmt: skip

    def go_round(self, times: int = 1) -> None:
        for _ in range(times):
            asyncio.run(self.running.go_round())

    def told(self) -> list[BotEvent]:
        return [event for event in self.loop.events if event.event.startswith("difference")]

    def metric(self, name: str, **labels: str) -> float | None:
        return self.metrics.registry.get_sample_value(f"strikeline_reconciler_{name}", labels)


@pytest.fixture
def beside(sqlite: Engine) -> Beside:
    loop = Loop(sqlite)
    play(loop)
    return Beside(loop)


def players(beside: Beside) -> list[str]:
    """The day's bots."""
    return [row[0] for row in rows(beside.loop.engine, "bots")["bots"]]


def spoil(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(update(bots).values(realized_profit="1000"))


def test_a_difference_is_an_event_and_a_metric(beside: Beside) -> None:
    beside.go_round()
    assert beside.told() == []
    assert beside.metric("differences", kind="bot_differs") == 0
    assert beside.metric("last_look_timestamp_seconds") == 1_234.0
    spoil(beside.loop.engine)
    beside.go_round(3)
    told = beside.told()
    assert sorted(event.subject for event in told) == players(beside)
    assert {event.reason.partition(":")[0] for event in told} == {"bot_differs"}
    assert {event.user_id for event in told} == {"alice", "bob"}
    assert beside.metric("differences", kind="bot_differs") == len(told)
    assert beside.metric("told_total", kind="bot_differs") == len(told)


def test_it_is_told_where_the_events_of_its_subject_are(beside: Beside) -> None:
    """A reader of one bot's events finds it among them."""
    spoil(beside.loop.engine)
    beside.go_round()
    for record in beside.loop.bus.records(TOPICS.events.name):
        if dict(record.headers)["ce_id"].startswith(b"difference:"):
            assert record.key == dict(record.headers)["ce_id"].split(b":")[2]


def test_a_partition_that_went_is_no_more_looked_at(beside: Beside) -> None:
    spoil(beside.loop.engine)
    beside.go_round()
    beside.loop.worker.crash()
    beside.go_round()
    assert beside.metric("differences", kind="bot_differs") == 0
    assert len(beside.told()) == len(players(beside))


def test_what_another_executor_claimed_is_left_to_it(beside: Beside) -> None:
    spoil(beside.loop.engine)
    other = beside.loop.start(owner="other")
    beside.loop.worker.consumer.crash()  # the group gives all to the other, and ours does not know
    asyncio.run(other.run_until_idle())
    beside.go_round()
    assert beside.told() == []


class Away:
    """A broker that does not answer."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def bounds(self, topic: str, partition: int) -> TopicBounds:
        raise self._error

    def read(self, topic: str, partition: int, offset: int, limit: int) -> Iterable[Any]:
        raise self._error


class Refusing(Reconciler):
    """A database that refuses, or rows that cannot be compared."""

    def __init__(self, refuse: Callable[[], Exception]) -> None:
        self._refuse = refuse

    def look(self, partition: int, epoch: int | None = None) -> Look | None:
        raise self._refuse()


@pytest.mark.parametrize("error", [KafkaException(KafkaError(KafkaError._TIMED_OUT)), TimeoutError("slow")])
def test_a_broker_that_is_away_is_counted(beside: Beside, error: Exception) -> None:
    beside = Beside(beside.loop, Away(error))
    beside.go_round(2)
    assert beside.metric("failed_looks_total") == 2 * TOPICS.partitions
    assert beside.metric("last_look_timestamp_seconds") == 0


@pytest.mark.parametrize(
    "refuse", [lambda: of_postgresql("57P03"), lambda: ValueError("a row from tomorrow")]
)
def test_what_cannot_be_compared_now_does_not_end_the_executor(
    beside: Beside, refuse: Callable[[], Exception]
) -> None:
    beside.running._reconciler = Refusing(refuse)
    beside.go_round()
    assert beside.metric("failed_looks_total") == TOPICS.partitions


def test_a_defect_of_its_own_queries_does(beside: Beside) -> None:
    beside.running._reconciler = Refusing(
        lambda: ProgrammingError("SELECT", None, Exception("no such column"))
    )
    with pytest.raises(ProgrammingError):
        beside.go_round()


def test_a_row_that_nobody_can_read_is_told_in_the_log(
    beside: Beside, caplog: pytest.LogCaptureFixture
) -> None:
    with beside.loop.engine.begin() as connection:
        connection.execute(update(groups).values(command="{"))
    beside.go_round()
    assert "cannot be compared" in caplog.text
    assert beside.metric("failed_looks_total")


def test_it_goes_round_until_it_is_told_to_end(beside: Beside) -> None:
    spoil(beside.loop.engine)

    async def run() -> None:
        running = asyncio.create_task(beside.running.run())
        async with asyncio.timeout(DEADLINE_S):
            while len(beside.told()) < len(players(beside)):  # noqa: ASYNC110 (there is nothing to wait for but a topic)
                await asyncio.sleep(0.01)
            beside.running.end()
            await running

    asyncio.run(run())
