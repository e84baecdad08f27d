"""Klines read back from their topic by time, all partitions, each symbol's in order: what `replay` goes over.

No group is joined and nothing is committed. The records before the first of the time asked for are skipped by the
brokers' index of timestamps; the end is where the topic ended when reading began, for a feed may have sent one symbol
after the other.
"""

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Final

import numpy as np
import polars as pl
from confluent_kafka import OFFSET_END, Consumer, KafkaException, Message, TopicPartition

from streams.engine.bars import TIME, Floats
from streams.feeds.columns import PRICES
from streams.feeds.files import KlineFile
from streams.feeds.recorded import Fetched, Recorded
from streams.garbage import not_collecting
from topics.asking import patiently
from topics.connection import KafkaSettings
from topics.records import Record
from topics.spec import TopicSpec

_TIMEOUT_S: Final = 30.0
_BATCH: Final = 2_000
_WAIT_S: Final = 0.05
"""How long a batch may wait to be full."""


class TopicUnreadable(Exception):
    """The topic is not there, has no klines of the time asked for, or its records stopped coming."""


@dataclass(frozen=True)
class TopicKlines:
    """`bars` by symbol, those that law 2 lets through: float64[6, n] in one piece, as in `Candles`, oldest first. What
    it did not is counted, of the symbols asked for; `refused` names the first of what nobody can decode, and why.
    """

    bars: Mapping[str, Floats]
    interval: str
    records: int
    duplicates: int
    late: int
    undecodable: int
    refused: tuple[str, ...]

    @cached_property
    def file(self) -> KlineFile:
        """All of them merged in order of event time."""
        tables = [
            pl.DataFrame({
                "symbol": pl.repeat(symbol, columns.shape[1], eager=True),
                "open_time": columns[TIME].astype(np.int64),
                **dict(zip((*PRICES, "volume"), columns, strict=False)),
            })
            for symbol, columns in self.bars.items()
        ]  # fmt: skip
        return KlineFile(pl.concat(tables).sort("open_time", "symbol"), self.interval, ())


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
    recorded = Recorded(spec, interval, symbols)
    read = 0
    with not_collecting():
        for fetched, total in batches(kafka, spec.name, from_ms):
            recorded.take(fetched)
            read += len(fetched.values)
            del fetched  # so that the next batch has its memory, which is still near
            progress(read, total)
    found = recorded.bars()
    duplicates, late = recorded.left_out(found)
    bars = {symbol: kept for symbol, one in found.items() if (kept := _between(one, from_ms, to_ms)).size}
    if not bars:
        raise TopicUnreadable(
            f"{spec.name} has no closed klines of {interval} of the time and symbols asked for"
        )
    return TopicKlines(bars, interval, read, duplicates, late, recorded.undecodable, tuple(recorded.refused))


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
        left = _Left(consumer, topic, starts, ends)
        total = left.records
        heard_s = time.monotonic()
        while left.records:
            messages = left.passed(consumer.consume(min(_BATCH, left.records), _WAIT_S))
            if messages:
                heard_s, fetched = time.monotonic(), _fetched(messages)
                del messages
                yield fetched, total
                del fetched
            elif time.monotonic() - heard_s > _TIMEOUT_S:
                raise TopicUnreadable(f"{topic}: no records for {_TIMEOUT_S:.0f} s, {left.records} wanted")
    finally:
        consumer.close()


class _Left:
    """How far each partition is to be read still. One that is done is not read any more."""

    def __init__(self, consumer: Consumer, topic: str, starts: dict[int, int], ends: dict[int, int]) -> None:
        self._consumer = consumer
        self._ends = ends
        self._reached = {partition: start for partition, start in starts.items() if start < ends[partition]}
        self._places = [TopicPartition(topic, partition, start) for partition, start in self._reached.items()]
        consumer.assign(self._places)

    @property
    def records(self) -> int:
        """How many are to come."""
        return sum(max(self._ends[partition] - at, 0) for partition, at in self._reached.items())

    def passed(self, messages: list[Message]) -> list[Message]:
        """Note where the client stands after `messages`, and return those sent before reading began: a call for each of
        them would cost more than reading it.
        """
        beyond, done = False, []
        for place in self._consumer.position(self._places):
            before, end = self._reached[place.partition], self._ends[place.partition]
            if place.offset > before:  # also never below 0, which says that nothing came yet
                self._reached[place.partition] = place.offset
                beyond |= place.offset > end
                if before < end <= place.offset:
                    done.append(TopicPartition(place.topic, place.partition))
        if done:
            self._consumer.pause(done)
        return [one for one in messages if self._asked_for(one)] if beyond else messages

    def _asked_for(self, message: Message) -> bool:
        return message.error() is not None or (message.offset() or 0) < self._ends[message.partition() or 0]


def _range(consumer: Consumer, topic: str, from_ms: int | None) -> tuple[dict[int, int], dict[int, int]]:
    """First and end offset of each partition."""
    known = consumer.list_topics(topic, timeout=_TIMEOUT_S).topics.get(topic)
    if known is None or not known.partitions:
        raise TopicUnreadable(f"there is no topic {topic}")
    starts: dict[int, int] = {}
    ends: dict[int, int] = {}
    for partition in sorted(known.partitions):
        place = TopicPartition(topic, partition)
        marks = patiently(partial(consumer.get_watermark_offsets, place, timeout=_TIMEOUT_S))
        starts[partition], ends[partition] = marks
    if from_ms is not None:
        asked = [TopicPartition(topic, partition, max(from_ms, 0)) for partition in starts]
        for place in patiently(partial(consumer.offsets_for_times, asked, timeout=_TIMEOUT_S)):
            starts[place.partition] = (
                ends[place.partition] if place.offset in {OFFSET_END, -1} else place.offset
            )
    return starts, ends


def _fetched(messages: Sequence[Message]) -> Fetched:
    """What came. A message that is an error has no key, so it is never read as a record."""
    values, keys = list(map(Message.value, messages)), list(map(Message.key, messages))
    return Fetched(values, keys, lambda at: _record(messages[at]))


def _record(message: Message) -> Record:
    if (error := message.error()) is not None:
        raise KafkaException(error)
    return Record(
        message.topic() or "", message.partition() or 0, message.offset() or 0, message.timestamp()[1],
        message.key(), message.value(),
    )  # fmt: skip


def _between(columns: Floats, from_ms: int | None, to_ms: int | None) -> Floats:
    """Of bars in order of time those that open in [from_ms, to_ms)."""
    first = 0 if from_ms is None else int(np.searchsorted(columns[TIME], from_ms))
    end = columns.shape[1] if to_ms is None else int(np.searchsorted(columns[TIME], to_ms))
    return columns if end - first == columns.shape[1] else np.ascontiguousarray(columns[:, first:end])
