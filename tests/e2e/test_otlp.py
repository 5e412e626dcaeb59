"""OTLP as other people's applications send it: real exporters, a real collector, a real broker, rows in the end."""

import re
import signal
import socket
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import time_ns
from typing import Any

import httpx
import pytest
from kafka import KafkaConsumer, TopicPartition

from spanwise_collector.cli.commands import main
from spanwise_collector.cli.http import get
from spanwise_collector.embedded.broker import EmbeddedBroker, free_port
from spanwise_schemas.wire import LOGS_TOPIC, SPANS_TOPIC, Envelope, project_from_headers
from tests.support import otlp
from tests.support.brokers import ON_KAFKA, make_topic
from tests.support.running import PATIENCE_S, Command, ask, command, eventually, run_program, traces

# The program names no address and no protocol of its own: everything comes from OTEL_* variables.
PROGRAM = """
from opentelemetry import trace
from opentelemetry._logs import LogRecord
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.exporter.otlp.proto.{protocol}._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.{protocol}.trace_exporter import OTLPSpanExporter

spans, logs = TracerProvider(), LoggerProvider()
spans.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
logs.add_log_record_processor(SimpleLogRecordProcessor(OTLPLogExporter()))
tracer = spans.get_tracer("shop")
for number in range({traces}):
    with tracer.start_as_current_span("answer") as root:
        with tracer.start_as_current_span("chat gpt-4.1-mini") as call:
            call.set_attributes({{
                "gen_ai.operation.name": "chat",
                "gen_ai.provider.name": "openai",
                "gen_ai.request.model": "gpt-4.1-mini",
                "gen_ai.usage.input_tokens": 1000,
                "gen_ai.usage.output_tokens": 100,
            }})
        logs.get_logger("shop").emit(LogRecord(
            event_name="gen_ai.evaluation.result",
            context=trace.set_span_in_context(root),
            attributes={{"gen_ai.evaluation.name": "helpful", "gen_ai.evaluation.score.value": 1.0}},
        ))
assert spans.force_flush(), "not sent"
spans.shutdown()
logs.shutdown()
"""
TRACES = 30
# gpt-4.1-mini, in nano-dollars a token: input 400, output 1600.
COST_NANOUSD = TRACES * (1000 * 400 + 100 * 1600)


@dataclass(frozen=True, slots=True)
class Collector:
    """A collector with all roles.

    Attributes:
        url: of its HTTP port.
        grpc: of its gRPC port.
        keys: its key file, which does not exist at first.
        command: the process.
    """

    url: str
    grpc: str
    keys: Path
    command: Command


@contextmanager
def collector(kafka: str, directory: Path, **environ: str) -> Iterator[Collector]:
    """A collector that is ready."""
    port, grpc_port, keys = free_port(), free_port(), directory / "keys.toml"
    with command(
        "spanwise_collector.cli",
        "collector",
        "--port",
        str(port),
        output=directory / "collector.log",
        **{
            "SPANWISE_GRPC_PORT": str(grpc_port),
            "SPANWISE_KAFKA": kafka,
            "SPANWISE_CLICKHOUSE": f"chdb://{directory / 'engine'}",
            "SPANWISE_ASSIGNMENT": "group" if ON_KAFKA else "static",
            "SPANWISE_GROUP": uuid.uuid4().hex,
            "SPANWISE_KEYS_FILE": str(keys),
            **environ,
        },
    ) as running:
        found = Collector(f"http://127.0.0.1:{port}", f"http://127.0.0.1:{grpc_port}", keys, running)

        def is_ready() -> bool | None:
            assert running.process.poll() is None, running.output
            answer = get(f"{found.url}/readyz")
            return True if answer is not None and answer.status == 200 else None

        eventually(is_ready, what="the collector")
        yield found


@pytest.fixture(scope="module")
def running(kafka_bootstrap: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collector]:
    """One for the tests that leave it as it was."""
    with collector(kafka_bootstrap, tmp_path_factory.mktemp("otlp")) as found:
        yield found


def totals(url: str, project: str, *, api_key: str = "") -> dict[str, int]:
    """Sums over a project's traces, as soon as all of them are there with their scores."""

    def read() -> dict[str, int] | None:
        items = ask(url, "/api/v1/traces", api_key=api_key, project=project, limit=200)["items"]
        details = [ask(url, f"/api/v1/traces/{item['trace_id']}", api_key=api_key, project=project) for item in items]
        scores = sum(len(detail["scores"]) for detail in details)
        spans = sum(item["spans"] for item in items)
        if (spans, scores) < (2 * TRACES, TRACES) or scores < TRACES:
            return None
        return {
            "traces": len(items),
            "spans": spans,
            "scores": scores,
            "tokens": sum(item["input_tokens"] for item in items),
            "cost": sum(item["cost_nanousd"] for item in items),
        }

    return eventually(read, what=f"{TRACES} traces of {project} with their scores")


