"""One trace and one span: everything that was stored, nothing of another project."""

from datetime import timedelta

import pyarrow as pa
import pytest

from spanwise_collector.query.projects import list_projects
from spanwise_collector.query.span import get_span
from spanwise_collector.query.trace import MAX_SPANS, get_trace
from spanwise_collector.query.window import DAY
from spanwise_collector.store.database import Database
from spanwise_schemas.api import CostDetail, ProjectInfo, Score, SpanDetail, SpanSummary, Usage
from tests.support.rows import T0, Span, insert, llm, span_id, trace_id

NOW_US = int(T0.timestamp() * 1e6)
ROOT = Span(trace=1, span=1, name="ask", kind="agent", took_ms=900, input="question", output="answer", user="ann")
CALL = llm(
    trace=1,
    span=2,
    parent=1,
    at_ms=10.5,
    took_ms=400.25,
    ttft_ms=50,
    model="big-2",
    model_request="big",
    input='[{"role": "user"}]',
    output="hello",
    attrs={"http.route": "/ask"},
    session="s",
    tags=("t",),
)
CALL_SUMMARY = SpanSummary(
    span_id="0000000000000002",
    parent_span_id="0000000000000001",
    name="chat",
    kind="llm",
    status="ok",
    start_time=T0 + timedelta(microseconds=10_500),
    offset_ms=10.5,
    duration_ms=400.25,
    ttft_ms=50,
    model="big-2",
    usage=Usage(input=100, output=20),
    counts_usage=True,
    cost_nanousd=1_000_000,
    input_preview='[{"role": "user"}]',
    output_preview="hello",
)


def add_score(
    database: Database,
    number: int,
    name: str,
    *,
    version: int = 1,
    span: int = 0,
    deleted: int = 0,
    value: float | None = 1.0,
) -> None:
    """A score of trace 1 (or of one of its spans), five seconds after T0 plus its number."""
    row = {
        "project_id": "default",
        "score_id": number.to_bytes(16, "big"),
        "target": "span" if span else "trace",
        "trace_id": trace_id(1),
        "span_id": span_id(span),
        "name": name,
        "value": value,
        "label": "good",
        "explanation": "because",
        "source": "llm",
        "evaluator": "judge",
        "evaluator_version": "2",
        "ts": T0 + timedelta(seconds=5 + number),
        "version": version,
        "is_deleted": deleted,
    }
    types = {
        "ts": pa.timestamp("us", tz="UTC"),
        "version": pa.uint64(),
        "is_deleted": pa.uint8(),
        "value": pa.float64(),
        "score_id": pa.binary(16),
    }
    types |= {"trace_id": pa.binary(16), "span_id": pa.binary(8)}
    schema = pa.schema([(key, types.get(key, pa.string())) for key in row])
    database.insert(
        "scores", pa.RecordBatch.from_pylist([row], schema=schema), token=f"score {number} {version} {deleted}"
    )


def score(number: int, name: str, *, span: str = "", value: float | None = 1.0) -> Score:
    """What `add_score` should be read as."""
    return Score(
        score_id=f"{number:032x}",
        target="span" if span else "trace",
        trace_id=f"{1:032x}",
        span_id=span,
        name=name,
        value=value,
        label="good",
        explanation="because",
        source="llm",
        evaluator="judge",
        evaluator_version="2",
        time=T0 + timedelta(seconds=5 + number),
    )


def test_a_trace_has_its_spans_in_order_and_its_scores(database: Database) -> None:
    """Spans by start, scores by time; of a score sent again the newest version counts, a deleted one is gone."""
    insert(database, [CALL, ROOT])
    add_score(database, 1, "old", version=1)
    add_score(database, 1, "helpful", version=2)
    add_score(database, 2, "faithful", span=2, value=None)
    add_score(database, 3, "gone", version=1)
    add_score(database, 3, "gone", version=2, deleted=1)
    found = get_trace(database, "default", trace_id(1))
    assert found is not None
    assert (found.summary.name, found.summary.spans, found.truncated) == ("ask", 2, False)
    assert found.spans == [
        SpanSummary(
            span_id="0000000000000001",
            name="ask",
            kind="agent",
            status="ok",
            start_time=T0,
            offset_ms=0,
            duration_ms=900,
            input_preview="question",
            output_preview="answer",
        ),
        CALL_SUMMARY,
    ]
    assert found.scores == [score(1, "helpful"), score(2, "faithful", span="0000000000000002", value=None)]


