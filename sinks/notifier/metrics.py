"""What a notifier counts, for Prometheus. Labels hold schemes and outcomes, never users, channels or URLs."""

from prometheus_client import CollectorRegistry, Counter, Gauge, start_http_server


class Metrics:
    """Counters of one notifier process, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self._records = Counter(
            "strikeline_notifier_records", "Fired alerts read, by outcome", ["outcome"], registry=registry
        )
        self._messages = Counter(
            "strikeline_notifier_messages", "Messages that a channel took", ["scheme"], registry=registry
        )
        self._alerts = Counter(
            "strikeline_notifier_alerts", "Alerts by what a channel did with them", ["scheme", "outcome"],
            registry=registry,
        )  # fmt: skip
        self._retries = Counter(
            "strikeline_notifier_retries",
            "Attempts that failed and are repeated",
            ["scheme"],
            registry=registry,
        )
        self._pending = Gauge(
            "strikeline_notifier_pending", "Alerts read and not yet told or given up", registry=registry
        )
        self._partitions = Gauge(
            "strikeline_notifier_partitions", "Partitions owned by this process", registry=registry
        )

    def read(self, outcome: str, records: int = 1) -> None:
        """Records came: accepted, old, repeated, no_channel, dropped_old, dead."""
        self._records.labels(outcome).inc(records)

    def sent(self, scheme: str, alerts: int) -> None:
        """A channel took one message, which tells of so many alerts."""
        self._messages.labels(scheme).inc()
        self._alerts.labels(scheme, "told").inc(alerts)

    def retried(self, scheme: str) -> None:
        """An attempt failed, and will be repeated."""
        self._retries.labels(scheme).inc()

    def gave_up(self, scheme: str, alerts: int) -> None:
        """A channel will never be told of these."""
        self._alerts.labels(scheme, "given_up").inc(alerts)

    def pending(self, alerts: int, partitions: int) -> None:
        """What is under way now."""
        self._pending.set(alerts)
        self._partitions.set(partitions)

    def serve(self, port: int) -> None:
        """Serve them on `port` of every interface, in a thread."""
        start_http_server(port, registry=self.registry)
