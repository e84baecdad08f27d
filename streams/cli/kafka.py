"""The cluster of commands on a real broker, by confluent-kafka."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import Any, Final

from confluent_kafka import (
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient
from pydantic import ValidationError

from streams.cli.cluster import Bounds
from streams.cli.errors import Invalid, Unreachable
from topics.admin import AdminFailed, TopicAdmin
from topics.asking import patiently
from topics.connection import KafkaSettings
from topics.producer import KafkaPublisher
from topics.records import Headers, Record

_TIMEOUT_S: Final = 10.0
_QUIET_S: Final = 0.2
_BATCH: Final = 1_000
_log = logging.getLogger("strikeline.kafka")
# What the client has to say goes to the log of a process that has one; a command reports what came of it.
_log.addHandler(logging.NullHandler())


def settings_for(bootstrap: str | None, replication: int | None = None) -> KafkaSettings:
    """The connection's settings: the environment's, and what is given. Raises Invalid, secrets left out."""
    given: dict[str, Any] = {"bootstrap": bootstrap, "replication_factor": replication}
    try:
        return KafkaSettings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as wrong:
        first = wrong.errors(include_input=False, include_url=False)[0]
        name = ".".join(map(str, first["loc"])) or "settings"
        raise Invalid(f"Kafka {name}: {first['msg'].removeprefix('Value error, ')}") from None


@contextmanager
def reaching(bootstrap: str) -> Iterator[None]:
    """Turns the clients' ways of saying that nobody answers into one line."""
    try:
        yield
    except KafkaException as error:
        raise Unreachable(f"Kafka at {bootstrap}: {error.args[0].str()}") from None
    except AdminFailed as error:
        raise Unreachable(f"Kafka at {bootstrap}: {error}") from None


class KafkaCluster:
    """Topics on the broker of `settings`. Connects when it is first asked something."""

    def __init__(self, settings: KafkaSettings) -> None:
        self.settings = settings
        self.name = f"Kafka at {settings.bootstrap}"
        self._members: dict[str, Consumer] = {}

    @cached_property
    def _admin(self) -> AdminClient:
        return AdminClient(self._quiet(), logger=_log)

    @cached_property
    def _consumer(self) -> Consumer:
        reading = {
            "group.id": "strikeline-cli",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "fetch.queue.backoff.ms": 5,
        }
        return Consumer(self._quiet() | reading, logger=_log)

    def _quiet(self) -> dict[str, Any]:
        # The default logs every failed attempt on standard error; what matters comes back as an exception.
        return {**self.settings.for_confluent(), "log_level": 0}

    def admin(self) -> TopicAdmin:
        """Creates and checks topics. Asks first whether somebody answers: the admin itself waits for long."""
        self.names()
        return TopicAdmin(self.settings)

    def names(self) -> dict[str, int]:
        with reaching(self.settings.bootstrap):
            found = self._admin.list_topics(timeout=_TIMEOUT_S).topics
        return {name: len(topic.partitions) for name, topic in found.items() if not name.startswith("__")}

    def bounds(self, topic: str) -> dict[int, Bounds]:
        with reaching(self.settings.bootstrap):
            found = self._admin.list_topics(topic, timeout=_TIMEOUT_S).topics[topic]
            if found.error is not None:
                raise self._missing(topic, found.error)
            return {p: self._marks(topic, p) for p in sorted(found.partitions)}

    def _marks(self, topic: str, partition: int) -> Bounds:
        place = TopicPartition(topic, partition)
        return patiently(lambda: Bounds(*self._consumer.get_watermark_offsets(place, timeout=_TIMEOUT_S)))

    def _missing(self, topic: str, error: KafkaError) -> Unreachable:
        if error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
            return Unreachable(f"no topic {topic} on {self.name}; `strikeline topics create` makes it")
        return Unreachable(f"{self.name}, topic {topic}: {error.str()}")

    def read(self, topic: str, start: Mapping[int, int]) -> Iterator[Record]:
        bounds = self.bounds(topic)
        first = {p: max(offset, bounds[p].begin) for p, offset in start.items()}
        open_ = {p: bounds[p].end for p, offset in first.items() if offset < bounds[p].end}
        self._assign(topic, {p: first[p] for p in open_})
        while open_:
            for message in self._poll(_TIMEOUT_S):
                partition = message.partition() or 0
                end = open_.get(partition)
                if end is None:
                    continue
                record = None if message.error() else _record(message)
                if record is not None and record.offset < end:
                    yield record
                if record is None or record.offset >= end - 1:
                    del open_[partition]
        self._consumer.unassign()

    def follow(self, topic: str, start: Mapping[int, int]) -> Iterator[Record | None]:
        self._assign(topic, start)
        while True:
            told = [_record(message) for message in self._poll(_QUIET_S) if not message.error()]
            yield from told
            if not told:
                yield None

    def _assign(self, topic: str, start: Mapping[int, int]) -> None:
        self._consumer.assign([TopicPartition(topic, p, offset) for p, offset in start.items()])

    def _poll(self, timeout_s: float) -> list[Message]:
        """What is there, waiting for the first only; a partition's end comes as a message with an error."""
        with reaching(self.settings.bootstrap):
            first = self._consumer.poll(timeout_s)
            if first is None:
                if timeout_s >= _TIMEOUT_S:
                    raise Unreachable(
                        f"{self.name}: nothing came for {timeout_s:.0f} s, though there is more to read"
                    )
                return []
            messages = [first, *self._consumer.consume(_BATCH, 0)]
            for message in messages:
                error = message.error()
                if error is not None and error.code() != KafkaError._PARTITION_EOF:
                    raise KafkaException(error)
        return messages

    def committed(self, group: str, topic: str) -> dict[int, int]:
        partitions = [TopicPartition(topic, p) for p in range(self.names().get(topic, 0))]
        if not partitions:
            return {}
        with reaching(self.settings.bootstrap):
            found = patiently(lambda: self._member(group).committed(partitions, timeout=_TIMEOUT_S))
        return {tp.partition: tp.offset for tp in found if tp.offset >= 0}

    def _member(self, group: str) -> Consumer:
        """A consumer in the group's name that never joins it, to ask for its offsets.

        The admin client's own call crashes the process where the group has no coordinator yet (librdkafka#5040).
        """
        if group not in self._members:
            self._members[group] = Consumer(
                self._quiet() | {"group.id": group, "enable.auto.commit": False}, logger=_log
            )
        return self._members[group]

    def publisher(self) -> KafkaPublisher:
        self.names()
        return KafkaPublisher(self.settings)

    def close(self) -> None:
        for member in self._members.values():
            member.close()
        self._members.clear()
        if "_consumer" in self.__dict__:
            self._consumer.close()


def _record(message: Message) -> Record:
    return Record(
        topic=message.topic() or "",
        partition=message.partition() or 0,
        offset=message.offset() or 0,
        timestamp_ms=message.timestamp()[1],
        key=message.key(),
        value=message.value(),
        headers=_headers(message),
    )


def _headers(message: Message) -> Headers:
    told: Any = message.headers() or ()
    return tuple((name, b"" if value is None else value) for name, value in told)