@pytest.mark.parametrize(
    ("protocol", "environ"),
    [
        ("http", {"OTEL_EXPORTER_OTLP_COMPRESSION": "gzip"}),
        ("http", {"OTEL_EXPORTER_OTLP_COMPRESSION": "deflate"}),
        ("grpc", {}),
        ("grpc", {"OTEL_EXPORTER_OTLP_COMPRESSION": "gzip"}),
    ],
)
def test_an_opentelemetry_exporter_needs_only_its_own_variables(
    running: Collector, protocol: str, environ: dict[str, str]
) -> None:
    """Spans and scores are stored once each, with their cost, under the project of the resource."""
    project = f"otlp-{uuid.uuid4().hex}"

    run_program(
        PROGRAM.format(protocol=protocol, traces=TRACES),
        OTEL_EXPORTER_OTLP_ENDPOINT=running.url if protocol == "http" else running.grpc,
        OTEL_RESOURCE_ATTRIBUTES=f"spanwise.project={project},service.name=shop",
        **environ,
    )

    assert totals(running.url, project) == {
        "traces": TRACES,
        "spans": 2 * TRACES,
        "scores": TRACES,
        "tokens": 1000 * TRACES,
        "cost": COST_NANOUSD,
    }


def test_spanwise_s_own_sdk_sends_by_otlp(running: Collector) -> None:
    """Where applications shall not reach Kafka: `endpoint` in place of `kafka`, everything else stays."""
    project = f"otlp-{uuid.uuid4().hex}"
    program = """
import spanwise

spanwise.init()

@spanwise.observe
def answer(question: str) -> str:
    spanwise.score("helpful", True)
    return "forty-two"

print(answer("What is six times seven?"))
"""

    run_program(program, SPANWISE_ENDPOINT=running.url, SPANWISE_PROJECT=project)

    [trace] = traces(running.url, project, 1)

    def scored() -> dict[str, Any] | None:
        found = ask(running.url, f"/api/v1/traces/{trace['trace_id']}", project=project)
        return found if found["scores"] else None

    [score] = eventually(scored, what="the score")["scores"]
    assert (trace["name"], trace["output_preview"], score["name"], score["value"]) == (
        "answer",
        "forty-two",
        "helpful",
        1.0,
    )


def test_the_collector_answers_for_itself(running: Collector) -> None:
    """Its own figures say what was accepted; the ledger has no record missing of the collector as a producer."""
    project = f"otlp-{uuid.uuid4().hex}"
    run_program(
        PROGRAM.format(protocol="http", traces=TRACES),
        OTEL_EXPORTER_OTLP_ENDPOINT=running.url,
        OTEL_RESOURCE_ATTRIBUTES=f"spanwise.project={project}",
    )
    totals(running.url, project)

    metrics = get(f"{running.url}/metrics")
    assert metrics is not None
    lines = dict(line.rsplit(" ", 1) for line in metrics.body.decode().splitlines() if not line.startswith("#"))
    assert float(lines['spanwise_otlp_items_total{outcome="accepted",signal="traces"}']) >= 2 * TRACES
    assert float(lines['spanwise_otlp_items_total{outcome="refused",signal="traces"}']) == 0
    assert float(lines["spanwise_otlp_kafka_ack_seconds_count"]) > 0
    producers = ask(running.url, "/api/v1/pipeline")["producers"]
    assert [one["missing_records"] for one in producers] == [0] * len(producers)


