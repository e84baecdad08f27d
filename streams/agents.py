"""The Faust agent: every record of the three source topics goes to the station, as raw bytes.

One agent reads all three topics and all partitions: it never waits (what must wait is queued in the
partition's lane), so isolating partitions would only add actors that start and stop in every rebalance. Its
events are whole fetches (see SourceConsumer). Faust acks nothing here; the checkpoint commits offsets.
"""

import asyncio
from collections.abc import Callable
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


def evaluator_agent(app: App, topic: Any, offer: Callable[[Record], None], epoch: Callable[[], int]) -> Any:
    """Attach the agent. `epoch` changes when partitions come or go: the rest of a fetch is of the old life
    then.

    What `offer` raises must end the process (see EvaluatorApp): Faust would skip and go on.
    """

    async def evaluate(stream: Any) -> None:
        async for fetch in stream.noack():
            life = epoch()
            for count, record in enumerate(fetch, 1):
                if epoch() != life:
                    break
                offer(record)
                if count % _SLICE == 0:
                    await asyncio.sleep(0)

    return app.agent(topic, name="evaluator", concurrency=1)(evaluate)
