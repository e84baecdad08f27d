"""What an executor counts, for Prometheus."""

from collections.abc import Callable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, start_http_server

from sinks.patience import WHYS, Why


class Metrics:
    """Counters of one executor process, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._records = Counter(
            "strikeline_executor_records", "Records applied, by outcome", ["outcome"], registry=self.registry
        )
        self._transactions = Counter(
            "strikeline_executor_transactions", "Transactions committed", registry=self.registry
        )
        self._published = Counter(
            "strikeline_executor_published", "Outbox rows acknowledged by the broker", registry=self.registry
        )
        self._fenced = Counter(
            "strikeline_executor_fenced",
            "Partitions lost to another executor's claim",
            registry=self.registry,
        )
        self._dropped = Counter(
            "strikeline_executor_dropped",
            "Fetched records left to the partition's owner",
            registry=self.registry,
        )
        self._owned = Gauge(
            "strikeline_executor_partitions", "Partitions owned by this process", registry=self.registry
        )
        self._retries = Counter(
            "strikeline_executor_database_retries",
            "Transactions to be tried again, by reason",
            ["why"],
            registry=self.registry,
        )
        for why in WHYS:
            self._retries.labels(why)
        self._away = Gauge(
            "strikeline_executor_database_away_seconds",
            "For how long the database has not answered; 0 while it does",
            registry=self.registry,
        )

    def applied(self, outcomes: Mapping[str, int]) -> None:
        """One transaction was committed."""
        self._transactions.inc()
        for outcome, count in outcomes.items():
            self._records.labels(outcome).inc(count)

    def published(self, rows: int) -> None:
        """Rows left the outbox."""
        self._published.inc(rows)

    def fenced(self) -> None:
        """Another executor took a partition."""
        self._fenced.inc()

    def dropped(self, records: int) -> None:
        """Records of a partition that is not ours (any more)."""
        self._dropped.inc(records)

    def owns(self, partitions: int) -> None:
        """How many partitions are claimed now."""
        self._owned.set(partitions)

    def database_failed(self, why: Why) -> None:
        """A transaction failed in a way that may pass."""
        self._retries.labels(why).inc()

    def watch_database(self, away_s: Callable[[], float]) -> None:
        """Ask `away_s` whenever the metrics are read."""
        self._away.set_function(away_s)

    def serve(self, port: int) -> None:
        """Serve them on `port` of every interface, in a thread."""
        start_http_server(port, registry=self.registry)
