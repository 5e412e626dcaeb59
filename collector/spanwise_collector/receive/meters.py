"""What the receivers count about themselves, for Prometheus."""

from collections.abc import Callable
from threading import Lock
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from spanwise_collector.receive.answers import Taken
from spanwise_collector.receive.signals import SIGNALS, Signal

Protocol = Literal["http", "grpc"]


class Meters:
    """Counters of one receiver, in a registry of its own.

    Attributes:
        registry: all of them.
    """

    def __init__(self, in_flight: Callable[[], int]) -> None:
        """Everything is at zero.

        Args:
            in_flight: bytes of requests that are not answered yet.
        """
        self.registry = CollectorRegistry()
        self._refused = 0
        self._lock = Lock()
        self._requests = Counter(
            "spanwise_otlp_requests",
            "OTLP requests answered, by protocol, signal and status code (of HTTP or of gRPC).",
            ["protocol", "signal", "code"],
            registry=self.registry,
        )
        self._items = Counter(
            "spanwise_otlp_items",
            "Spans and log records that Kafka has acknowledged (accepted) or that were left out (refused).",
            ["signal", "outcome"],
            registry=self.registry,
        )
        self._bytes = Counter(
            "spanwise_otlp_bytes", "Bytes of request bodies as they came.", ["protocol"], registry=self.registry
        )
        self._acknowledged = Histogram(
            "spanwise_otlp_kafka_ack_seconds",
            "Time from handing records to Kafka's client to the acknowledgement of the last of a request.",
            registry=self.registry,
            buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
        )
        Gauge(
            "spanwise_otlp_in_flight_bytes", "Bytes of requests that are not answered yet.", registry=self.registry
        ).set_function(in_flight)
        for signal in SIGNALS:
            for outcome in ("accepted", "refused"):
                self._items.labels(signal.name, outcome)

    @property
    def refused(self) -> int:
        """Spans and log records refused so far, of requests of which the rest was taken."""
        return self._refused

    def answered(self, protocol: Protocol, signal: Signal, code: int | str) -> None:
        """Count a request."""
        self._requests.labels(protocol, signal.name, str(code)).inc()

    def arrived(self, protocol: Protocol, size: int) -> None:
        """Count a body of `size` bytes."""
        self._bytes.labels(protocol).inc(size)

    def taken(self, signal: Signal, taken: Taken) -> None:
        """Count the items of a request that succeeded."""
        with self._lock:
            self._refused += taken.refusals
        self._items.labels(signal.name, "accepted").inc(taken.items)
        self._items.labels(signal.name, "refused").inc(taken.refusals)

    def acknowledged(self, seconds: float) -> None:
        """Note how long Kafka took."""
        self._acknowledged.observe(seconds)
