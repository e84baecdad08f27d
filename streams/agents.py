"""The Faust agent: every record of the three source topics goes to the station, as raw bytes.

One agent reads all three topics and all partitions: it never waits (what must wait is queued in the
partition's lane), so isolating partitions would only add actors that start and stop in every rebalance. Its
events are whole fetches (see SourceConsumer). Faust acks nothing here; the checkpoint commits offsets.
"""

import asyncio
from collections.abc import AsyncIterable, Awaitable, Callable
from typing import Any, Final

from faust import App

from topics.records import Record

_SLICE: Final = 100
"""Records handled before other tasks get their turn."""


def source_topic(app: App, *names: str) -> Any:
    """The source topics as one channel, without Faust's ack bookkeeping."""
    return app.topic(
        *names, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw", acks=False,
        internal=False, allow_empty=True,
    )  # fmt: skip


def evaluator_agent(
    app: App,
    topic: Any,
    offer: Callable[[Record], None],
    epoch: Callable[[], int],
    missed: Callable[[Record], Awaitable[bool]],
) -> Any:
    """Attach the agent. What `offer` raises must end the process (see EvaluatorApp): Faust would skip and go on."""

    async def evaluate(stream: Any) -> None:
        await take(stream.noack(), offer, epoch, missed)

    return app.agent(topic, name="evaluator", concurrency=1)(evaluate)


async def take(
    fetches: AsyncIterable[list[Record]],
    offer: Callable[[Record], None],
    epoch: Callable[[], int],
    missed: Callable[[Record], Awaitable[bool]],
) -> None:
    """Offer the records of each fetch, in order.

    `epoch` changes when partitions come or go: the rest of a fetch is of the old life then. `missed` tells of a fetch's
    first record whether others that exist should have come before it, and sees to it that they come.
    """
    async for fetch in fetches:
        life = epoch()
        if await missed(fetch[0]):
            continue
        for count, record in enumerate(fetch, 1):
            if epoch() != life:
                break
            offer(record)
            if count % _SLICE == 0:
                await asyncio.sleep(0)
