"""The HTTP app over the real engine: whole answers, every kind of error, health and metrics."""

import gzip
import json
import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from spanwise_collector.api.app import create_app
from spanwise_collector.ingest.status import IngestCounters, IngestStatus
from spanwise_collector.settings import Settings
from spanwise_collector.store.database import Database, Result
from spanwise_collector.store.errors import QueryLimitError, StoreError, TransientStoreError
from spanwise_schemas.api import Health, PartitionState, Problem
from tests.support.rows import T0, Span, insert, llm

SETTINGS = Settings(clickhouse="chdb:///unused")
AT = T0 + timedelta(minutes=30)


@pytest.fixture
def client(database: Database) -> Iterator[TestClient]:
    """The app half an hour after T0, without ingest."""
    with TestClient(create_app(database=database, settings=SETTINGS, clock=lambda: AT)) as client:
        yield client


class Broken:
    """A store whose every query fails in one way."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def query(
        self,
        sql: str,
        parameters: Mapping[str, object] = {},
        *,
        settings: Mapping[str, object] = {},
        timeout_s: float = 30.0,
    ) -> Result:
        """Fail."""
        raise self._error


def broken(error: Exception, status: IngestStatus | None = None) -> TestClient:
    """The app over a broken store."""
    return TestClient(create_app(database=Broken(error), settings=SETTINGS, status=lambda: status, clock=lambda: AT))


READING = [
    "/api/v1/projects",
    "/api/v1/traces",
    f"/api/v1/traces/{1:032x}",
    f"/api/v1/traces/{1:032x}/spans/{1:016x}",
    "/api/v1/overview",
    "/api/v1/metrics?metric=requests",
    "/api/v1/facets",
    "/api/v1/pipeline",
]
WINDOWED = [
    "/api/v1/traces",
    "/api/v1/overview",
    "/api/v1/metrics?metric=requests",
    "/api/v1/facets",
    "/api/v1/pipeline",
]


def read_problem(answer: Any, status: int, kind: str) -> Problem:
    """The problem document of an answer, checked for what all of them have."""
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    document = Problem.model_validate_json(answer.content)
    assert (document.status, document.type) == (status, f"/problems/{kind}")
    assert document.title
    assert document.detail
    assert "Traceback" not in answer.text
    return document


def test_a_page_of_traces_is_read_to_its_end(client: TestClient, database: Database) -> None:
    """The cursor leads through all pages; times are UTC with microseconds, unknown cost is null."""
    insert(database, [Span(trace=n, span=n, at_ms=n + 0.001) for n in range(1, 4)])
    first = client.get("/api/v1/traces", params={"limit": 2}).json()
    second = client.get("/api/v1/traces", params={"limit": 2, "cursor": first["next_cursor"]}).json()
    assert [item["trace_id"][-1] for item in first["items"] + second["items"]] == ["3", "2", "1"]
    assert second == {
        "items": [
            {
                "trace_id": f"{1:032x}",
                "name": "step",
                "start_time": "2026-03-10T12:00:00.001001Z",
                "duration_ms": 100.0,
                "status": "ok",
                "environment": "prod",
                "release": "v1",
                "user_id": "",
                "session_id": "",
                "tags": [],
                "models": [],
                "spans": 1,
                "llm_calls": 0,
                "errors": 0,
                "input_tokens": 0,
                "output_tokens": 0,
                "cost_nanousd": None,
                "unpriced_calls": 0,
                "input_preview": "",
                "output_preview": "",
            }
        ],
        "next_cursor": None,
    }


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("environment=dev&environment=qa", ["2"]),
        ("name=ask", ["2", "1"]),
        ("kind=llm&kind=tool", ["1"]),
        ("model=m-1", ["1"]),
        ("status=error", ["2"]),
        ("user=ann", ["1"]),
        ("session=s", ["2"]),
        ("tag=x", ["2"]),
        ("min_cost_usd=0.001&max_cost_usd=0.001", ["1"]),
        ("min_cost_usd=0.0010000001", []),
        ("min_duration_ms=100.001", ["1"]),
        ("max_duration_ms=100", ["2"]),
        ("q=%22wo+rds%22", []),
        ("q=Words", ["1"]),
        ("from=2026-03-10T13:00:00.001%2B01:00&to=2026-03-10T12:00:00.002Z", ["2"]),
        ("project=other", []),
    ],
)
def test_each_filter_of_the_list_reaches_the_store(
    client: TestClient, database: Database, query: str, expected: list[str]
) -> None:
    """Every parameter does what its name says, money in USD and durations in milliseconds."""
    insert(
        database,
        [
            Span(trace=1, span=1, name="ask", took_ms=200, user="ann", input="some words"),
            llm(trace=1, span=2, parent=1),
            Span(trace=2, span=3, at_ms=1, name="ask", env="dev", status="error", session="s", tags=("x",)),
        ],
    )
    answer = client.get(f"/api/v1/traces?{query}")
    assert answer.status_code == 200, answer.text
    assert [item["trace_id"][-1] for item in answer.json()["items"]] == expected


def test_every_endpoint_answers_by_its_own_description(client: TestClient, database: Database) -> None:
    """Each answer has exactly the fields that the OpenAPI description names."""
    insert(database, [Span(trace=1, span=1, name="ask", kind="agent", input="in"), llm(trace=1, span=2, parent=1)])
    description = client.get("/openapi.json").json()
    for path in READING:
        answer = client.get(path)
        assert answer.status_code == 200, answer.text
        template = re.sub(r"/traces/0\w+", "/traces/{trace_id}", path.split("?")[0])
        template = re.sub(r"/spans/0\w+", "/spans/{span_id}", template)
        reference = description["paths"][template]["get"]["responses"]["200"]["content"]["application/json"]["schema"][
            "$ref"
        ]
        assert set(answer.json()) == set(
            description["components"]["schemas"][reference.rpartition("/")[2]]["properties"]
        )


ASKS_NO_STORE = {("get", "/api/v1/prices/models"), ("post", "/api/v1/scores"), ("delete", "/api/v1/scores/{score_id}")}
"""Or asks it so little that it cannot take long."""


def test_everything_is_described(client: TestClient) -> None:
    """Each operation has a summary and a text, each parameter a description, each API error its problem document."""
    description = client.get("/openapi.json").json()
    for path, operations in description["paths"].items():
        for method, operation in operations.items():
            assert operation["summary"], path
            assert operation["description"], path
            assert all(parameter.get("description") for parameter in operation.get("parameters", [])), path
            if path.startswith("/api/"):
                errors = {status for status in operation["responses"] if not status.startswith("2")}
                assert {"503", "504"} <= errors or (method, path) in ASKS_NO_STORE, path
                assert all(
                    "application/problem+json" in operation["responses"][status]["content"] for status in errors
                ), path


def test_the_default_window_is_the_last_day(client: TestClient, database: Database) -> None:
    """Without `from` and `to` the answer covers the 24 hours before now."""
    day = 24 * 3_600_000
    insert(
        database,
        [Span(trace=1, span=1), Span(trace=2, span=2, at_ms=-day + 1_800_000), Span(trace=3, span=3, at_ms=-day)],
    )
    assert [item["trace_id"][-1] for item in client.get("/api/v1/traces").json()["items"]] == ["1", "2"]
    overview = client.get("/api/v1/overview").json()
    assert (overview["start"], overview["end"]) == ("2026-03-09T12:30:00Z", "2026-03-10T12:30:00Z")


@pytest.mark.parametrize("path", WINDOWED)
@pytest.mark.parametrize(
    ("window", "says"),
    [
        ({"from": "2026-03-10T12:00:00"}, "no time zone"),
        ({"from": "2026-03-10T12:00:00Z", "to": "2026-03-10T12:00:00Z"}, "must be before"),
        ({"from": "2024-01-01T00:00:00Z"}, "longer than 400 days"),
        ({"from": "1999-12-31T00:00:00Z", "to": "2000-01-02T00:00:00Z"}, "years 2000 to 2099"),
    ],
)
def test_a_time_range_that_cannot_be_used_is_a_problem(
    client: TestClient, path: str, window: dict[str, str], says: str
) -> None:
    """Wherever a time range is taken, a wrong one is answered with 400 and what to send."""
    assert says in read_problem(client.get(path, params=window | {"metric": "requests"}), 400, "bad-request").detail


@pytest.mark.parametrize(
    ("query", "says"),
    [("cursor=abc", "start again without it"), ("q=%25", "letter or digit"), ("q=" + "x" * 501, "longer than 500")],
)
def test_a_value_that_cannot_be_used_is_a_problem(client: TestClient, query: str, says: str) -> None:
    """A made-up cursor and a search without words are answered with 400."""
    assert says in read_problem(client.get(f"/api/v1/traces?{query}"), 400, "bad-request").detail


@pytest.mark.parametrize(
    ("path", "parameters"),
    [
        ("/api/v1/traces?limit=0&kind=nonsense&from=yesterday", {"limit", "kind.0", "from"}),
        ("/api/v1/traces?limit=201", {"limit"}),
        ("/api/v1/traces?min_cost_usd=-1&max_duration_ms=x", {"min_cost_usd", "max_duration_ms"}),
        ("/api/v1/traces?min_cost_usd=NaN", {"min_cost_usd"}),
        ("/api/v1/traces/xyz", {"trace_id"}),
        (f"/api/v1/traces/{1:032x}/spans/1", {"span_id"}),
        ("/api/v1/metrics", {"metric"}),
        ("/api/v1/metrics?metric=nonsense&group_by=x", {"metric", "group_by"}),
    ],
)
def test_malformed_parameters_are_named_each(client: TestClient, path: str, parameters: set[str]) -> None:
    """422 with one entry per wrong parameter."""
    document = read_problem(client.get(path), 422, "invalid-parameters")
    assert {error["parameter"] for error in document.errors} == parameters
    assert all(error["detail"] for error in document.errors)


@pytest.mark.parametrize(
    "path", [f"/api/v1/traces/{9:032x}", f"/api/v1/traces/{9:032x}/spans/{1:016x}", "/nowhere", "/api/v1/"]
)
def test_what_is_not_there_is_a_problem(client: TestClient, path: str) -> None:
    """404, for unknown traces as for unknown paths."""
    assert read_problem(client.get(path), 404, "not-found").instance == path


def test_the_api_cannot_be_written_to(client: TestClient) -> None:
    """405 says which method is possible, in words and in the header."""
    answer = client.post("/api/v1/traces")
    assert "GET" in read_problem(answer, 405, "method-not-allowed").detail
    assert answer.headers["allow"] == "GET"


@pytest.mark.parametrize("path", READING)
@pytest.mark.parametrize(
    ("error", "status", "kind", "says"),
    [
        (TransientStoreError("connection refused to secret-host"), 503, "store-unavailable", "try again"),
        (QueryLimitError("timeout", code=159), 504, "query-too-large", "Narrow the time range"),
        (StoreError("no such table secret", code=60), 500, "internal", "its log has the reason"),
        (ZeroDivisionError("secret"), 500, "internal", "its log has the reason"),
    ],
)
def test_every_failure_of_the_store_is_a_problem(
    path: str, error: Exception, status: int, kind: str, says: str
) -> None:
    """Away, too slow, or broken: the answer says what to do, and nothing of the inside."""
    answer = broken(error).get(path)
    assert says in read_problem(answer, status, kind).detail
    assert "secret" not in answer.text


def test_a_slow_query_is_stopped_at_the_time_limit(database: Database) -> None:
    """The setting reaches the engine: a query over the limit is answered with 504."""
    insert(database, [Span(trace=1, span=1)])
    app = create_app(
        database=database, settings=Settings(clickhouse="chdb:///unused", query_timeout_seconds=1e-9), clock=lambda: AT
    )
    big = [Span(trace=2, span=n, parent=min(n - 1, 2)) for n in range(2, 15_000)]
    insert(database, big)
    read_problem(TestClient(app).get(f"/api/v1/traces/{2:032x}"), 504, "query-too-large")


def test_an_answer_carries_the_request_s_id(client: TestClient) -> None:
    """The caller's id comes back; a missing or unsafe one is replaced."""
    assert client.get("/healthz", headers={"X-Request-ID": "abc-1"}).headers["x-request-id"] == "abc-1"
    for headers in ({}, {"X-Request-ID": "a b\x7f"}, {"X-Request-ID": "x" * 65}):
        assert re.fullmatch("[0-9a-f]{32}", client.get("/healthz", headers=headers).headers["x-request-id"])


