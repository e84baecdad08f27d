"""Klines read back from their topic by time, all partitions, as one table: what `replay` and `drift` go over.

No group is joined and nothing is committed. The records before the first of the time asked for are skipped by the
brokers' index of timestamps; the end is where the topic ended when reading began, for a feed may have sent one symbol
after the other.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl
from confluent_kafka import OFFSET_END, Consumer, KafkaException, Message, TopicPartition

from streams.feeds.files import KlineFile
from streams.feeds.recorded import COLUMNS, Applied, Fetched, applied, closed_bars
from topics.connection import KafkaSettings
from topics.records import Record
from topics.spec import TopicSpec

_TIMEOUT_S: Final = 30.0
_BATCH: Final = 10_000
_EVER: Final = 1 << 62
_TOLD: Final = 20
"""Addresses of records that were refused, of as many as a person reads."""


class TopicUnreadable(Exception):
    """The topic is not there, has no klines of the time asked for, or its records stopped coming."""


@dataclass(frozen=True)
class TopicKlines:
    """`file`: the bars that law 2 lets through. What it did not is counted; `refused` names the first of what nobody
    can decode, with the reason.
    """

    file: KlineFile
    records: int
    duplicates: int
    late: int
    undecodable: int
    refused: tuple[str, ...]


def read_topic(
    kafka: KafkaSettings,
    spec: TopicSpec,
    *,
    interval: str = "1m",
    symbols: Collection[str] = (),
    from_ms: int | None = None,
    to_ms: int | None = None,
    progress: Callable[[int, int], None] = lambda read, of: None,
) -> TopicKlines:
    """Closed bars of `interval` with `from_ms <= open_time < to_ms`, of `symbols` or of all. `progress` is told the
    records read and how many there are. Raises TopicUnreadable, KafkaException.
    """
    tables: list[pl.DataFrame] = [pl.DataFrame(schema=COLUMNS)]
    refused: list[str] = []
    read = undecodable = 0
    for fetched, total in batches(kafka, spec.name, from_ms):
        read += len(fetched.values)
        batch = closed_bars(fetched, spec, interval)
        tables.append(batch.bars)
        undecodable += len(batch.refused)
        refused += batch.refused[: _TOLD - len(refused)]
        progress(read, total)
    found = applied(pl.concat(tables))
    bars = found.bars.filter(_asked_for(symbols, from_ms, to_ms))
    if bars.is_empty():
        raise TopicUnreadable(
            f"{spec.name} has no closed klines of {interval} of the time and symbols asked for"
        )
    return _told(found, bars, interval, read, undecodable, refused)


def batches(kafka: KafkaSettings, topic: str, from_ms: int | None) -> Iterator[tuple[Fetched, int]]:
    """Records of every partition in order, from the first at `from_ms` on up to where the topic ends now, each batch
    with how many there are in all. Raises TopicUnreadable, KafkaException.
    """
    consumer = Consumer(
        kafka.for_confluent()
        | {
            # librdkafka wants a group even where none is joined.
            "group.id": f"{kafka.client_id}-replay", "enable.auto.commit": False, "auto.offset.reset": "earliest",
            "fetch.queue.backoff.ms": 5, "queued.min.messages": 100_000, "queued.max.messages.kbytes": 65_536,
        }
    )  # fmt: skip
    try:
        starts, ends = _range(consumer, topic, from_ms)
        left = {
            partition: ends[partition] - start
            for partition, start in starts.items()
            if start < ends[partition]
        }
        total = sum(left.values())
        consumer.assign([TopicPartition(topic, partition, starts[partition]) for partition in left])
        while left:
            # consume() alone would wait for a full batch: one poll waits for the first, the rest is there already.
            first = consumer.poll(_TIMEOUT_S)
            if first is None:
                raise TopicUnreadable(
                    f"{topic}: no records for {_TIMEOUT_S:.0f} s, {sum(left.values())} wanted"
                )
            messages = [first, *consumer.consume(_BATCH, 0)]
            yield _fetched(messages, _passed(consumer, topic, messages, ends, left)), total
    finally:
        consumer.close()


def _range(consumer: Consumer, topic: str, from_ms: int | None) -> tuple[dict[int, int], dict[int, int]]:
    """First and end offset of each partition."""
    known = consumer.list_topics(topic, timeout=_TIMEOUT_S).topics.get(topic)
    if known is None or not known.partitions:
        raise TopicUnreadable(f"there is no topic {topic}")
    starts: dict[int, int] = {}
    ends: dict[int, int] = {}
    for partition in sorted(known.partitions):
        starts[partition], ends[partition] = consumer.get_watermark_offsets(
            TopicPartition(topic, partition), timeout=_TIMEOUT_S
        )
    if from_ms is not None:
        asked = [TopicPartition(topic, partition, max(from_ms, 0)) for partition in starts]
        for place in consumer.offsets_for_times(asked, timeout=_TIMEOUT_S):
            starts[place.partition] = (
                ends[place.partition] if place.offset in {OFFSET_END, -1} else place.offset
            )
    return starts, ends


def _passed(
    consumer: Consumer, topic: str, messages: Sequence[Message], ends: dict[int, int], left: dict[int, int]
) -> dict[int, int]:
    """Note how far each partition came; one that is done is not read any more. Returns the ends that were passed."""
    reached = {message.partition() or 0: message.offset() or 0 for message in messages}
    done = []
    for partition, offset in reached.items():
        if partition in left:
            left[partition] = ends[partition] - offset - 1
            if left[partition] <= 0:
                del left[partition]
                done.append(TopicPartition(topic, partition))
    if done:
        consumer.pause(done)
    return {partition: ends[partition] for partition, offset in reached.items() if offset >= ends[partition]}


def _fetched(messages: list[Message], beyond: dict[int, int]) -> Fetched:
    """What came, without what was sent after reading began."""
    if beyond:
        messages = [one for one in messages if (one.offset() or 0) < beyond.get(one.partition() or 0, _EVER)]
    for message in messages:
        if (error := message.error()) is not None:
            raise KafkaException(error)
    values, keys = [one.value() for one in messages], [one.key() for one in messages]
    return Fetched(values, keys, lambda: [_record(one) for one in messages])


def _asked_for(symbols: Collection[str], from_ms: int | None, to_ms: int | None) -> pl.Expr:
    asked = pl.lit(value=True)
    if symbols:
        asked &= pl.col("symbol").is_in(list(symbols))
    if from_ms is not None:
        asked &= pl.col("open_time") >= from_ms
    if to_ms is not None:
        asked &= pl.col("open_time") < to_ms
    return asked


def _told(
    found: Applied, bars: pl.DataFrame, interval: str, read: int, undecodable: int, refused: list[str]
) -> TopicKlines:
    file = KlineFile(bars, interval, ())
    return TopicKlines(file, read, found.duplicates, found.late, undecodable, tuple(refused))


def _record(message: Message) -> Record:
    return Record(
        message.topic() or "", message.partition() or 0, message.offset() or 0, message.timestamp()[1],
        message.key(), message.value(),
    )  # fmt: skip
