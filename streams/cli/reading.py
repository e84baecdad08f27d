"""Topics as commands read them: whole, the latest value of each key, the last records, a symbol's newest."""

from collections.abc import Iterator
from typing import NamedTuple, TypeVar

from schemas.market import Kline, Tick
from schemas.message import Message
from streams.cli.cluster import Cluster
from topics.codec import Undecodable, decode
from topics.partitioner import partition_for
from topics.records import Record
from topics.spec import TopicSpec

M = TypeVar("M", bound=Message)


class Told(NamedTuple):
    """A record with what it says."""

    record: Record
    message: Message


def everything(cluster: Cluster, topic: str) -> Iterator[Record]:
    """All records the topic holds now, partition by partition or interleaved."""
    return cluster.read(topic, {p: bounds.begin for p, bounds in cluster.bounds(topic).items()})


def latest(cluster: Cluster, spec: TopicSpec, kind: type[M]) -> dict[str, M]:
    """The last value of each key of a compacted topic, in order of keys; keys with a tombstone are not there.

    An unreadable record says nothing: the executor dead-letters it, and `dlq list` shows it.
    """
    found: dict[str, M] = {}
    for record in everything(cluster, spec.name):
        try:
            message = decode(record, spec)
        except Undecodable:
            continue
        key = (record.key or b"").decode()
        if message is None:
            found.pop(key, None)
        elif isinstance(message, kind):
            found[key] = message
    return dict(sorted(found.items()))


def last_records(cluster: Cluster, topic: str, count: int) -> list[Record]:
    """The topic's last `count` records in order of event time, then of partition and offset."""
    bounds = cluster.bounds(topic)
    start = {p: max(b.begin, b.end - count) for p, b in bounds.items() if b.end > b.begin}
    records = sorted(cluster.read(topic, start), key=lambda r: (r.timestamp_ms, r.partition, r.offset))
    return records[-count:] if count else []


def decoded(record: Record, spec: TopicSpec) -> Told | None:
    """The record with its message, None where there is none to be read."""
    try:
        message = decode(record, spec)
    except Undecodable:
        return None
    return None if message is None else Told(record, message)


def newest_of_symbol(cluster: Cluster, klines: TopicSpec, symbol: str) -> int | None:
    """Event time of the newest close or tick of `symbol` on the kline topic; None when it has neither.

    Reads backwards in growing steps: ticks put every symbol near the end of its partition.
    """
    bounds = cluster.bounds(klines.name)
    partition = partition_for(symbol.encode(), len(bounds))
    begin, end = bounds[partition]
    step, upper = 1_000, end
    while upper > begin:
        lower = max(begin, end - step)
        records = cluster.read(klines.name, {partition: lower})
        times = [
            event_time(told) for r in records if r.key == symbol.encode() and (told := decoded(r, klines))
        ]
        if times:
            return max(times)
        upper, step = lower, step * 10
    return None


def event_time(told: Told) -> int:
    """When what a kline or tick tells was over; any other message's own timestamp.

    A bar that is still forming tells that the one before it is over.
    """
    match told.message:
        case Kline() as kline:
            return kline.close_time_ms if kline.closed else kline.open_time_ms
        case Tick(time_ms=time_ms):
            return time_ms
        case _:
            return told.record.timestamp_ms