def test_a_fault_is_logged_under_the_request_s_id(caplog: pytest.LogCaptureFixture) -> None:
    """The answer names the id under which the log has the reason."""
    answer = broken(ZeroDivisionError("why")).get("/api/v1/projects", headers={"X-Request-ID": "r-1"})
    assert "request r-1" in answer.json()["detail"]
    assert "request r-1" in caplog.text
    assert "ZeroDivisionError: why" in caplog.text


def test_long_answers_are_compressed(client: TestClient, database: Database) -> None:
    """For a client that accepts it."""
    insert(database, [Span(trace=n, span=n) for n in range(1, 40)])
    with client.stream("GET", "/api/v1/traces", headers={"Accept-Encoding": "gzip"}) as answer:
        body = b"".join(answer.iter_raw())
    assert answer.headers["content-encoding"] == "gzip"
    assert len(json.loads(gzip.decompress(body))["items"]) == 39
    assert len(body) < 5000


def test_no_other_site_may_read_the_answers(client: TestClient) -> None:
    """CORS stays off."""
    answer = client.get("/api/v1/projects", headers={"Origin": "https://evil.example"})
    assert not [name for name in answer.headers if name.startswith("access-control")]


RUNNING = IngestStatus(running=True)


@pytest.mark.parametrize(
    ("status", "code", "state", "ingest"),
    [
        (None, 200, "ok", None),
        (RUNNING, 200, "ok", "ok"),
        (IngestStatus(running=False), 503, "starting", "ingest has not started yet"),
        (IngestStatus(running=True, waiting="Kafka is away"), 503, "failing", "Kafka is away"),
        (IngestStatus(running=True, held="t[0] is held", waiting="x"), 503, "failing", "t[0] is held"),
        (IngestStatus(running=False, failure="pin lost; start again"), 503, "failing", "pin lost; start again"),
    ],
)
def test_ready_means_that_it_can_do_its_work(
    database: Database, status: IngestStatus | None, code: int, state: str, ingest: str | None
) -> None:
    """The store answers, and ingest, where it runs here, reads; else 503 says what is wrong."""
    client = TestClient(create_app(database=database, settings=SETTINGS, status=lambda: status))
    answer = client.get("/readyz")
    health = Health.model_validate_json(answer.content)
    expected = {"store": "ok"} | ({"ingest": ingest} if ingest else {})
    assert (answer.status_code, health.status, health.checks) == (code, state, expected)


