"""Counters for Prometheus, read off the station when they are asked for."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from streams.station import Station


class StationCollector(Collector):
    """One counter by name of what happened, one gauge by source of where it stands."""

    def __init__(self, station: Station) -> None:
        self._station = station

    def collect(self) -> Iterator[Metric]:
        """What Prometheus reads."""
        happened = CounterMetricFamily(
            "strikeline_evaluator", "What happened to records and groups.", labels=["what"]
        )
        for name, count in sorted(self._station.totals().items()):
            happened.add_metric([name], count)
        yield happened
        stands = GaugeMetricFamily(
            "strikeline_next_offset", "Next offset of each source.", labels=["topic", "partition"]
        )
        for (topic, partition), offset in sorted(self._station.next_offsets().items()):
            stands.add_metric([topic, str(partition)], offset)
        yield stands
        yield GaugeMetricFamily(
            "strikeline_held_groups", "Groups whose trigger awaits its answer.", value=self._station.held
        )
        waiting = sum(lane.waiting_since is not None for lane in self._station.lanes.values())
        yield GaugeMetricFamily(
            "strikeline_waiting_partitions", "Partitions waiting for answers.", value=waiting
        )


def serve_metrics(station: Station, port: int) -> None:
    """Serve /metrics on loopback."""
    registry = CollectorRegistry()
    registry.register(StationCollector(station))
    start_http_server(port, addr="127.0.0.1", registry=registry)
