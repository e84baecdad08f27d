"""What the reconciler shows to Prometheus, in the executor's registry."""

import time
from collections import Counter as Count
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge

from sinks.reconciler.findings import MEANINGS
from sinks.reconciler.reconciler import Look


class ReconcilerMetrics:
    """Of the partitions that this process looks at."""

    def __init__(self, registry: CollectorRegistry, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._looks: dict[int, Look] = {}
        self._open = Gauge(
            "strikeline_reconciler_differences", "Differences there are, by kind", ["kind"], registry=registry
        )
        self._told = Counter(
            "strikeline_reconciler_told", "Differences that were told, by kind", ["kind"], registry=registry
        )
        self._rows = Gauge("strikeline_reconciler_outbox_rows", "Rows not yet published", registry=registry)
        self._unread = Gauge(
            "strikeline_reconciler_unread_records", "Configs and triggers not yet applied", registry=registry
        )
        self._failed = Counter(
            "strikeline_reconciler_failed_looks", "Looks that database or broker refused", registry=registry
        )
        self._last = Gauge(
            "strikeline_reconciler_last_look_timestamp_seconds", "When all partitions were last looked at",
            registry=registry,
        )  # fmt: skip
        self._show()

    def looked(self, look: Look) -> None:
        """A partition was looked at."""
        self._looks[look.partition] = look
        for finding in look.new:
            self._told.labels(finding.kind).inc()
        self._show()

    def forgotten(self, partition: int) -> None:
        """A partition is another's now."""
        self._looks.pop(partition, None)
        self._show()

    def failed(self) -> None:
        """A look could not be taken."""
        self._failed.inc()

    def went_round(self) -> None:
        """All partitions were looked at."""
        self._last.set(self._now())

    def _show(self) -> None:
        kinds = Count(finding.kind for look in self._looks.values() for finding in look.open)
        for kind in MEANINGS:
            self._open.labels(kind).set(kinds[kind])
            self._told.labels(kind)
        self._rows.set(sum(look.outbox_rows for look in self._looks.values()))
        self._unread.set(sum(look.unread for look in self._looks.values()))
