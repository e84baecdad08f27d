"""The kline topic of a real broker, read without a group: assign, seek, read to an offset."""

from collections.abc import Iterator
from typing import Final

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, Message, TopicPartition

from streams.history import KlinesUnreadable
from topics.asking import patiently
from topics.connection import KafkaSettings
from topics.records import Record

_TIMEOUT_S: Final = 30.0
_BATCH: Final = 10_000


class KafkaReader:
    """Implements RecordReader. Each call has a consumer of its own: calls may run in several threads."""

    def __init__(self, settings: KafkaSettings, topic: str) -> None:
        self._configuration = settings.for_confluent() | {
            # librdkafka wants a group even where none is joined.
            "group.id": f"{settings.client_id}-history",
            "enable.auto.commit": False,
            "enable.partition.eof": False,
            "auto.offset.reset": "earliest",
            "fetch.queue.backoff.ms": 5,
            "queued.max.messages.kbytes": 16_384,
        }
        self._topic = topic

    def read(self, partition: int, from_offset: int, to_offset: int) -> Iterator[Record]:
        """Records in [from_offset, to_offset) that still exist. Raises KlinesUnreadable."""
        consumer = Consumer(self._configuration)
        try:
            place = TopicPartition(self._topic, partition)
            begin, end = patiently(lambda: consumer.get_watermark_offsets(place, timeout=_TIMEOUT_S))
            start, stop = max(from_offset, begin), min(to_offset, end)
            if start < stop:
                consumer.assign([TopicPartition(self._topic, partition, start or OFFSET_BEGINNING)])
                yield from self._until(consumer, stop)
        except KafkaException as error:
            raise KlinesUnreadable(f"{self._topic}[{partition}]@{from_offset}: {error}") from error
        finally:
            consumer.close()

    def _until(self, consumer: Consumer, stop: int) -> Iterator[Record]:
        while True:
            # consume() alone would wait for a full batch: one poll waits for the first, the rest is there
            # already.
            first = consumer.poll(_TIMEOUT_S)
            if first is None:
                raise KlinesUnreadable(f"{self._topic}: no records for {_TIMEOUT_S:.0f} s, {stop} wanted")
            for message in (first, *consumer.consume(_BATCH, 0)):
                record = _record(message)
                if record.offset >= stop:
                    return
                yield record
                if record.offset == stop - 1:
                    return


def _record(message: Message) -> Record:
    error = message.error()
    if error is not None:
        raise KafkaException(error)
    return Record(
        message.topic() or "", message.partition() or 0, message.offset() or 0, message.timestamp()[1],
        message.key(), message.value(),
    )  # fmt: skip