def test_a_key_names_the_project(
    kafka_bootstrap: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Made while the collector runs; with it spans are stored under its project, without it they are refused."""
    project = f"key-{uuid.uuid4().hex}"
    with collector(kafka_bootstrap, tmp_path) as running:
        monkeypatch.setenv("SPANWISE_KEYS_FILE", str(running.keys))
        assert main(["keys", "create", "--project", project, "--scope", "ingest", "--scope", "read"]) == 0
        [secret] = set(re.findall(r"sw_[0-9a-f]{8}_[\w-]{43}", capsys.readouterr().out))

        def locked() -> bool | None:
            return True if httpx.post(f"{running.url}/v1/traces", json={}, timeout=60).status_code == 401 else None

        eventually(locked, what="the first key")
        for protocol, endpoint in (("http", running.url), ("grpc", running.grpc)):
            run_program(
                PROGRAM.format(protocol=protocol, traces=TRACES // 2),
                OTEL_EXPORTER_OTLP_ENDPOINT=endpoint,
                OTEL_EXPORTER_OTLP_HEADERS=f"x-api-key={secret}",
            )
        found = totals(running.url, project, api_key=secret)
        answer = httpx.post(
            f"{running.url}/v1/traces", json={}, headers={"x-api-key": secret, "x-spanwise-project": "hr"}, timeout=60
        )

    assert (found["traces"], found["scores"]) == (TRACES, TRACES)
    assert answer.status_code == 403


def test_what_was_answered_with_success_is_stored_when_the_collector_is_told_to_stop(
    kafka_bootstrap: str, tmp_path: Path
) -> None:
    """Spans taken before and after SIGTERM are in the store in the end; later ones are not answered with 200."""
    project = f"stop-{uuid.uuid4().hex}"
    trace = uuid.uuid4().bytes
    accepted = 0
    with collector(kafka_bootstrap, tmp_path, SPANWISE_BATCH_SECONDS="5") as running:
        with httpx.Client(base_url=running.url, timeout=60) as client:
            for number in range(1, 2_000):
                span = otlp.span(
                    trace_id=trace, span_id=number.to_bytes(8, "big"), start_ns=time_ns(), end_ns=time_ns()
                )
                body = otlp.traces(span, resource={"spanwise.project": project}).SerializeToString()
                try:
                    answer = client.post("/v1/traces", content=body, headers={"content-type": "application/x-protobuf"})
                except httpx.TransportError:
                    break
                if answer.status_code == 503:
                    break
                assert answer.status_code == 200
                accepted += 1
                if number == 50:
                    running.command.process.send_signal(signal.SIGTERM)
        assert running.command.process.wait(PATIENCE_S) == 0
        assert "everything stored" in running.command.output

    with collector(kafka_bootstrap, tmp_path) as again:
        [found] = traces(again.url, project, 1)

    assert 50 <= accepted < 1_999
    assert found["spans"] == accepted


def test_while_the_broker_is_away_nothing_is_answered_with_success(tmp_path: Path) -> None:
    """503 with Retry-After and UNAVAILABLE, in time; after its return the same collector goes on, without a gap."""
    port, trace = free_port(), uuid.uuid4().bytes
    body = otlp.traces(otlp.span(trace_id=trace)).SerializeToString()

    def send(running: Collector) -> httpx.Response:
        headers = {"content-type": "application/x-protobuf"}
        return httpx.post(f"{running.url}/v1/traces", content=body, headers=headers, timeout=60)

    def make_topics(broker: EmbeddedBroker) -> None:
        for topic in (SPANS_TOPIC, LOGS_TOPIC):
            make_topic(broker.bootstrap, topic, partitions=1)

    with ExitStack() as stack:
        broker = EmbeddedBroker(port=port, log_path=tmp_path / "broker.log")
        stack.callback(broker.stop)
        broker.start()
        make_topics(broker)
        running = stack.enter_context(
            collector(broker.bootstrap, tmp_path, SPANWISE_ROLE="otlp", SPANWISE_OTLP_ACK_SECONDS="1")
        )
        before = send(running)
        broker.stop()
        away = [send(running) for _ in range(3)]
        broker.start()
        make_topics(broker)
        eventually(lambda: True if send(running).status_code == 200 else None, what="success after the restart")
        consumer = KafkaConsumer(bootstrap_servers=broker.bootstrap, auto_offset_reset="earliest")
        stack.callback(consumer.close)
        consumer.assign([TopicPartition(SPANS_TOPIC, 0)])
        record = next(consumer)

    assert before.status_code == 200
    assert [(answer.status_code, answer.headers["retry-after"]) for answer in away] == [(503, "5")] * 3
    assert f"127.0.0.1:{port} (SPANWISE_KAFKA)" in away[0].text
    envelope = Envelope.from_headers(record.headers)
    assert envelope is not None
    # The broker that came back is empty; the record after number 0 is number 1, as if nothing had been tried between.
    assert (envelope.seq, envelope.spans, project_from_headers(record.headers), record.value) == (1, 1, "", body)


def test_a_taken_grpc_port_stops_the_start_with_its_setting(tmp_path: Path) -> None:
    """Exit code 2 and the variable, before anything is opened."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with command(
            "spanwise_collector.cli",
            "collector",
            "--port",
            str(free_port()),
            output=tmp_path / "log",
            SPANWISE_GRPC_PORT=str(port),
            SPANWISE_CLICKHOUSE=f"chdb://{tmp_path / 'engine'}",
        ) as refused:
            code = refused.process.wait(PATIENCE_S)

    assert code == 2
    assert f"SPANWISE_GRPC_PORT: cannot listen on 127.0.0.1:{port}" in refused.output
