"""Topics on a broker, for the reconciler: a consumer that never joins a group and commits nothing."""

from collections.abc import Iterable
from typing import Any, Final

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from sinks.reconciler.books import TopicBounds
from topics.asking import patiently
from topics.connection import KafkaSettings
from topics.records import Record
from topics.registry import Topics

_TIMEOUT_S: Final = 10.0


class KafkaLog:
    """Connects when it is first asked. Every method raises KafkaException, or TimeoutError."""

    def __init__(self, settings: KafkaSettings, topics: Topics) -> None:
        self._consumer = Consumer(
            {
                **settings.for_confluent(),
                "group.id": topics.group("reconciler"),
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "fetch.queue.backoff.ms": 5,
                "log_level": 0,  # what matters comes back as an exception
            }
        )

    def bounds(self, topic: str, partition: int) -> TopicBounds:
        """Asks the broker."""
        place = TopicPartition(topic, partition)
        return TopicBounds(
            *patiently(lambda: self._consumer.get_watermark_offsets(place, timeout=_TIMEOUT_S))
        )

    def read(self, topic: str, partition: int, offset: int, limit: int) -> Iterable[Record]:
        """Until there are `limit`, or the partition ends."""
        self._consumer.assign([TopicPartition(topic, partition, offset)])
        found: list[Record] = []
        try:
            while len(found) < limit:
                messages = self._consumer.consume(limit - len(found), timeout=_TIMEOUT_S)
                if not messages:
                    raise TimeoutError(
                        f"{topic}[{partition}]: nothing came for {_TIMEOUT_S:.0f} s, though there is more to read"
                    )
                for message in messages:
                    if (error := message.error()) is None:
                        found.append(_record(message))
                    elif error.code() == KafkaError._PARTITION_EOF:
                        return found
                    else:
                        raise KafkaException(error)
            return found
        finally:
            self._consumer.unassign()

    def close(self) -> None:
        """Let go of the broker."""
        self._consumer.close()


def _record(message: Message) -> Record:
    told: Any = message.headers() or ()
    headers = tuple((name, value or b"") for name, value in told)
    return Record(
        message.topic() or "", message.partition() or 0, message.offset() or 0, message.timestamp()[1],
        message.key(), message.value(), headers,
    )  # fmt: skip
