"""The archive on Kafka: every partition of its topics, read from where the folder ends.

No group decides who reads what: the folder is one process's, and the folder says where reading begins. The group's
committed offsets only show others how far the files reach.
"""

import logging
from collections.abc import Callable, Iterable
from functools import partial
from time import monotonic
from typing import Final

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

from sinks.archive.config import ArchiveSettings
from sinks.archive.writer import Writer
from sinks.errors import BeyondEnd, Stop
from topics.asking import patiently
from topics.progress import Progress
from topics.records import Record

_TIMEOUT_S: Final = 30.0
_POLL_S: Final = 0.5
_BATCH: Final = 10_000
_SHOW_S: Final = 5.0
_log = logging.getLogger("strikeline.archive")


class NoProgress(Stop):
    """There are records to read and none came for too long: the process ends, a supervisor starts it again."""


class KafkaArchive:
    """Reads until `stop` is called. Raises Stop, or KafkaException where the broker refuses."""

    def __init__(
        self, settings: ArchiveSettings, writer: Writer, told: Callable[[Writer], None] = lambda _: None
    ) -> None:
        self._writer = writer
        self._told = told
        self._consumer = Consumer(
            settings.kafka.for_confluent()
            | {
                "group.id": settings.topics.group("archive"),
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "fetch.queue.backoff.ms": 5,
            }
        )
        self._limit_s = settings.watchdog_seconds
        self._progress = Progress(settings.watchdog_seconds)
        self._looked_at = self._shown_at = monotonic()
        self._ended = False

    def stop(self) -> None:
        """Write what was read, and return from `run`."""
        self._ended = True

    def run(self) -> None:
        """Archive until stopped."""
        try:
            self._begin()
            while not self._ended:
                for record in self._records():
                    self._writer.add(record, monotonic())
                self._after(self._writer.flush(monotonic()))
            self._after(self._writer.flush(monotonic(), everything=True))
            self._show()
        finally:
            self._consumer.close()

    def _begin(self) -> None:
        """Seek where the folder ends; what the topic no longer has is a hole, an end before that is another topic."""
        begins: dict[tuple[str, int], int] = {}
        for (topic, partition), position in self._writer.positions().items():
            place = TopicPartition(topic, partition)
            begin, end = patiently(partial(self._consumer.get_watermark_offsets, place, timeout=_TIMEOUT_S))
            if position > end:
                raise BeyondEnd(topic, partition, position, end)
            begins[topic, partition] = begin
        self._writer.lost(begins)
        positions = self._writer.positions()
        self._consumer.assign([TopicPartition(*where, offset) for where, offset in positions.items()])

    def _records(self) -> Iterable[Record]:
        # consume() alone would wait for a full batch: one poll waits for the first, the rest is there already.
        first = self._consumer.poll(_POLL_S)
        if first is None:
            return ()
        return [_record(message) for message in (first, *self._consumer.consume(_BATCH, 0))]

    def _after(self, wrote: bool) -> None:
        now = monotonic()
        if wrote and now - self._shown_at >= _SHOW_S:
            self._shown_at = now
            self._show()
        if now - self._looked_at >= self._limit_s / 12:
            self._looked_at = now
            self._watch(now)
        self._told(self._writer)

    def _watch(self, now: float) -> None:
        behind: dict[str, object] = {}
        for (topic, partition), position in self._writer.positions().items():
            _, end = self._consumer.get_watermark_offsets(TopicPartition(topic, partition), cached=True)
            if position < end:
                behind[f"{topic}[{partition}]"] = position
        if stuck := self._progress.see(now, behind):
            raise NoProgress(f"no progress for {max(stuck.values()):.0f} s: {', '.join(sorted(stuck)[:20])}")

    def _show(self) -> None:
        """Commit to the group, so that others can see how far the files reach."""
        places = [
            TopicPartition(*where, offset) for where, offset in self._writer.written().items() if offset
        ]
        try:
            if places:
                self._consumer.commit(offsets=places, asynchronous=False)
        except KafkaException as late:
            # Only a display: the folder knows better.
            _log.info("offsets not shown to the group: %s", late)


def _record(message: Message) -> Record:
    error = message.error()
    if error is not None:
        raise KafkaException(error)
    return Record(
        message.topic() or "", message.partition() or 0, message.offset() or 0, message.timestamp()[1],
        message.key(), message.value(),
    )  # fmt: skip
