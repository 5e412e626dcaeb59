"""How fast OTLP is taken until Kafka has acknowledged it: `python -m bench.receive` prints one JSON line.

The same requests of 400 spans of about 2 kB, each span of its own trace (so that every request is split), go four ways
into the same broker: by HTTP and by gRPC through a collector with the role otlp in a process of its own, by HTTP with
all spans of a request in one trace (which are forwarded as they came), and, as the peer, by the SDK's direct way into
Kafka, from one thread as in an application. The time runs from the first request to the last acknowledgement; the
collector's processor time comes from its process.
"""

import argparse
import http.client
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import grpc
from kafka import KafkaAdminClient
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from bench.normalise import request
from spanwise._kafka import KafkaOptions, KafkaTransport
from spanwise._pack import pack
from spanwise._transport import Record, Sent
from spanwise_collector.cli.http import get
from spanwise_collector.embedded.broker import EmbeddedBroker, free_port
from spanwise_schemas.wire import LOGS_TOPIC, SPANS_TOPIC, Envelope

PARTITIONS: Final = 4
SPANS: Final = 400
SIZE: Final = 2_000
SENDERS: Final = 4
METHOD: Final = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
START_TIMEOUT_S: Final = 60.0


@contextmanager
def collector(bootstrap: str, directory: Path) -> Iterator[tuple[int, int, int]]:
    """A collector that only receives; its ports for HTTP and gRPC, and its process id."""
    port, grpc_port = free_port(), free_port()
    environ = {
        "SPANWISE_KAFKA": bootstrap,
        "SPANWISE_ROLE": "otlp",
        "SPANWISE_PORT": str(port),
        "SPANWISE_GRPC_PORT": str(grpc_port),
    }
    with (directory / "collector.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "spanwise_collector.cli", "collector"], env=environ, stdout=log, stderr=log
        )
    try:
        deadline = time.monotonic() + START_TIMEOUT_S
        while (answer := get(f"http://127.0.0.1:{port}/readyz")) is None or answer.status != 200:
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit((directory / "collector.log").read_text())
            time.sleep(0.1)
        yield port, grpc_port, process.pid
    finally:
        process.terminate()
        process.wait(30)


def one_trace(body: bytes) -> bytes:
    """The same request with all spans in one trace."""
    found = ExportTraceServiceRequest.FromString(body)
    spans = found.resource_spans[0].scope_spans[0].spans
    for span in spans:
        span.trace_id = spans[0].trace_id
    return found.SerializeToString()


def by_http(port: int, bodies: Sequence[bytes]) -> None:
    """Post the requests, one after the other."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    for body in bodies:
        connection.request("POST", "/v1/traces", body, {"Content-Type": "application/x-protobuf"})
        answer = connection.getresponse()
        said = answer.read()
        if answer.status != 200 or said:
            raise SystemExit(f"HTTP {answer.status}: {said.decode(errors='replace')}")
    connection.close()


def by_grpc(port: int, bodies: Sequence[bytes]) -> None:
    """Call Export with the requests, one after the other."""
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        call = channel.unary_unary(METHOD)
        for body in bodies:
            if said := call(body, timeout=60):
                raise SystemExit(said.decode(errors="replace"))


def by_sdk(bootstrap: str, bodies: Sequence[bytes]) -> None:
    """Pack and deliver the requests as the SDK's pipeline does, one after the other."""
    transport = KafkaTransport(KafkaOptions(servers=bootstrap, client_id="bench", security={}))
    for body in bodies:
        records = [
            Record(one.topic, one.partition, one.key, one.value, Envelope("ab" * 16, 0, one.items, 0))
            for one in pack(SPANS_TOPIC, [body], PARTITIONS)
        ]
        outcomes = transport.deliver(records)
        if failed := [outcome for outcome in outcomes if not isinstance(outcome, Sent)]:
            raise SystemExit(f"Kafka did not take a record: {failed[0].detail}")
    transport.close(5.0)


def measure(
    send: Callable[[Sequence[bytes]], None], bodies: Sequence[bytes], *, senders: int, pid: int | None
) -> dict[str, float]:
    """Send from so many threads."""
    shares = [bodies[at::senders] for at in range(senders)]
    cpu, began = 0.0 if pid is None else _cpu_seconds(pid), time.perf_counter()
    with ThreadPoolExecutor(senders) as threads:
        list(threads.map(send, shares))
    seconds = time.perf_counter() - began
    spans = len(bodies) * SPANS
    figures = {
        "spans_per_second": round(spans / seconds),
        "mb_per_second": round(sum(map(len, bodies)) / seconds / 1e6, 1),
    }
    if pid is not None:
        figures["collector_cpu_seconds_per_million_spans"] = round((_cpu_seconds(pid) - cpu) / spans * 1e6, 1)
    return figures


def _cpu_seconds(pid: int) -> float:
    """User and system time of a process, from Linux's /proc."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def main() -> None:
    """Measure all ways and print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kafka", default="", help="bootstrap servers of another broker (default: the packaged one)")
    parser.add_argument("--requests", type=int, default=300, help="requests per way (default 300, 240 MB)")
    given = parser.parse_args()
    rng = random.Random(1)
    some = [request(rng, SPANS, SIZE) for _ in range(20)]
    whole = [one_trace(body) for body in some]
    bodies, traces = ([pool[at % 20] for at in range(given.requests)] for pool in (some, whole))
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        bootstrap = given.kafka
        if not bootstrap:
            broker = EmbeddedBroker(port=free_port(), log_path=directory / "broker.log")
            bootstrap = stack.enter_context(broker).bootstrap
        admin = KafkaAdminClient(bootstrap_servers=bootstrap)
        topic = {"num_partitions": PARTITIONS, "replication_factor": 1}
        admin.create_topics({SPANS_TOPIC: topic, LOGS_TOPIC: topic}, wait_for_metadata=True)
        admin.close()
        port, grpc_port, pid = stack.enter_context(collector(bootstrap, directory))
        sdk = {"senders": 1, "pid": None}  # a process has one thread that delivers
        otlp = {"senders": SENDERS, "pid": pid}
        ways: dict[str, tuple[Callable[[Sequence[bytes]], None], list[bytes], dict[str, Any]]] = {
            "http": (lambda share: by_http(port, share), bodies, otlp),
            "http_one_trace": (lambda share: by_http(port, share), traces, otlp),
            "grpc": (lambda share: by_grpc(grpc_port, share), bodies, otlp),
            "sdk_to_kafka": (lambda share: by_sdk(bootstrap, share), bodies, sdk),
        }
        for send, pool, how in ways.values():
            measure(send, pool[: 2 * SENDERS], **how)  # connections, imports, caches
        figures = {name: measure(send, pool, **how) for name, (send, pool, how) in ways.items()}
    print(json.dumps({"benchmark": "receive", "span_bytes": round(len(some[0]) / SPANS), **figures}))


if __name__ == "__main__":
    main()
