"""Runs small programs that use the SDK in processes of their own, and reads what they have sent to the broker."""

import subprocess
import sys
import textwrap
import time
import uuid
from collections import Counter
from collections.abc import Iterable
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from kafka.admin import KafkaAdminClient, NewTopic
from kafka.errors import TopicAlreadyExistsError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from spanwise_schemas.wire import LOGS_TOPIC, SPANS_TOPIC, Envelope, partition_for
from tests.support.brokers import end_offsets

PARTITIONS = 2
PROCESS_TIMEOUT_S = 90.0


def make_topics(bootstrap: str) -> None:
    """Make the topics that the SDK writes to, as the collector does at start."""
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        for topic in (SPANS_TOPIC, LOGS_TOPIC):
            if topic not in admin.list_topics():
                try:
                    admin.create_topics([NewTopic(topic, PARTITIONS, 1)])
                except TopicAlreadyExistsError:
                    continue
    finally:
        admin.close()


def program(body: str, **settings: Any) -> str:
    """A program that sets Spanwise up and then runs `body`, in which `work(n)` is an observed function."""
    # Ten processes of these tests may start at once on a busy machine; how long the exit takes is the benchmark's part.
    settings.setdefault("exit_timeout_s", 30)
    given = ", ".join(f"{name}={value!r}" for name, value in settings.items())
    head = f"""
        import os, signal, sys, threading, time
        import spanwise
        spanwise.init({given})

        @spanwise.observe(name=NAME)
        def work(n):
            return n
    """
    return textwrap.dedent(head) + textwrap.dedent(body)


def unique_name() -> str:
    """A span name that no other test uses."""
    return f"work-{uuid.uuid4().hex[:12]}"


def start(source: str, name: str) -> subprocess.Popen[str]:
    """Start a program; `name` is the name of its spans."""
    return subprocess.Popen(
        # Python 3.12 and later warn of every fork of a process that has threads; what comes of it is what is tested.
        [sys.executable, "-W", "ignore:This process:DeprecationWarning", "-c", f"NAME = {name!r}\n{source}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(source: str, name: str) -> "subprocess.CompletedProcess[str]":
    """Run a program to its end."""
    process = start(source, name)
    try:
        out, err = process.communicate(timeout=PROCESS_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


class Reader:
    """Reads the topics from where they stood when it was made, or from their start."""

    def __init__(
        self, bootstrap: str, *, from_start: bool = False, topics: Iterable[str] = (SPANS_TOPIC, LOGS_TOPIC)
    ) -> None:
        self._bootstrap = bootstrap
        self._consumer = KafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False, check_crcs=True)
        self._partitions = [TopicPartition(topic, number) for topic in topics for number in range(PARTITIONS)]
        self._consumer.assign(self._partitions)
        ends = end_offsets(self._bootstrap, self._partitions)
        for partition in self._partitions:
            self._consumer.seek(partition, 0 if from_start else ends[partition])
        self.envelopes: list[Envelope] = []
        self.spans: Counter[tuple[str, str]] = Counter()
        self.producers: Counter[str] = Counter()
        self.scores: list[Any] = []

    def read(self) -> "Reader":
        """Read everything that is there by now."""
        ends = end_offsets(self._bootstrap, self._partitions)
        deadline = time.monotonic() + PROCESS_TIMEOUT_S
        while any(self._consumer.position(partition) < ends[partition] for partition in self._partitions):
            assert time.monotonic() < deadline, "the broker does not hand out what it has"
            for partition, records in self._consumer.poll(timeout_ms=200).items():
                for record in records:
                    self._take(partition, record)
        return self

    def _take(self, partition: Any, record: Any) -> None:
        envelope = Envelope.from_headers(record.headers)
        assert envelope is not None
        self.envelopes.append(envelope)
        if partition.topic == LOGS_TOPIC:
            request = ExportLogsServiceRequest.FromString(record.value)
            self.scores.extend(
                log for group in request.resource_logs for scope in group.scope_logs for log in scope.log_records
            )
            return
        spans = [
            span
            for group in ExportTraceServiceRequest.FromString(record.value).resource_spans
            for scope in group.scope_spans
            for span in scope.spans
        ]
        assert len(spans) == envelope.spans
        assert record.key == spans[0].trace_id
        for span in spans:
            assert partition_for(span.trace_id, PARTITIONS) == partition.partition
            self.spans[span.name, span.span_id.hex()] += 1
            self.producers[envelope.producer] += 1

    def count(self, name: str) -> tuple[int, int]:
        """How many spans of this name came, and how many of them more than once."""
        counts = [times for (found, _), times in self.spans.items() if found == name]
        return len(counts), sum(1 for times in counts if times > 1)

    def close(self) -> None:
        """Let the connection go."""
        self._consumer.close()
