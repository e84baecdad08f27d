"""The archive's process: lock the folder, check whose it is, then read until told to stop."""

import logging
import signal
import sys

from prometheus_client import CollectorRegistry, Counter, start_http_server

from sinks.archive.config import ArchiveSettings
from sinks.archive.frames import KINDS, topic_of
from sinks.archive.kafka import KafkaArchive
from sinks.archive.store import Store
from sinks.archive.writer import Writer
from topics.admin import TopicAdmin

_log = logging.getLogger("strikeline.archive")


def run_archive(settings: ArchiveSettings) -> None:
    """Run until SIGTERM or SIGINT; what was read is then in files.

    Raises sinks.errors.Stop with what to do about it, TopicsDiffer, AdminFailed, and KafkaException.
    """
    logging.basicConfig(
        stream=sys.stderr, level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )
    specs = [topic_of(kind, settings.topics) for kind in KINDS]
    admin = TopicAdmin(settings.kafka)
    admin.require(specs)
    states = admin.describe([spec.name for spec in specs])
    with Store(settings.archive) as store:
        store.settle({name: state.topic_id for name, state in states.items()})
        writer = Writer(store, settings.topics, settings.archive_rows, settings.archive_seconds)
        running = KafkaArchive(settings, writer, Shown(settings.metrics_port))
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: running.stop())
        _log.info("archive of namespace %r in %s begins", settings.namespace, settings.archive)
        running.run()
        _log.info("archive ended in order: %s", dict(writer.counts))


class Shown:
    """The writer's counts, for Prometheus."""

    def __init__(self, port: int) -> None:
        registry = CollectorRegistry()
        self._counter = Counter(
            "strikeline_archive_records", "Rows written by kind, records passed over by reason", ["what"],
            registry=registry,
        )  # fmt: skip
        self._seen: dict[str, int] = {}
        if port:
            start_http_server(port, registry=registry)

    def __call__(self, writer: Writer) -> None:
        for what, count in writer.counts.items():
            self._counter.labels(what).inc(count - self._seen.get(what, 0))
            self._seen[what] = count
