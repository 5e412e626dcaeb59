"""What crash tests share: spans in Kafka, collectors as processes, and what the store must hold in the end."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kafka import KafkaProducer

from spanwise_schemas import wire
from tests.support import otlp
from tests.support.brokers import make_topic
from tests.support.ingest_process import DRAIN_S, Plan

ROOT = Path(__file__).parents[2]
PER_RECORD = 20
PARTITIONS = 2
PATIENCE_S = 120.0


@dataclass
class Sender:
    """One producer of spans: every span is new, and has a body, so that more than one table is filled."""

    bootstrap: str
    topic: str
    sent: int = 0
    per_partition: list[int] = field(default_factory=lambda: [0] * PARTITIONS)

    def send(self, records: int) -> None:
        """Write records and wait for the acknowledgement."""
        producer: Any = KafkaProducer(bootstrap_servers=self.bootstrap, acks="all", compression_type="lz4")
        try:
            futures = []
            for _ in range(records):
                number = self.sent
                futures.append(
                    producer.send(
                        self.topic,
                        value=self._request(number),
                        partition=number % PARTITIONS,
                        headers=wire.Envelope("0" * 32, number, PER_RECORD, 0).to_headers(),
                    )
                )
                self.sent += 1
            producer.flush(timeout=60)
            for future in futures:
                future.get(timeout=60)
        finally:
            producer.close()

    def _request(self, number: int) -> bytes:
        now = time.time_ns()
        trace = (number + 1).to_bytes(16, "big")
        spans = [
            otlp.span(
                f"call {index % 3}",
                {"input.value": f"question {number}.{index}", "output.value": "answer"},
                trace_id=trace,
                span_id=(index + 1).to_bytes(8, "big"),
                start_ns=now - 2_000_000_000,
                end_ns=now - 1_000_000_000,
            )
            for index in range(PER_RECORD)
        ]
        return otlp.traces(*spans).SerializeToString()

    def expected(self) -> dict[str, Any]:
        """What the store holds when everything is there exactly once."""
        spans = self.sent * PER_RECORD
        return {
            "spans": spans,
            "distinct": spans,
            "bodies": spans,
            "trace_agg": spans,
            "metrics_1m": spans,
            "ledger_spans": spans,
            "ledger_rejected": 0,
            "ledger_duplicates": 0,
            "ledger_records": self.sent,
            "producer_records": self.sent,
            "gaps": [],
            "failure": "",
        }


def sender(bootstrap: str, topic: str) -> Sender:
    """Make the topic, and a producer for it."""
    make_topic(bootstrap, topic, PARTITIONS)
    return Sender(bootstrap, topic)


def start(plan: Plan) -> subprocess.Popen[str]:
    """A collector process."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("SPANWISE_")}
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "tests.support.ingest_process", plan.argument()],
        cwd=ROOT,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@contextmanager
def collector(plan: Plan) -> Iterator[subprocess.Popen[str]]:
    """A collector process that is gone at the end, in whichever state it is."""
    process = start(plan)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGCONT)
            process.kill()
        process.communicate()


def run_until_killed(plan: Plan) -> None:
    """Run a collector that kills itself."""
    with collector(plan) as process:
        _, errors = process.communicate(timeout=PATIENCE_S)

        assert process.returncode == -signal.SIGKILL, errors[-3000:]


def drained(plan: Plan) -> Mapping[str, Any]:
    """Run a collector until everything is stored; what the store holds then."""
    with collector(plan) as process:
        output, errors = process.communicate(timeout=DRAIN_S + 60)

        assert process.returncode == 0, errors[-3000:]
    found: Mapping[str, Any] = json.loads(output.splitlines()[-1])
    return found
