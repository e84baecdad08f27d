"""Everything the verifier looks at: records of topics and rows of tables, read by plain clients."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, NamedTuple

import msgspec
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition
from sqlalchemy import create_engine, text

TOPICS: Final = ("configs", "alerts", "triggers", "events", "positions")
TABLES: Final = (
    "bots", "configs", "pairs", "groups", "deals", "fills", "ledger", "inbox", "outbox", "offsets",
)  # fmt: skip
_READ_S: Final = 60.0


class Told(NamedTuple):
    """One record of a topic."""

    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()

    @property
    def said(self) -> dict[str, Any]:
        """Its value as JSON; empty for a tombstone."""
        found = msgspec.json.decode(self.value) if self.value is not None else {}
        return found if isinstance(found, dict) else {}


@dataclass(frozen=True)
class Evidence:
    """`told` by the short name of the topic, in order of offsets per partition; `rows` by table. `names` maps short
    names to full ones. `dead`: how many records each dead-letter topic holds.
    """

    told: Mapping[str, list[Told]]
    rows: Mapping[str, list[dict[str, Any]]]
    names: Mapping[str, str] = field(default_factory=lambda: {name: name for name in TOPICS})
    dead: Mapping[str, int] = field(default_factory=dict)

    @cached_property
    def triggers(self) -> list[tuple[Told, dict[str, Any]]]:
        """Triggers with their JSON, answers to outdated commands left out."""
        said = ((told, told.said) for told in self.told["triggers"])
        return [(told, json) for told, json in said if json.get("type") == "trigger"]

    @cached_property
    def inbox(self) -> dict[tuple[str, int, int], dict[str, Any]]:
        """Inbox rows by (topic, partition, offset)."""
        return {(row["topic"], row["partition"], row["source_offset"]): row for row in self.rows["inbox"]}

    @cached_property
    def outcomes(self) -> dict[str, str]:
        """What became of each trigger_id that counted."""
        return {row["trigger_id"]: row["outcome"] for row in self.rows["inbox"] if row["trigger_id"]}


def gather(bootstrap: str, names: Mapping[str, str], dead: Iterable[str], database: str) -> Evidence:
    """Read it all. Raises KafkaException or SQLAlchemy's errors."""
    told = {short: read_topic(bootstrap, names[short]) for short in TOPICS}
    return Evidence(told, read_tables(database), names, {name: _size(bootstrap, name) for name in dead})


def read_tables(database: str) -> dict[str, list[dict[str, Any]]]:
    """All rows of all tables."""
    engine = create_engine(database)
    try:
        with engine.connect() as connection:
            found = {table: connection.execute(text(f"SELECT * FROM {table}")).mappings() for table in TABLES}
            return {table: [dict(row) for row in rows] for table, rows in found.items()}
    finally:
        engine.dispose()


def read_topic(bootstrap: str, name: str) -> list[Told]:
    """All records of a topic, partition by partition."""
    found = list(_records(_consumer(bootstrap), name))
    return sorted(found, key=lambda told: (told.partition, told.offset))


def _records(consumer: Consumer, name: str) -> Iterator[Told]:
    try:
        open_ = {p: end for p, (begin, end) in _bounds(consumer, name).items() if end > begin}
        consumer.assign([TopicPartition(name, p, 0) for p in open_])
        while open_:
            first = consumer.poll(_READ_S)
            if first is None:
                raise TimeoutError(f"{name}: nothing came for {_READ_S:.0f} s, though there is more to read")
            messages = [first, *consumer.consume(1_000, timeout=0)]
            for message in messages:
                error = message.error()
                if error is not None and error.code() != KafkaError._PARTITION_EOF:
                    raise KafkaException(error)
                partition = message.partition() or 0
                if error is not None:
                    open_.pop(partition, None)
                    continue
                headers = _headers(message)
                yield Told(
                    partition,
                    message.offset() or 0,
                    message.timestamp()[1],
                    message.key(),
                    message.value(),
                    headers,
                )
    finally:
        consumer.close()


def _headers(message: Message) -> tuple[tuple[str, bytes], ...]:
    told: Any = message.headers() or ()
    return tuple((name, value or b"") for name, value in told)


def _size(bootstrap: str, name: str) -> int:
    consumer = _consumer(bootstrap)
    try:
        return sum(end - begin for begin, end in _bounds(consumer, name).values())
    finally:
        consumer.close()


def _bounds(consumer: Consumer, name: str) -> dict[int, tuple[int, int]]:
    found = consumer.list_topics(name, timeout=_READ_S).topics[name]
    if found.error is not None:
        raise KafkaException(found.error)
    return {
        p: consumer.get_watermark_offsets(TopicPartition(name, p), timeout=_READ_S) for p in found.partitions
    }


def _consumer(bootstrap: str) -> Consumer:
    return Consumer(
        {
            "bootstrap.servers": bootstrap, "group.id": "chaos-verifier", "enable.auto.commit": False,
            "enable.partition.eof": True, "auto.offset.reset": "earliest", "fetch.queue.backoff.ms": 5,
        }
    )  # fmt: skip
