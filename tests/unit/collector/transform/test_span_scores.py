"""Scores that spans carry to rows of `scores`."""

from hashlib import sha256
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from spanwise_collector.normalise.evaluations import Evaluation, evaluations_of
from tests.support.otlp import NOW_MS, NOW_NS, SPAN, TRACE, attributes, record, rows, span, traces, transform

OTHER_TRACE, OTHER_SPAN = bytes(range(31, 47)), bytes(range(31, 39))


def event(values: dict[str, object], name: str = "gen_ai.evaluation.result") -> Span.Event:
    """A span event made one second before the record."""
    return Span.Event(name=name, time_unix_nano=NOW_NS - 10**9, attributes=attributes(values))


def scores(*spans: Span) -> list[dict[str, Any]]:
    """The rows that spans give."""
    return rows(transform(record(traces(*spans))), "scores")


def told(*spans: Span) -> list[tuple[object, ...]]:
    """What the scores of spans say, and of what."""
    keys = ("target", "trace_id", "span_id", "session_id", "name", "value", "label", "source", "evaluator")
    return [tuple(row[key] for key in keys) for row in scores(*spans)]


def link(trace_id: bytes = OTHER_TRACE, span_id: bytes = OTHER_SPAN) -> Span.Link:
    """A link to another span."""
    return Span.Link(trace_id=trace_id, span_id=span_id)


def test_event() -> None:
    """An evaluation event is a score of the span that has it, at the event's time; other events are none."""
    found = span(
        events=[
            event({}, "exception"),
            event(
                {
                    "gen_ai.evaluation.name": "helpful",
                    "gen_ai.evaluation.score.value": 0.5,
                    "spanwise.score.id": "ab" * 16,
                }
            ),
        ]
    )

    (row,) = scores(found)

    assert {
        "project_id": "shop",
        "score_id": bytes.fromhex("ab" * 16),
        "target": 1,
        "trace_id": TRACE,
        "span_id": SPAN,
        "name": "helpful",
        "value": 0.5,
        "ts": NOW_MS * 1000 - 1_000_000,
        "version": (NOW_MS << 22) | 7,
    }.items() <= row.items()


def test_openinference_attributes() -> None:
    """Evaluations and annotations of a span, its trace and its session are scores of these."""
    values = {
        "openinference.span.kind": "CHAIN",
        "session.id": "s1",
        "evaluations.1.evaluation.name": "brief",
        "evaluations.1.evaluation.label": "yes",
        "evaluations.0.evaluation.name": "hallucination",
        "evaluations.0.evaluation.score": 1,
        "evaluations.0.evaluation.label": "hallucinated",
        "evaluations.0.evaluation.annotator_kind": "LLM",
        "evaluations.0.evaluation.identifier": "judge-v2",
        "trace.annotations.0.annotation.name": "correct",
        "trace.annotations.0.annotation.score": 0.25,
        "trace.annotations.0.annotation.annotator_kind": "HUMAN",
        "session.evaluations.0.evaluation.name": "resolved",
        "session.evaluations.0.evaluation.score": 0.0,
    }

    assert told(span(values=values)) == [
        (1, TRACE, SPAN, "", "hallucination", 1.0, "hallucinated", 2, "judge-v2"),
        (1, TRACE, SPAN, "", "brief", None, "yes", 1, ""),
        (3, bytes(16), bytes(8), "s1", "resolved", 0.0, "", 1, ""),
        (2, TRACE, bytes(8), "", "correct", 0.25, "", 3, ""),
    ]


def test_carrier() -> None:
    """A span with exactly one link carries the scores of the linked span; with two its own."""
    values = {"evaluations.0.evaluation.name": "correct", "evaluations.0.evaluation.score": 1}
    sent = {"gen_ai.evaluation.name": "helpful", "gen_ai.evaluation.score.value": 0.5}

    carrier = span(values=values, events=[event(sent)], links=[link()])
    linked_twice = span(values=values, links=[link(), link(TRACE)])

    assert [row[:3] for row in told(carrier)] == [(1, OTHER_TRACE, OTHER_SPAN)] * 2
    assert [row[:3] for row in told(linked_twice)] == [(1, TRACE, SPAN)]


def test_identity() -> None:
    """A result with an identifier replaces the one before, whoever carries it; without one, two carriers are two."""
    values = {"evaluations.0.evaluation.name": "correct", "evaluations.0.evaluation.score": 1}
    named = values | {"evaluations.0.evaluation.identifier": "a"}

    def ids(values: dict[str, object]) -> set[bytes]:
        carriers = [span(values=values, span_id=bytes([n]) * 8, links=[link()]) for n in (1, 2)]
        return {row["score_id"] for row in scores(*carriers)}

    parts = (OTHER_TRACE.hex(), OTHER_SPAN.hex(), "", "correct", "a")
    assert ids(named) == {sha256("\0".join(parts).encode()).digest()[:16]}
    assert len(ids(values)) == 2


@pytest.mark.parametrize(
    "values",
    [
        {"evaluations.0.evaluation.score": 1},
        {"evaluations.0.evaluation.name": "n"},
        {"evaluations.0.evaluation.name": "n", "evaluations.0.evaluation.explanation": "because"},
        {"session.evaluations.0.evaluation.name": "n", "session.evaluations.0.evaluation.score": 1},
    ],
)
def test_no_score(values: dict[str, object]) -> None:
    """A span whose evaluation says nothing, or belongs nowhere, is stored with a warning and gives no score."""
    batch = transform(record(traces(span(values=values))))

    assert ([], [["bad_score"]]) == (rows(batch, "scores"), [row["warnings"] for row in rows(batch, "spans")])


def test_counts() -> None:
    """Scores that spans carry are rows, but no items of their own: what was sent adds up without them."""
    batch = transform(
        record(traces(span(events=[event({"gen_ai.evaluation.name": "n", "gen_ai.evaluation.score.value": 1})])))
    )

    assert (1, 0, 1) == (batch.spans, batch.scores, len(rows(batch, "scores")))


def test_stored_span_gives_no_scores_again() -> None:
    """A span that is stored already is dropped with the scores it carries."""
    found = span(values={"evaluations.0.evaluation.name": "n", "evaluations.0.evaluation.score": 1})

    batch = transform(record(traces(found)), seen=[TRACE + SPAN])

    assert ([], 1) == (rows(batch, "scores"), batch.duplicates)


@pytest.mark.parametrize(
    "name", ["evaluations.evaluation.name", "evaluations.x.evaluation.name", "my.evaluations.0.evaluation.name"]
)
def test_other_names(name: str) -> None:
    """Attributes that only look alike are none."""
    assert evaluations_of([name], ["x"]) == []


def test_numbers_are_numbers() -> None:
    """Evaluations come in the order of their numbers, not of these as text."""
    found = evaluations_of([f"evaluations.{n}.evaluation.name" for n in (10, 2)], ["ten", "two"])

    assert found == [Evaluation("", name, "", "", "", "code", "") for name in ("two", "ten")]
