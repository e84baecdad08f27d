"""What a feed counts, for Prometheus."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, start_http_server


class FeedMetrics:
    """Counters of one feed, in a registry of their own; the gauges ask when they are read."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._records = self._counter("records", "Records sent, by kind (kline, forming, tick)", "kind")
        self._frames = self._counter(
            "frames", "Frames heard: closed, forming, answer, shutdown, unusable", "kind"
        )
        self._bars = self._counter("bars", "Bars: backfilled, duplicate, restated, broken", "what")
        self._lost = self._counter("connections_lost", "Connections that ended, by reason", "why")
        self._requests = self._counter("requests", "Requests to REST, by outcome", "outcome")

    def _counter(self, name: str, words: str, label: str) -> Counter:
        return Counter(f"strikeline_feed_{name}", words, [label], registry=self.registry)

    def sent(self, kind: str) -> None:
        """A record was handed to the producer."""
        self._records.labels(kind).inc()

    def heard(self, kind: str) -> None:
        """A frame came."""
        self._frames.labels(kind).inc()

    def bars(self, what: str, count: int = 1) -> None:
        """Something happened to bars."""
        self._bars.labels(what).inc(count)

    def lost(self, why: str) -> None:
        """A connection ended."""
        self._lost.labels(why).inc()

    def asked(self, outcome: str) -> None:
        """A request to REST came to an end."""
        self._requests.labels(outcome).inc()

    def watch(
        self,
        connected: Callable[[], float],
        held: Callable[[], float],
        behind: Callable[[], float],
        lag_s: Callable[[], float],
    ) -> None:
        """Ask these whenever the metrics are read."""
        for name, words, ask in (
            ("connections", "Connections that are open", connected),
            ("held_bars", "Closed bars that wait for an earlier one", held),
            ("symbols_behind", "Symbols of which a bar is asked for", behind),
            ("lag_seconds", "For how long the oldest bar that was not sent yet has been over", lag_s),
        ):
            Gauge(f"strikeline_feed_{name}", words, registry=self.registry).set_function(ask)

    def serve(self, port: int) -> None:
        """Serve /metrics on loopback, in a thread."""
        start_http_server(port, addr="127.0.0.1", registry=self.registry)
