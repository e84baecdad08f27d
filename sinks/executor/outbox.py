"""From what a decision tells to outbox rows, and from rows to records."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Row, delete, select

from sinks.database.dialect import Row as NewRow
from sinks.database.dialect import add
from sinks.database.tables import outbox
from sinks.executor.decision import Decision
from sinks.executor.draft import Told
from topics.codec import cloud_headers, encode
from topics.dead_letters import dead_letter
from topics.records import Headers, Outgoing, Record
from topics.registry import Topics
from topics.spec import TopicSpec

_SOURCE: Final = "strikeline/executor"
_TRACEPARENT: Final = 256
_headers = msgspec.msgpack.Decoder(tuple[tuple[str, bytes | None], ...])


def outgoing(decision: Decision, record: Record, topics: Topics) -> list[Outgoing]:
    """Everything a decision publishes, in order; the record's `traceparent` goes along."""
    traceparent = next((value for name, value in record.headers if name == "traceparent"), None)
    sent = [message(told, topics, _ascii(traceparent)) for told in decision.told]
    if decision.dead is not None:
        sent.append(dead_letter(record, decision.dead.error_class, decision.dead.reason))
    return sent


def store(connection: Connection, partition: int, messages: Iterable[Outgoing]) -> None:
    """Append `messages` to the partition's outbox, in order."""
    add(connection, outbox, [_row(partition, message) for message in messages])


def waiting(connection: Connection, partition: int, limit: int) -> list[tuple[int, Outgoing]]:
    """The first `limit` rows of the partition's outbox, with their ids."""
    query = select(outbox).where(outbox.c.partition == partition).order_by(outbox.c.id).limit(limit)
    return [(row.id, _outgoing(row)) for row in connection.execute(query)]


def forget(connection: Connection, partition: int, ids: Sequence[int]) -> None:
    """Delete rows that were published: those up to the last of `ids`, which are the partition's first."""
    mine = (outbox.c.partition == partition) & (outbox.c.id <= ids[-1])
    connection.execute(delete(outbox).where(mine))


def message(told: Told, topics: Topics, traceparent: str | None = None) -> Outgoing:
    """The record that tells it."""
    spec: TopicSpec = getattr(topics, told.to)
    key: str = getattr(told.message, spec.key)
    headers = cloud_headers(told.message, _SOURCE, told.event_id, told.at_ms, traceparent)
    return Outgoing(spec.name, key.encode(), encode(told.message), told.at_ms, headers)


def _ascii(value: bytes | None) -> str | None:
    """None for what is longer than any trace context: it would be copied into everything that is told."""
    return None if value is None or len(value) > _TRACEPARENT else value.decode("ascii", "replace")


def _row(partition: int, message: Outgoing) -> NewRow:
    return {
        "partition": partition,
        "topic": message.topic,
        "target": message.partition,
        "key": message.key,
        "value": message.value,
        "timestamp_ms": message.timestamp_ms,
        "headers": msgspec.msgpack.encode(message.headers),
    }


def _outgoing(row: Row[Any]) -> Outgoing:
    # A foreign record's header may have no value; clients that allow it are given it back as it came.
    headers: Headers = tuple((name, value or b"") for name, value in _headers.decode(row.headers))
    return Outgoing(row.topic, row.key, row.value, row.timestamp_ms, headers, row.target)
