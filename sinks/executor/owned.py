"""Owning a partition: the epoch that fences off everybody before, and the offsets that are the truth.

An epoch is claimed at assignment and checked under a row lock by every transaction: on PostgreSQL the row is
locked `FOR UPDATE`, on SQLite the whole transaction began with the write lock. So a claim waits for a
transaction in flight, then reads the offsets it left; and one whose COMMIT was never answered is over before
anyone judges what it did.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from sqlalchemy import Connection, Select, select

from sinks.database.dialect import put, put_new
from sinks.database.tables import deployment, offsets, partitions
from sinks.errors import BeyondEnd, Fenced, RecordsLost, UnknownTopic, WrongDatabase
from topics.registry import Topics


class Source(NamedTuple):
    """One partition of a topic as the broker has it now: its id, and the offsets where it begins and ends."""

    topic: str
    topic_id: str
    begin: int
    end: int


class Claim(NamedTuple):
    """A partition that is ours while its epoch lasts. `next_offsets` by topic; `lost`: records there were
    skipped.
    """

    partition: int
    epoch: int
    topic_ids: Mapping[str, str]
    next_offsets: Mapping[str, int]
    lost: bool = False


def settle_deployment(connection: Connection, topics: Topics) -> None:
    """Make the database this deployment's, or raise WrongDatabase when it is another's."""
    row = connection.execute(select(deployment)).one_or_none()
    if row is None:
        values = {"id": 1, "namespace": topics.namespace, "partitions": topics.partitions}
        put(connection, deployment, [values])
    elif (row.namespace, row.partitions) != (topics.namespace, topics.partitions):
        raise WrongDatabase(
            f"the database belongs to namespace {row.namespace!r} with {row.partitions} partitions, "
            f"not to {topics.namespace!r} with {topics.partitions}"
        )


def claim(
    connection: Connection,
    partition: int,
    owner: str,
    sources: Iterable[Source],
    *,
    accept_lost: bool = False,
) -> Claim:
    """Take the partition with a new epoch. Raises UnknownTopic, BeyondEnd, RecordsLost (unless accepted)."""
    # A row that two could both find missing locks nobody: it is there before it is locked.
    found = _locked_epoch(connection, partition)
    if found is None:
        put_new(connection, partitions, [{"partition": partition, "epoch": 0, "owner": owner}])
        found = _locked_epoch(connection, partition) or 0
    put(connection, partitions, [{"partition": partition, "epoch": found + 1, "owner": owner}])
    topic_ids: dict[str, str] = {}
    starts: dict[str, int] = {}
    lost = False
    for source in sources:
        topic_ids[source.topic] = source.topic_id
        starts[source.topic], skipped = _start(connection, partition, source, accept_lost)
        lost = lost or skipped
    save_offsets(connection, partition, topic_ids, starts)
    return Claim(partition, found + 1, topic_ids, starts, lost)


def check_epoch(connection: Connection, partition: int, epoch: int, *, lock: bool = True) -> None:
    """Lock the partition for this transaction. Raises Fenced when another executor claimed it."""
    found = connection.scalar(_epoch_of(partition)) if not lock else _locked_epoch(connection, partition)
    if found != epoch:
        raise Fenced(partition, epoch, found or 0)


def load_offsets(connection: Connection, partition: int) -> dict[str, int]:
    """The next offset to apply, by topic."""
    query = select(offsets.c.topic, offsets.c.next_offset).where(offsets.c.partition == partition)
    return {row.topic: row.next_offset for row in connection.execute(query)}


def save_offsets(
    connection: Connection, partition: int, topic_ids: Mapping[str, str], next_offsets: Mapping[str, int]
) -> None:
    """Store how far each topic was applied, with the id of the topic it is about."""
    rows = [
        {"topic": topic, "partition": partition, "topic_id": topic_ids[topic], "next_offset": offset}
        for topic, offset in sorted(next_offsets.items())
    ]
    put(connection, offsets, rows)


def _locked_epoch(connection: Connection, partition: int) -> int | None:
    return connection.scalar(_epoch_of(partition).with_for_update())


def _epoch_of(partition: int) -> Select[int]:
    return select(partitions.c.epoch).where(partitions.c.partition == partition)


def _start(connection: Connection, partition: int, source: Source, accept_lost: bool) -> tuple[int, bool]:
    mine = (offsets.c.topic == source.topic) & (offsets.c.partition == partition)
    row = connection.execute(select(offsets).where(mine)).one_or_none()
    if row is None:
        return source.begin, False
    stored = int(row.next_offset)
    if row.topic_id != source.topic_id:
        raise UnknownTopic(source.topic, row.topic_id, source.topic_id)
    if stored > source.end:
        raise BeyondEnd(source.topic, partition, stored, source.end)
    if stored >= source.begin:
        return stored, False
    if not accept_lost:
        raise RecordsLost(source.topic, partition, stored, source.begin)
    return source.begin, True
