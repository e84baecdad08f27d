"""Triggers that come again: what a producer that retries, or an evaluator that starts again, does to the executor.

Every copy is the record as it stands, on the same partition, behind its original: some at once, so that both are
often in one transaction, some when the original was applied long ago.
"""

import heapq
import threading
import time
from itertools import count
from random import Random
from typing import Any, Final, Self

from confluent_kafka import Consumer, KafkaException, Message, Producer, TopicPartition

from tests.deadline import DEADLINE_S

_LATE_S: Final = 30.0
_READ_S: Final = 0.1


class Duplicator:
    """Copies a `share` of the triggers on `topic` while it is entered; a third of the copies late, some twice."""

    def __init__(self, bootstrap: str, topic: str, partitions: int, share: float, seed: int) -> None:
        self.copies = 0
        self._topic = topic
        self._share = share
        self._random = Random(seed)
        self._seen: set[bytes] = set()
        self._late: list[tuple[float, int, Message]] = []
        self._numbers = count()
        self._over = threading.Event()
        self._failure: BaseException | None = None
        self._producer = Producer(
            {"bootstrap.servers": bootstrap, "acks": "all", "enable.idempotence": True, "log_level": 2}
        )
        self._consumer = Consumer(
            {"bootstrap.servers": bootstrap, "group.id": "chaos-duplicator", "enable.auto.commit": False}
        )
        self._consumer.assign([TopicPartition(topic, p, 0) for p in range(partitions)])
        self._thread = threading.Thread(target=self._run, name="duplicator", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Send what is still to come late, and copy nothing more. Raises what broke it."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join(DEADLINE_S)
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure

    def _run(self) -> None:
        try:
            while not self._over.is_set():
                for message in self._consumer.consume(500, timeout=_READ_S):
                    self._take(message)
                self._send_due(time.monotonic())
            self._send_due(float("inf"))
            assert self._producer.flush(DEADLINE_S) == 0
        except BaseException as error:  # noqa: BLE001 (raised again where it is stopped)
            self._failure = error
        finally:
            self._consumer.close()

    def _take(self, message: Message) -> None:
        if message.error() is not None:
            raise KafkaException(message.error())
        value = message.value() or b""
        if value in self._seen:  # a copy, or told again by the evaluator
            return
        self._seen.add(value)
        if self._random.random() >= self._share:
            return
        for _ in range(self._random.choice((1, 1, 2))):
            late = self._random.uniform(0.0, _LATE_S) if self._random.random() < 1 / 3 else 0.0
            heapq.heappush(self._late, (time.monotonic() + late, next(self._numbers), message))

    def _send_due(self, now: float) -> None:
        while self._late and self._late[0][0] <= now:
            _, _, message = heapq.heappop(self._late)
            headers: Any = message.headers() or []
            self._producer.produce(
                self._topic, value=message.value(), key=message.key(), partition=message.partition() or 0,
                timestamp=message.timestamp()[1], headers=headers, on_delivery=_delivered,
            )  # fmt: skip
            self.copies += 1
        self._producer.poll(0)


def _delivered(error: Any, _message: Message) -> None:
    if error is not None:
        raise KafkaException(error)
