"""What the collector counts about itself, for Prometheus."""

from collections.abc import Callable, Iterator
from dataclasses import fields
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from spanwise_collector.ingest.status import IngestCounters, IngestStatus

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_HELP: Final = {
    "records": "Kafka records in batches that are stored.",
    "spans": "Spans stored.",
    "scores": "Scores stored.",
    "contents": "Log records with message content stored.",
    "rejected": "Spans and log records refused.",
    "duplicates": "Spans dropped because they had been stored before.",
    "erased": "Spans and log records left out because they had been erased.",
    "warnings": "Values that were kept but flagged.",
    "bytes": "Bytes of Kafka records in batches that are stored.",
    "batches": "Batches stored.",
    "redone": "Batches built again after a crash or a rebalance.",
    "retries": "Attempts that failed for a transient reason and were tried again.",
    "fenced": "Commits that the broker refused because the partition had gone to another collector.",
    "lost_records": "Offsets that Kafka had deleted before they were read.",
    "transform_seconds": "Time spent building rows, in seconds.",
    "insert_seconds": "Time spent in inserts, in seconds.",
}


class Instruments:
    """Metrics of one app, in a registry of its own.

    Attributes:
        requests: seconds per request, by method, route and status.
        store_errors: queries that failed, by kind: limit, transient, other.
    """

    def __init__(self, status: Callable[[], IngestStatus | None]) -> None:
        self._registry = CollectorRegistry()
        self.requests = Histogram(
            "spanwise_http_request_seconds",
            "Time to answer an HTTP request.",
            ["method", "route", "status"],
            registry=self._registry,
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10, 30),
        )
        self.store_errors = Counter(
            "spanwise_store_errors", "Queries that failed, by kind.", ["kind"], registry=self._registry
        )
        for kind in ("limit", "transient", "other"):
            self.store_errors.labels(kind)
        self._registry.register(_IngestMetrics(status))

    def include(self, metrics: Collector) -> None:
        """Show the metrics of another part, too."""
        self._registry.register(metrics)

    def exposition(self) -> bytes:
        """All metrics in the Prometheus text format."""
        return generate_latest(self._registry)


class _IngestMetrics(Collector):
    """Reads the ingest status when Prometheus asks."""

    def __init__(self, status: Callable[[], IngestStatus | None]) -> None:
        self._status = status

    def collect(self) -> Iterator[Metric]:
        """One family per counter, and the state of each partition."""
        status = self._status()
        if status is None:
            return
        yield GaugeMetricFamily(
            "spanwise_ingest_ready", "1 when ingest runs, neither waiting nor failed.", value=status.ready
        )
        for field in fields(IngestCounters):
            yield CounterMetricFamily(
                f"spanwise_ingest_{field.name}", _HELP[field.name], value=getattr(status.counters, field.name)
            )
        lag = GaugeMetricFamily(
            "spanwise_ingest_lag", "Records in Kafka that are not stored yet.", labels=["topic", "partition"]
        )
        offset = GaugeMetricFamily(
            "spanwise_ingest_next_offset", "Offset that is read next.", labels=["topic", "partition"]
        )
        for partition in status.partitions:
            labels = [partition.topic, str(partition.partition)]
            offset.add_metric(labels, partition.next_offset)
            if partition.lag is not None:
                lag.add_metric(labels, partition.lag)
        yield lag
        yield offset