def test_alive_without_a_store_but_not_ready() -> None:
    """/healthz looks at nothing but the process; /readyz names the setting to check."""
    client = broken(TransientStoreError("refused"), RUNNING)
    assert client.get("/healthz").json()["status"] == "ok"
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (503, "failing")
    assert "SPANWISE_CLICKHOUSE" in answer.json()["checks"]["store"]


def test_metrics_have_ingest_requests_and_store_errors(database: Database) -> None:
    """Counters of ingest, lag by partition, answer times by route, failed queries by kind."""
    partitions = (
        PartitionState(topic="otlp_spans", partition=0, next_offset=7, lag=3),
        PartitionState(topic="otlp_spans", partition=1, next_offset=9, lag=None),
    )
    status = IngestStatus(running=True, partitions=partitions, counters=IngestCounters(records=4, spans=40, rejected=2))
    client = TestClient(create_app(database=database, settings=SETTINGS, status=lambda: status, clock=lambda: AT))
    client.get("/api/v1/projects")
    client.get(f"/api/v1/traces/{5:032x}")
    client.get("/scanned/by/a/bot")
    lines = client.get("/metrics").text.splitlines()
    for line in (
        "spanwise_ingest_ready 1.0",
        "spanwise_ingest_records_total 4.0",
        "spanwise_ingest_spans_total 40.0",
        "spanwise_ingest_rejected_total 2.0",
        'spanwise_ingest_lag{partition="0",topic="otlp_spans"} 3.0',
        'spanwise_ingest_next_offset{partition="1",topic="otlp_spans"} 9.0',
        'spanwise_store_errors_total{kind="transient"} 0.0',
        'spanwise_http_request_seconds_count{method="GET",route="/api/v1/projects",status="200"} 1.0',
        'spanwise_http_request_seconds_count{method="GET",route="/api/v1/traces/{trace_id}",status="404"} 1.0',
        'spanwise_http_request_seconds_count{method="GET",route="(none)",status="404"} 1.0',
    ):
        assert line in lines, line
    assert not [line for line in lines if 'lag{partition="1"' in line]


def test_store_errors_are_counted_by_kind() -> None:
    """Each failed query shows in the metrics."""
    for error, kind in (
        (TransientStoreError("x"), "transient"),
        (QueryLimitError("x"), "limit"),
        (StoreError("x"), "other"),
    ):
        client = broken(error)
        client.get("/api/v1/projects")
        assert f'spanwise_store_errors_total{{kind="{kind}"}} 1.0' in client.get("/metrics").text.splitlines()


def test_without_ingest_its_metrics_are_absent(client: TestClient) -> None:
    """A process that does not ingest does not claim that nothing was ingested."""
    assert "spanwise_ingest" not in client.get("/metrics").text
