"""The relays of a process: what they hold back, and whom they let pass."""

import asyncio
from collections.abc import Iterator

from sqlalchemy import Engine

from sinks.executor.core import Executor
from sinks.executor.owned import Source
from sinks.metrics import Metrics
from sinks.patience import Patience
from sinks.relays import Relays
from tests.deadline import DEADLINE_S
from tests.sinks.bots import T0, TOPICS, config_out, golden, record_of
from tests.sinks.loop import RULES
from topics.partitioner import partition_for
from topics.records import Outgoing

HOME = partition_for(b"dip", TOPICS.partitions)
SOURCES = [Source(name, name, 0, 10) for name in (TOPICS.configs.name, TOPICS.triggers.name)]


class Sink:
    """Keeps what is sent; `flushing` and `answered` let a test stand between a send and its acknowledgement."""

    def __init__(self) -> None:
        self.sent: list[Outgoing] = []
        self.flushing, self.answered = asyncio.Event(), asyncio.Event()
        self.answered.set()

    def send(self, outgoing: Outgoing) -> None:
        self.sent.append(outgoing)

    async def flush(self) -> None:
        self.flushing.set()
        await self.answered.wait()


def told(engine: Engine) -> Executor:
    """An executor that told something about a bot, whose claim is the second."""
    executor = Executor(engine, TOPICS, RULES)
    executor.apply(executor.claim(HOME, SOURCES), [record_of(config_out(golden()), 0)])
    return executor


async def publish(relays: Relays) -> None:
    relays.end()
    await relays.run()


def test_rows_read_before_a_standstill_are_read_again_before_they_are_sent(sqlite: Engine) -> None:
    """Meanwhile another executor may have published them and newer ones: an old snapshot would be the last."""
    executor = told(sqlite)
    thief: list[int] = []

    def clock() -> Iterator[float]:
        yield 0.0
        thief.append(executor.claim(HOME, SOURCES).epoch)  # what happens while this process stands still
        yield from (100.0, 100.0, 100.1, 100.2)

    async def run() -> Sink:
        sink, ticks = Sink(), clock()
        claim = executor.claim(HOME, SOURCES)
        metrics = Metrics()
        relays = Relays(sqlite, sink, metrics, batch=10, patience=Patience(0), clock=lambda: next(ticks))
        relays.claimed(claim)
        await publish(relays)
        assert list(relays) == []
        return sink

    assert asyncio.run(run()).sent == []
    assert thief == [3]


def test_a_partition_is_not_given_away_between_a_send_and_its_acknowledgement(sqlite: Engine) -> None:
    executor = told(sqlite)

    async def run() -> None:
        sink = Sink()
        sink.answered.clear()
        relays = Relays(sqlite, sink, Metrics(), batch=10, patience=Patience(0))
        relays.claimed(executor.claim(HOME, SOURCES))
        publishing = asyncio.create_task(publish(relays))
        await asyncio.wait_for(sink.flushing.wait(), DEADLINE_S)
        assert relays.publishing.locked()
        sink.answered.set()
        await asyncio.wait_for(publishing, DEADLINE_S)
        assert not relays.publishing.locked()

    asyncio.run(run())


def test_a_trace_context_of_a_megabyte_is_not_copied_into_everything_told(sqlite: Engine) -> None:
    executor = Executor(sqlite, TOPICS, RULES)
    claim = executor.claim(HOME, SOURCES)
    record = record_of(config_out(golden()), 0)._replace(headers=(("traceparent", b"x" * 900_000),))
    executor.apply(claim, [record])

    async def run() -> list[Outgoing]:
        sink = Sink()
        relays = Relays(sqlite, sink, Metrics(), batch=10, patience=Patience(0))
        relays.claimed(claim)
        await publish(relays)
        return sink.sent

    sent = asyncio.run(run())
    assert {out.timestamp_ms for out in sent} == {T0}
    assert all("traceparent" not in dict(out.headers) for out in sent)
