"""Evaluation results in log records to rows of `scores`."""

from hashlib import sha256
from typing import Any

import pytest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

from tests.support.otlp import NOW_MS, NOW_NS, SPAN, TRACE, attributes, logs, record, rows, transform

GOOD = {"gen_ai.evaluation.name": "helpful", "gen_ai.evaluation.score.value": 0.5}


def entry(values: dict[str, object], **fields: Any) -> LogRecord:
    """A score of the test span, made one second before its record."""
    given: dict[str, Any] = {
        "event_name": "gen_ai.evaluation.result",
        "trace_id": TRACE,
        "span_id": SPAN,
        "time_unix_nano": NOW_NS - 10**9,
    }
    return LogRecord(attributes=attributes(values), **(given | fields))


def one_score(found: LogRecord) -> dict[str, Any]:
    """The row of one score."""
    (row,) = rows(transform(record(logs(found))), "scores")
    return row


def derived(*parts: str) -> bytes:
    """The id of a score that brings none."""
    return sha256("\0".join(parts).encode()).digest()[:16]


def test_whole_score() -> None:
    """Every attribute of a score has its column."""
    found = entry(
        GOOD
        | {
            "gen_ai.evaluation.score.label": "so-so",
            "gen_ai.evaluation.explanation": "half of it",
            "gen_ai.response.id": "r1",
            "session.id": "s1",
            "spanwise.score.id": "0123456789abcdef0123456789ABCDEF",
            "spanwise.score.source": "human",
            "spanwise.score.evaluator": "desk",
            "spanwise.score.evaluator_version": "2",
            "spanwise.score.inclusion_probability": 0.05,
            "spanwise.score.stratum": "rule:refused",
        }
    )

    assert one_score(found) == {
        "project_id": "shop",
        "score_id": bytes.fromhex("0123456789abcdef0123456789abcdef"),
        "target": 1,
        "trace_id": TRACE,
        "span_id": SPAN,
        "session_id": "s1",
        "response_id": "r1",
        "name": "helpful",
        "value": 0.5,
        "label": "so-so",
        "explanation": "half of it",
        "source": 3,
        "evaluator": "desk",
        "evaluator_version": "2",
        "ts": NOW_MS * 1000 - 1_000_000,
        "version": (NOW_MS << 22) | 7,
        "is_deleted": 0,
        "judge_cost_n": 0,
        "judge_trace_id": bytes(16),
        "inclusion_p": 0.05,
        "stratum": "rule:refused",
    }


def test_plain_score() -> None:
    """A score by another library has an id that follows from what it says, so that sending it again replaces it."""
    row = one_score(entry(GOOD))

    time = str(NOW_MS * 1000 - 1_000_000)
    assert (derived("shop", TRACE.hex(), SPAN.hex(), "", "", "helpful", "", time), 1, "") == (
        row["score_id"],
        row["source"],
        row["evaluator"],
    )


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        ({"gen_ai.evaluation.score.value": 1}, (1.0, "")),
        ({"gen_ai.evaluation.score.value": 0}, (0.0, "")),
        ({"gen_ai.evaluation.score.value": True}, (1.0, "true")),
        ({"gen_ai.evaluation.score.value": False, "gen_ai.evaluation.score.label": "no"}, (0.0, "no")),
        ({"gen_ai.evaluation.score.value": "0.25"}, (0.25, "")),
        ({"gen_ai.evaluation.score.value": "good"}, (None, "good")),
        ({"gen_ai.evaluation.score.label": "good"}, (None, "good")),
        ({"gen_ai.evaluation.score.value": float("nan"), "gen_ai.evaluation.score.label": "odd"}, (None, "odd")),
    ],
)
def test_value(value: dict[str, object], stored: tuple[float | None, str]) -> None:
    """Numbers are values, words are labels, booleans are both."""
    row = one_score(entry({"gen_ai.evaluation.name": "n"} | value))

    assert stored == (row["value"], row["label"])


