"""Texts planted wherever OTLP can hold one come out nowhere when masks are set, and everywhere when none are."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient
from kafka import KafkaConsumer, KafkaProducer

from spanwise_collector.api.app import create_app
from spanwise_collector.normalise.masking import load_masker
from spanwise_collector.service import make_runner
from spanwise_collector.settings import Settings
from spanwise_collector.store.database import Database
from spanwise_schemas.wire import LOGS_TOPIC, REJECTS_TOPIC, SPANS_TOPIC, Envelope
from tests.support.canaries import KEYS, PATTERNS, Canaries, everything_stored
from tests.support.otlp import NOW_MS, SPAN
from tests.support.receiving import MemoryLog, receiving
from tests.support.running import eventually

NOT_STORED = ("schema_url", "trace_state", "severity_text", "entity_refs", ".bytes")
"""Places that no table has a column for, or that it holds as base64; they are found among the rejects."""


@dataclass
class Outcome:
    """Everything that came out of a collector."""

    tables: str
    rejects: bytes
    answers: str
    logged: str


def settings(**more: Any) -> Settings:
    """Settings of the test."""
    return Settings(clickhouse="chdb:///unused", assignment="static", batch_seconds=0.1, retention_days=3650, **more)


def collected(bootstrap: str, database: Database, canaries: Canaries, *, masks: bool, log: list[str]) -> Outcome:
    """Send everything through Kafka and a real ingest."""
    masked = {"mask_patterns": PATTERNS, "mask_keys": KEYS} if masks else {}
    wanted = settings(kafka=bootstrap, **masked)
    runner = make_runner(wanted, database)
    runner.start()
    eventually(lambda: runner.status().lag == 0 or None, what="ingest")
    broken = canaries.new("not protobuf").encode() + b" is no OTLP"
    cut = canaries.traces().SerializeToString() + b"\x0a\x7f"  # a second resource, of which nothing came
    headers = [
        *Envelope(canaries.new("header"), 0, 2, 0).to_headers(),
        ("other", canaries.new("other header").encode()),
    ]
    producer = KafkaProducer(bootstrap_servers=bootstrap)
    for topic, value in (
        (SPANS_TOPIC, canaries.traces().SerializeToString()),
        (LOGS_TOPIC, canaries.logs().SerializeToString()),
        (SPANS_TOPIC, broken),
        (SPANS_TOPIC, cut),
        (LOGS_TOPIC, b"\xff" + broken),
    ):
        producer.send(topic, value=value, headers=headers, key=canaries.new("key").encode(), timestamp_ms=NOW_MS)
    producer.flush()
    producer.close()
    runner.stop(drain=True, timeout_s=30)
    assert runner.status().failure == ""
    return Outcome(
        everything_stored(database), rejects(bootstrap), answers(database, canaries.trace_id.hex()), "\n".join(log)
    )


def rejects(bootstrap: str) -> bytes:
    """All of the rejects topic: keys, values and headers."""
    consumer = KafkaConsumer(
        REJECTS_TOPIC, bootstrap_servers=bootstrap, auto_offset_reset="earliest", consumer_timeout_ms=2_000
    )
    try:
        parts = [
            part
            for record in consumer
            for part in (record.key, record.value, *(value for _, value in record.headers))
            if part
        ]
    finally:
        consumer.close()
    return b"\n".join(parts)


def answers(database: Database, trace: str) -> str:
    """What the query API says of it all."""
    client = TestClient(create_app(database=database, settings=settings()))
    span, window = SPAN.hex(), "project=canaries&from=2026-11-20T00:00:00Z&to=2026-11-25T00:00:00Z"
    paths = [
        "/projects",
        f"/overview?{window}",
        f"/traces?{window}",
        f"/facets?{window}",
        f"/pipeline?{window}",
        f"/costs/by/user?{window}",
        f"/costs/unpriced?{window}",
        f"/costs/duplicates?{window}",
        f"/traces/{trace}?project=canaries",
        f"/traces/{trace}/explain?project=canaries",
        f"/traces/{trace}/spans/{span}?project=canaries",
    ]
    found = [client.get(f"/api/v1{path}") for path in paths]
    return "\n".join(f"{one.url} {one.status_code} {one.text}" for one in found)


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Iterator[list[str]]:
    """Every line that is logged."""
    lines: list[str] = []

    class Lines(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record))

    handler = Lines()
    logging.getLogger().addHandler(handler)
    with caplog.at_level(logging.INFO):
        yield lines
    logging.getLogger().removeHandler(handler)


def test_without_masks_the_planted_texts_are_found(kafka_bootstrap: str, database: Database, log: list[str]) -> None:
    """The control: each is where it belongs, so that the test below would see it."""
    canaries = Canaries("a")

    outcome = collected(kafka_bootstrap, database, canaries, masks=False, log=log)

    assert len(canaries.places) > 200
    everywhere = canaries.found_in(outcome.rejects)
    assert {canaries.places[text] for text in set(canaries.places) - everywhere} == set()
    stored = {canaries.places[text] for text in canaries.found_in(outcome.tables)}
    assert {
        place
        for place in canaries.places.values()
        if place.startswith("traces") and not any(part in place for part in NOT_STORED)
    } - stored == set()
    assert {"score.name", "header"} <= stored
    assert len(canaries.found_in(outcome.answers)) > 20


def test_with_masks_none_comes_out(kafka_bootstrap: str, database: Database, log: list[str]) -> None:
    """Not in a column of a table, nor among the rejects, the answers of the API or the lines of the log."""
    canaries = Canaries("b")

    outcome = collected(kafka_bootstrap, database, canaries, masks=True, log=log)

    places = canaries.places
    assert {places[text] for text in canaries.found_in(outcome.tables)} == set()
    assert {places[text] for text in canaries.found_in(outcome.rejects)} == set()
    assert {places[text] for text in canaries.found_in(outcome.answers, outcome.logged)} == set()
    assert "[masked:email]" in outcome.tables
    assert "[masked:key]" in outcome.tables
    trace = f"trace_id = unhex('{canaries.trace_id.hex()}')"
    assert database.query(f"SELECT tok_input, counts_usage FROM spans WHERE {trace}").rows == [(7, True)]


@pytest.mark.parametrize("masks", [False, True])
def test_the_receivers_write_nothing_unmasked(masks: bool) -> None:
    """Over OTLP/HTTP, traces and logs, what reaches Kafka is masked; without masks it is as it was sent."""
    canaries = Canaries("c")
    memory = MemoryLog()
    masker = load_masker(settings(mask_patterns=PATTERNS, mask_keys=KEYS)) if masks else None

    with receiving(memory, masker=masker) as server:
        for path, request in (("traces", canaries.traces()), ("logs", canaries.logs())):
            answer = httpx.post(
                f"{server.url}/v1/{path}",
                content=request.SerializeToString(),
                headers={"Content-Type": "application/x-protobuf"},
            )
            assert answer.status_code == 200

    written = [record.value for records in memory.records.values() for record in records]
    assert canaries.found_in(*written) == (set() if masks else set(canaries.places))