def test_a_span_has_everything_that_is_known_of_it(database: Database) -> None:
    """Bodies, attributes, both model names, cost with its parts, and its own scores only."""
    insert(database, [ROOT, CALL])
    add_score(database, 1, "of the trace")
    add_score(database, 2, "faithful", span=2)
    assert get_span(database, "default", trace_id(1), span_id(2), now_us=NOW_US) == SpanDetail(
        summary=CALL_SUMMARY,
        trace_id=f"{1:032x}",
        project="default",
        service="api",
        environment="prod",
        release="v1",
        session_id="s",
        tags=["t"],
        model_request="big",
        model_response="big-2",
        cost=CostDetail(
            source="computed",
            input_nanousd=250_000,
            output_nanousd=750_000,
            total_nanousd=1_000_000,
            price_version="prices 1",
        ),
        input='[{"role": "user"}]',
        output="hello",
        bodies="stored",
        input_bytes=18,
        output_bytes=5,
        attributes={"http.route": "/ask"},
        scores=[score(2, "faithful", span="0000000000000002")],
    )


@pytest.mark.parametrize(
    ("span", "days", "bodies"),
    [
        (Span(trace=1, span=1), 0, "none"),
        (Span(trace=1, span=1, input="x"), 0, "stored"),
        (Span(trace=1, span=1, output="x", bodies_stored=False), 13, "absent"),
        (Span(trace=1, span=1, output="x", bodies_stored=False), 15, "expired"),
    ],
)
def test_a_span_says_whether_it_had_bodies(database: Database, span: Span, days: int, bodies: str) -> None:
    """None, stored, not stored while they should be, or gone because they are kept for a shorter time."""
    insert(database, [span])
    found = get_span(database, "default", trace_id(1), span_id(1), now_us=NOW_US + days * DAY)
    assert found is not None
    assert (found.bodies, found.cost) == (bodies, CostDetail(source="none"))


def test_a_trace_over_midnight_is_whole(database: Database) -> None:
    """Partitions and hour buckets do not show."""
    twelve_hours = 12 * 3_600_000.0
    insert(
        database,
        [Span(trace=1, span=1, took_ms=twelve_hours + 10), Span(trace=1, span=2, parent=1, at_ms=twelve_hours)],
    )
    found = get_trace(database, "default", trace_id(1))
    assert found is not None
    assert [span.offset_ms for span in found.spans] == [0, twelve_hours]
    assert get_span(database, "default", trace_id(1), span_id(2), now_us=NOW_US) is not None


def test_a_span_that_is_stored_twice_is_shown_once(database: Database) -> None:
    """A row that a repair wrote again does not show twice."""
    for token in ("a", "b"):
        insert(database, [ROOT, CALL], token=token)
    found = get_trace(database, "default", trace_id(1))
    assert found is not None
    assert [span.span_id for span in found.spans] == ["0000000000000001", "0000000000000002"]


def test_a_very_large_trace_is_cut_and_says_so(database: Database) -> None:
    """Of more than 20,000 spans the first are given."""
    insert(database, [Span(trace=1, span=n, parent=min(n - 1, 1), at_ms=n) for n in range(1, MAX_SPANS + 3)])
    found = get_trace(database, "default", trace_id(1))
    assert found is not None
    assert (len(found.spans), found.truncated, found.summary.spans) == (MAX_SPANS, True, MAX_SPANS + 2)
    assert found.spans[-1].offset_ms == MAX_SPANS - 1


def test_another_project_s_traces_are_not_found(database: Database) -> None:
    """Knowing the id is not enough."""
    insert(database, [ROOT, CALL])
    assert get_trace(database, "other", trace_id(1)) is None
    assert get_span(database, "other", trace_id(1), span_id(2), now_us=NOW_US) is None
    assert get_span(database, "default", trace_id(1), span_id(3), now_us=NOW_US) is None
    assert get_trace(database, "default", trace_id(2)) is None


def test_projects_are_listed_by_their_last_activity(database: Database) -> None:
    """With how many spans each has."""
    assert list_projects(database).items == []
    insert(database, [Span(trace=1, span=1), Span(trace=1, span=2, at_ms=5)])
    insert(database, [Span(trace=2, span=3, project="busy", at_ms=9)])
    assert list_projects(database).items == [
        ProjectInfo(name="busy", last_seen=T0 + timedelta(milliseconds=109), spans=1),
        ProjectInfo(name="default", last_seen=T0 + timedelta(milliseconds=105), spans=2),
    ]