@pytest.mark.parametrize(
    ("found", "target"),
    [
        (entry(GOOD), 1),
        (entry(GOOD, span_id=b""), 2),
        (entry(GOOD, span_id=bytes(8)), 2),
        (entry(GOOD | {"session.id": "s"}, trace_id=b"", span_id=b""), 3),
        (entry(GOOD | {"gen_ai.response.id": "r"}, trace_id=b"", span_id=b""), 1),
    ],
)
def test_target(found: LogRecord, target: int) -> None:
    """A score belongs to a span, a trace or a session, by what it names."""
    assert target == one_score(found)["target"]


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (entry(GOOD, event_name="log"), "unknown_event"),
        (entry(GOOD, event_name=""), "unknown_event"),
        (entry({"gen_ai.evaluation.score.value": 1}), "score_without_name"),
        (entry({"gen_ai.evaluation.name": "n"}), "score_without_value"),
        (entry({"gen_ai.evaluation.name": "n", "gen_ai.evaluation.score.value": float("inf")}), "score_without_value"),
        (entry(GOOD, trace_id=b"", span_id=b""), "score_without_target"),
        (entry(GOOD, trace_id=b"short"), "bad_trace_id"),
        (entry(GOOD, span_id=b"short"), "bad_span_id"),
        (entry(GOOD | {"spanwise.score.id": "xyz"}), "bad_score_id"),
    ],
)
def test_refused(found: LogRecord, reason: str) -> None:
    """What is no score is refused by itself; the score beside it is stored."""
    batch = transform(record(logs(entry(GOOD), found)))

    assert ([(reason, 1)], 1, 1) == (
        [(one.reason, one.items) for one in batch.rejections],
        batch.scores,
        len(rows(batch, "scores")),
    )


@pytest.mark.parametrize(
    ("times", "stored"),
    [
        ({"time_unix_nano": 0, "observed_time_unix_nano": NOW_NS - 5000}, NOW_MS * 1000 - 5),
        ({"time_unix_nano": 0}, NOW_MS * 1000),
        ({"time_unix_nano": 2**64 - 1}, NOW_MS * 1000),
    ],
)
def test_time(times: dict[str, int], stored: int) -> None:
    """Without a time of its own, or with one in the future, a score has its record's."""
    assert stored == one_score(entry(GOOD, **times))["ts"]


def test_event_name_as_attribute() -> None:
    """SDKs before event names had a field of their own send the name as an attribute."""
    found = entry(GOOD | {"event.name": "gen_ai.evaluation.result"}, event_name="")

    assert "helpful" == one_score(found)["name"]


def test_later_score_replaces_earlier() -> None:
    """The version rises with the record's time and, within a millisecond, its offset."""
    batch = transform(
        record(logs(entry(GOOD)), offset=1),
        record(logs(entry(GOOD)), offset=2),
        record(logs(entry(GOOD)), offset=3, timestamp_ms=NOW_MS + 1),
    )
    found = rows(batch, "scores")

    assert (1, sorted({row["version"] for row in found})) == (
        len({row["score_id"] for row in found}),
        [row["version"] for row in found],
    )


@pytest.mark.parametrize(
    ("told", "stored", "warnings"),
    [(1, 1.0, 0), ("0.25", 0.25, 0), (0, 1.0, 1), (-0.5, 1.0, 1), (1.5, 1.0, 1), (float("nan"), 1.0, 1), ("x", 1.0, 1)],
)
def test_inclusion_probability(told: object, stored: float, warnings: int) -> None:
    """A probability that cannot be is flagged, and 1 is stored."""
    batch = transform(record(logs(entry(GOOD | {"spanwise.score.inclusion_probability": told}))))

    assert (stored, warnings) == (rows(batch, "scores")[0]["inclusion_p"], batch.warnings)


@pytest.mark.parametrize(
    ("word", "source"),
    [("code", 1), ("llm", 2), ("judge", 2), ("human", 3), ("Person", 3), ("user", 4), ("", 1), ("martian", 1)],
)
def test_source(word: str, source: int) -> None:
    """A source has two names where people use two; one that is not known is code."""
    assert source == one_score(entry(GOOD | {"spanwise.score.source": word}))["source"]


def test_taken_back() -> None:
    """A score that is taken back is a newer row with the same id and target, marked as deleted."""
    gone = {
        "gen_ai.evaluation.name": "helpful",
        "spanwise.score.id": "0123456789abcdef0123456789abcdef",
        "spanwise.score.is_deleted": True,
    }

    row = one_score(entry(gone))

    assert (1, 1, TRACE, None) == (row["is_deleted"], row["target"], row["trace_id"], row["value"])
