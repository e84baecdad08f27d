"""The whole pipeline in one process: feed, evaluator and executor on the in-process bus, and a database.

The parts are those that run on Kafka; only the bus and the two drivers differ. Tests use it, and the demo
where there is no broker.
"""

import time
from collections.abc import Callable, Iterable
from itertools import chain, islice

from sqlalchemy import Engine

from schemas.alerts import AlertCommand
from schemas.bots import BotConfig
from schemas.market import Kline
from schemas.message import Message
from sinks.database.engine import open_engine
from sinks.database.migrate import upgrade
from sinks.executor.decision import Rules
from sinks.inprocess import ExecutorWorker
from sinks.venues.paper import Paper
from streams.cli.cluster import MemoryCluster
from streams.feeds.publish import Feed, Published
from streams.feeds.ticks import Boundary, boundaries
from streams.inprocess import EvaluatorWorker
from topics.bus.memory import MemoryBus
from topics.bus.publisher import MemoryPublisher
from topics.codec import cloud_headers, decode, encode
from topics.records import Outgoing
from topics.registry import Topics
from topics.spec import TopicSpec

_STEP = 200
"""Boundaries that are fed before the parts take their turns."""


class NeverIdle(RuntimeError):
    """The parts went on answering each other: a defect, never a matter of patience."""


class Pipeline:
    """Feeds and configs in, triggers and deals out. Close it when done; the database stays."""

    def __init__(
        self,
        database: str | Engine,
        topics: Topics | None = None,
        *,
        rules: Rules | None = None,
        seed: int | None = None,
    ) -> None:
        self.topics = topics or Topics(partitions=4)
        self.bus = MemoryBus(*self.topics.all())
        self.cluster = MemoryCluster(self.bus)
        self.engine = open_engine(database) if isinstance(database, str) else database
        upgrade(self.engine)
        self.evaluator = EvaluatorWorker(self.bus, self.topics, seed=seed)
        self.executor = ExecutorWorker(self.bus, self.engine, self.topics, rules or Rules(Paper()), seed=seed)

    def close(self) -> None:
        """Leave the groups in order and let go of the database."""
        self.evaluator.close()
        self.executor.close()
        self.engine.dispose()

    async def apply(self, *configs: BotConfig) -> None:
        """Put configs on their topic, in force from their `effective_from_ms`, else from the first bar on."""
        publisher = MemoryPublisher(self.bus)
        for config in configs:
            time_ms = config.effective_from_ms or 0
            headers = cloud_headers(
                config, "strikeline/pipeline", f"{config.bot_id}/{config.revision}", time_ms
            )
            name = self.topics.configs.name
            publisher.send(Outgoing(name, config.bot_id.encode(), encode(config), time_ms, headers))
        await publisher.flush()
        await self.run_until_idle()

    async def apply_alerts(self, *commands: AlertCommand) -> None:
        """Put users' alerts on their topic, in force from their `effective_from_ms`, else from the first bar on."""
        publisher = MemoryPublisher(self.bus)
        for command in commands:
            time_ms = command.effective_from_ms or 0
            headers = cloud_headers(command, "strikeline/pipeline", f"{command.alert_id}/{time_ms}", time_ms)
            name, key = self.topics.user_alerts.name, command.symbol.encode()
            publisher.send(Outgoing(name, key, encode(command), time_ms, headers))
        await publisher.flush()
        await self.run_until_idle()

    async def feed(
        self,
        source: Iterable[Boundary],
        name: str = "file",
        progress: Callable[[Published], None] | None = None,
        step: int = _STEP,
    ) -> Published:
        """Publish a feed, the parts taking their turns every `step` boundaries and until idle at the end."""
        feed = Feed(MemoryPublisher(self.bus), self.topics.klines.name, name)
        began, rest = time.monotonic(), iter(source)
        while chunk := list(islice(rest, step)):
            await feed.run(chunk)
            await self.run_until_idle()
            feed.published.seconds = time.monotonic() - began
            if progress is not None:
                progress(feed.published)
        return feed.published

    async def feed_klines(
        self, klines: Iterable[Kline], interval: str = "1m", step: int = _STEP
    ) -> Published:
        """`feed` for bars in order of close time."""
        return await self.feed(boundaries(klines, interval), step=step)

    async def run_until_idle(self, limit: int = 10_000) -> None:
        """Let evaluator and executor answer each other until neither has anything to do. Raises NeverIdle."""
        for _ in range(limit):
            handled = await self.evaluator.run_until_idle() + await self.executor.run_until_idle()
            if not handled:
                return
        raise NeverIdle(f"still busy after {limit} turns")

    def messages(self, spec: TopicSpec) -> list[Message]:
        """What a topic says, in order of event time, then of writing; raises where it cannot be read."""
        records = sorted(self.bus.records(spec.name), key=lambda r: (r.timestamp_ms, r.partition, r.offset))
        found = (decode(record, spec) for record in records)
        return [message for message in found if message is not None]

    def dead_letters(self) -> int:
        """Records on all dead-letter topics."""
        names = (name for name in self.bus.topics() if name.endswith(".dlq"))
        return sum(1 for _ in chain.from_iterable(self.bus.records(name) for name in names))
