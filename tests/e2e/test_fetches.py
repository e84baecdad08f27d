"""The client's fetches on a real broker: what lay unread is asked for again as soon as it was taken."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from streams.fetches import plan_fetches
from tests.e2e.stage import Stage
from topics.broker.choose import Broker
from topics.records import Outgoing

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

ENDLESS_MS = 25_000
DEADLINE_S = 10.0
"""Far below what an empty fetch waits on the broker, far above what a busy machine takes."""


@pytest.fixture
def stage(kafka: Broker, tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(kafka.bootstrap, tmp_path)
    yield stage
    stage.close()


async def _until(reached: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not reached():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def _second_of_one_that_lay_unread(stage: Stage) -> Any:
    spec = stage.topics.klines
    busy, quiet = TopicPartition(spec.name, 0), TopicPartition(spec.name, 1)
    client = AIOKafkaConsumer(
        bootstrap_servers=stage.kafka.bootstrap, fetch_max_wait_ms=ENDLESS_MS, auto_offset_reset="earliest"
    )
    client.assign([busy, quiet])
    await client.start()
    fetcher = client._fetcher
    plan_fetches(fetcher, lambda tp: True, frozenset({spec.name}))
    try:
        await asyncio.to_thread(stage.send, Outgoing(spec.name, b"", b"first", 1, partition=0))
        # The client has it, waits in vain for somebody to take it, and then asks for the other partition alone.
        await _until(lambda: busy in fetcher._records and bool(fetcher._in_flight))
        async with asyncio.timeout(DEADLINE_S):
            assert (await client.getone(busy)).value == b"first"
            await asyncio.to_thread(stage.send, Outgoing(spec.name, b"", b"second", 1, partition=0))
            return (await client.getone(busy)).value
    finally:
        await client.stop()


def test_what_lay_unread_does_not_wait_for_a_fetch_that_leaves_it_out(stage: Stage) -> None:
    assert asyncio.run(_second_of_one_that_lay_unread(stage)) == b"second"
