"""The publisher on a real broker: confluent-kafka, idempotent, partitioned as Java does."""

import asyncio
import logging
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from topics.connection import MAX_REQUEST_BYTES, KafkaSettings
from topics.records import DeliveryFailed, Outgoing

DELIVERY_TIMEOUT_MS: Final = 30_000
_LINGER_MS: Final = 5
_ROOM_S: Final = 0.1
_ANY_PARTITION: Final = -1
_log = logging.getLogger("strikeline.kafka")


class KafkaPublisher:
    """Sends in order per partition, each record once, acknowledged by all in-sync replicas.

    A record that cannot be delivered makes `send` and `flush` raise DeliveryFailed, then and ever after: what
    comes behind it must not be persisted, so the process has to stop. `send` waits while the client's buffer
    is full.
    """

    def __init__(self, settings: KafkaSettings, *, delivery_timeout_ms: int = DELIVERY_TIMEOUT_MS) -> None:
        self._failure: str | None = None
        self._flush_s = delivery_timeout_ms / 1_000 + 5
        configuration: dict[str, Any] = settings.for_confluent() | {
            "enable.idempotence": True,
            # With more than one, a broker that just became a new partition's leader may refuse the first batch and take
            # the second as the first it knows; the repeat of the first then passes for delivered, and is lost.
            "max.in.flight": 1,
            "acks": "all",
            "partitioner": "murmur2_random",
            "linger.ms": _LINGER_MS,
            "delivery.timeout.ms": delivery_timeout_ms,
            # How long an unknown topic may stay unknown before a record for it fails.
            "topic.metadata.propagation.max.ms": min(10_000, delivery_timeout_ms),
            "message.max.bytes": MAX_REQUEST_BYTES,
            "delivery.report.only.error": True,
            "on_delivery": self._delivered,
        }
        self._producer = Producer(configuration, logger=_log)

    def send(self, outgoing: Outgoing) -> None:
        """Hand one record over. Raises DeliveryFailed where one before it failed.

        librdkafka takes a timestamp of 0 for "now", so the first millisecond of 1970 is sent as the second.
        """
        self._check()
        partition = _ANY_PARTITION if outgoing.partition is None else outgoing.partition
        while True:
            try:
                self._producer.produce(
                    outgoing.topic,
                    value=outgoing.value,
                    key=outgoing.key,
                    partition=partition,
                    timestamp=max(outgoing.timestamp_ms, 1),
                    headers=list(outgoing.headers),
                )
            except BufferError:
                self._producer.poll(_ROOM_S)
                self._check()
            except KafkaException as error:
                self._failure = f"{outgoing.topic}: {error.args[0].str()}"
                return
            else:
                return

    async def flush(self) -> None:
        """Return when the broker has acknowledged everything sent so far. Raises DeliveryFailed."""
        left = await asyncio.to_thread(self._producer.flush, self._flush_s)
        if left and self._failure is None:
            self._failure = f"{left} records are still not acknowledged"
        self._check()

    async def close(self) -> None:
        """Flush, and send no more."""
        await self.flush()

    def _check(self) -> None:
        if self._failure is not None:
            raise DeliveryFailed(self._failure)

    def _delivered(self, error: KafkaError | None, message: Message) -> None:
        if error is not None and self._failure is None:
            self._failure = f"{message.topic()}[{message.partition()}]: {error.str()}"
