"""Two worlds in which the same records are produced: the in-process bus, and a broker with real processes."""

import asyncio
import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

from confluent_kafka import KafkaError, KafkaException, Message, Producer
from sqlalchemy import Engine

from sinks.database.engine import open_engine
from streams.cli.pipeline import Pipeline
from streams.inprocess import EvaluatorWorker
from tests.chaos.reference import careless
from tests.deadline import DEADLINE_S
from tests.e2e.stack import Stack
from topics.bus.errors import Refused
from topics.connection import KafkaSettings
from topics.records import Outgoing, Record
from topics.registry import Topics
from topics.spec import KIB, MIB, TopicSpec

_log = logging.getLogger("strikeline.tests")
_ROOM_S: Final = 0.1


class Place(NamedTuple):
    """Where a record was written."""

    topic: str
    partition: int
    offset: int


class World(Protocol):
    """`accepted_size`: a value of that many bytes passes the broker and exceeds every limit behind it."""

    topics: Topics
    engine: Engine
    accepted_size: int

    def produce(self, records: Iterable[Outgoing]) -> list[Place]:
        """Write them in this order; where each one is."""

    def refuses(self, record: Outgoing) -> bool:
        """Whether the broker itself takes such a record not at all, from a producer that does not compress."""

    def settle(self) -> None:
        """Return when nobody has anything left to do."""

    def records(self, spec: TopicSpec) -> list[Record]:
        """Everything that a topic holds."""


class MemoryWorld:
    """Evaluator and executor on the in-process bus."""

    accepted_size = MIB + 32 * KIB

    def __init__(self, folder: Path) -> None:
        self.topics = Topics(partitions=4)
        self.pipeline = Pipeline(careless(open_engine(f"sqlite:///{folder / 'memory.db'}")), self.topics)
        self.engine = self.pipeline.engine

    def produce(self, records: Iterable[Outgoing]) -> list[Place]:
        return [Place(record.topic, *self.pipeline.bus.append(record)) for record in records]

    def refuses(self, record: Outgoing) -> bool:
        try:
            self.pipeline.bus.append(record)
        except Refused:
            return True
        return False

    def settle(self) -> None:
        asyncio.run(self.pipeline.run_until_idle())

    def records(self, spec: TopicSpec) -> list[Record]:
        return self.pipeline.bus.records(spec.name)

    def restart_evaluator(self) -> None:
        """It dies, and another one takes its place."""
        self.pipeline.evaluator.crash()
        self.pipeline.evaluator = EvaluatorWorker(self.pipeline.bus, self.topics)


class KafkaWorld:
    """The processes of a stack. Its producer compresses: so does what is above the broker's limit get past it."""

    accepted_size = 2 * MIB

    def __init__(self, stack: Stack, *processes: str) -> None:
        self.topics = stack.topics
        self.engine = stack.engine
        self._stack = stack
        self._processes = processes
        self._producer = _producer(stack.settings, {"compression.type": "gzip"})
        self._plain = _producer(stack.settings, {})

    def produce(self, records: Iterable[Outgoing]) -> list[Place]:
        wanted = list(records)
        placed: dict[int, Place] = {}

        for number, record in enumerate(wanted):

            def told(error: KafkaError | None, message: Message, number: int = number) -> None:
                if error is not None:
                    raise KafkaException(error)
                placed[number] = Place(message.topic() or "", message.partition() or 0, message.offset() or 0)

            _send(self._producer, record, told)
        assert self._producer.flush(DEADLINE_S) == 0
        return [placed[number] for number in range(len(wanted))]

    def refuses(self, record: Outgoing) -> bool:
        codes: list[int | None] = []
        _send(self._plain, record, lambda error, _: codes.append(None if error is None else error.code()))
        assert self._plain.flush(DEADLINE_S) == 0
        return codes[0] in {KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.INVALID_RECORD}

    def settle(self) -> None:
        self._stack.wait_settled(*self._processes)

    def records(self, spec: TopicSpec) -> list[Record]:
        return self._stack.records(spec)


def _producer(settings: KafkaSettings, more: dict[str, Any]) -> Producer:
    # Idempotent: a retry must not change the order, which says whose a bot is.
    common = {"enable.idempotence": True, "partitioner": "murmur2_random", "linger.ms": 5}
    return Producer(settings.for_confluent() | common | {"message.max.bytes": 8 * MIB} | more, logger=_log)


def _send(producer: Producer, record: Outgoing, told: Any) -> None:
    if record.partition is None:
        raise ValueError(f"{record.topic}: these tests say where each record goes")
    while True:
        try:
            producer.produce(
                record.topic, record.value, record.key, record.partition, on_delivery=told,
                timestamp=max(record.timestamp_ms, 1), headers=list(record.headers),
            )  # fmt: skip
        except BufferError:
            producer.poll(_ROOM_S)
        else:
            producer.poll(0)
            return
