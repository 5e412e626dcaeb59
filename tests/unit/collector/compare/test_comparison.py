"""Comparisons on the real engine: what differs is named, what does not is left alone."""

from datetime import timedelta
from random import Random

import pyarrow as pa

from spanwise_collector.compare.comparison import SideWanted, compare
from spanwise_collector.compare.sides import candidates
from spanwise_collector.query.values import micros
from spanwise_collector.query.window import DAY, Window
from spanwise_collector.store.database import Database
from tests.support.failure_rows import Failed, insert_failures
from tests.support.rows import T0, Span, insert, llm, trace_id
from tests.support.score_rows import Scored, human, insert_scores

START = micros(T0) - micros(T0) % DAY + DAY
FIRST, SECOND = Window(START, START + DAY), Window(START + DAY, START + 2 * DAY)
NOW = SECOND.end


def traffic(*, day: int, errors: float, slow: float, release: str, first: int, seed: int) -> list[Span]:
    """A day of 720 requests with a call each."""
    rng = Random(seed)
    spans = []
    for number in range(720):
        trace = first + number
        at = (START + day * DAY - micros(T0)) / 1000 + number * 120_000
        failed = rng.random() < errors
        took = 400 * slow * rng.lognormvariate(0, 0.3)
        spans.append(
            Span(
                trace=trace,
                span=2 * trace,
                name="ask",
                at_ms=at,
                took_ms=took,
                status="error" if failed else "ok",
                release=release,
            )
        )
        spans.append(
            llm(
                trace=trace,
                span=2 * trace + 1,
                parent=2 * trace,
                at_ms=at,
                took_ms=took * 0.9,
                release=release,
                prompt=("ask", release),
                cost=round(1e6 * rng.lognormvariate(0, 0.2)),
            )
        )
    return spans


def two_days(database: Database) -> None:
    """A quiet day of v1, then one of v2 with more errors and half as slow again."""
    insert(database, traffic(day=0, errors=0.03, slow=1.0, release="v1", first=1, seed=1))
    insert(database, traffic(day=1, errors=0.12, slow=1.5, release="v2", first=1001, seed=2))


def test_what_got_worse_is_named_and_the_rest_is_not(database: Database) -> None:
    """Errors and latency are worse, cost and tokens are no different."""
    two_days(database)
    found = compare(database, "default", "window", SideWanted(FIRST), SideWanted(SECOND), now_us=NOW)

    verdicts = {row.signal: row.verdict for row in found.metrics}
    assert {name for name, verdict in verdicts.items() if verdict == "worse"} == {
        "error_rate",
        "latency",
        "call_latency",
    }
    assert {verdicts[name] for name in ("cost_per_request", "cost_per_call", "input_tokens", "output_tokens")} == {
        "no_difference"
    }
    latency = next(row for row in found.metrics if row.signal == "latency")
    assert latency.relative
    assert latency.low is not None
    assert latency.high is not None
    assert latency.low < 0.5 < latency.high
    assert "worse: error rate, latency" in found.sentence
    assert (found.a.requests, found.b.requests, found.notes) == (720, 720, [])


def test_releases_are_compared_wherever_they_lie(database: Database) -> None:
    """Sides of one window are told apart by their release; so are prompts, with what calls tell."""
    two_days(database)
    both = Window(FIRST.start, SECOND.end)
    found = compare(database, "default", "release", SideWanted(both, "v1"), SideWanted(both, "v2"), now_us=NOW)
    assert {row.signal: row.verdict for row in found.metrics}["error_rate"] == "worse"
    assert (found.a.label, found.b.label, found.a.requests) == ("v1", "v2", 720)

    prompts = compare(database, "default", "prompt", SideWanted(both, "ask@v1"), SideWanted(both, "ask@v2"), now_us=NOW)
    assert "error_rate" not in {row.signal for row in prompts.metrics}
    assert {row.signal: row.verdict for row in prompts.metrics}["call_latency"] == "worse"


def test_scores_and_failures_stand_beside(database: Database) -> None:
    """Scores count for the time of their trace; an issue that grew is worse."""
    two_days(database)
    rng = Random(3)
    rows = [
        {
            "project_id": "default",
            "score_id": number.to_bytes(16, "big"),
            "target": "trace",
            "trace_id": trace_id(number),
            "name": "helpful",
            "value": (0.9 if number < 1000 else 0.7) + rng.gauss(0, 0.05),
            "source": "code",
            "ts": T0 + timedelta(days=3),
            "version": 1,
        }
        for number in (*range(1, 301), *range(1001, 1301))
    ]
    schema = pa.schema(
        [
            ("project_id", pa.string()),
            ("score_id", pa.binary(16)),
            ("target", pa.string()),
            ("trace_id", pa.binary(16)),
            ("name", pa.string()),
            ("value", pa.float64()),
            ("source", pa.string()),
            ("ts", pa.timestamp("us", "UTC")),
            ("version", pa.uint64()),
        ]
    )
    database.insert("scores", pa.RecordBatch.from_pylist(rows, schema=schema), token="scores")
    minutes = (START - micros(T0)) / 60e6
    insert_failures(
        database,
        [
            *(Failed(fingerprint=1, at=minutes + number, span=number) for number in range(20)),
            *(Failed(fingerprint=1, at=minutes + 1440 + number, span=100 + number) for number in range(70)),
            *(Failed(fingerprint=2, at=minutes + number * 60, span=300 + number, title="Old") for number in range(40)),
        ],
    )
    found = compare(database, "default", "window", SideWanted(FIRST), SideWanted(SECOND), now_us=NOW)

    assert [(row.signal, row.n_a, row.n_b, row.verdict) for row in found.scores] == [
        ("score:helpful", 300, 300, "worse")
    ]
    assert [(row.issue_id[-1], row.count_a, row.count_b, row.verdict) for row in found.failures] == [
        ("1", 20, 70, "worse"),
        ("2", 24, 16, "no_difference"),
    ]


def test_too_little_data_is_said(database: Database) -> None:
    """Empty sides are no difference but too little to tell, and the notes say so."""
    found = compare(database, "default", "window", SideWanted(FIRST), SideWanted(SECOND), now_us=NOW)
    assert (found.metrics, found.scores, found.failures, len(found.notes)) == ([], [], [], 2)


def test_candidates_are_the_most_recent_first(database: Database) -> None:
    """Releases, prompts and models with first and last sight."""
    two_days(database)
    both = Window(FIRST.start, SECOND.end)
    assert [one.value for one in candidates(database, "default", "release", both, timeout_s=30).items] == ["v2", "v1"]
    prompts = candidates(database, "default", "prompt", both, timeout_s=30).items
    assert [(one.value, one.calls) for one in prompts] == [("ask@v2", 720), ("ask@v1", 720)]


def judged(database: Database, first: int, *, hits: float, misses: float = 0.05) -> None:
    """300 scores of a judge; people find four of five answers good and looked at every second."""
    rng = Random(first)
    scores = []
    for number in range(first, first + 300):
        fine = number % 5 > 0
        passed = float(rng.random() < (hits if fine else misses))
        scores.append(Scored(trace=number, value=passed, at=2 * 86_400))
        if rng.random() < 0.5:
            scores.append(human(trace=number, value=float(fine), chance=0.5, at=2 * 86_400 + 1))
            scores.append(human(trace=number, name="kind", value=float(number % 3 > 0), at=2 * 86_400 + 1))
    insert_scores(database, scores)


def test_scores_of_a_judge_are_corrected_by_people(database: Database) -> None:
    """The judge became stricter, people did not: no difference. What people alone score is compared as it is."""
    two_days(database)
    judged(database, 1, hits=0.97)
    judged(database, 1001, hits=0.7)
    found = compare(database, "default", "window", SideWanted(FIRST), SideWanted(SECOND), now_us=NOW)

    rows = {row.signal: row for row in found.scores}
    helpful, kind = rows["score:helpful"], rows["score:kind"]
    assert (helpful.n_a, helpful.n_b, helpful.verdict) == (300, 300, "no_difference")
    assert helpful.correction is not None
    assert helpful.correction.corrected
    assert (helpful.correction.raw_a or 0) - (helpful.correction.raw_b or 0) > 0.15
    assert helpful.a is not None
    assert helpful.b is not None
    assert abs(helpful.a - helpful.b) < 0.08
    assert kind.correction is None
    assert 100 < kind.n_a < 200

    database.command("ALTER TABLE scores DELETE WHERE source = 'human' SETTINGS mutations_sync = 2")
    bare = compare(database, "default", "window", SideWanted(FIRST), SideWanted(SECOND), now_us=NOW)
    assert [(row.signal, row.verdict) for row in bare.scores] == [("score:helpful", "worse")]
    assert bare.scores[0].correction is not None
    assert bare.scores[0].correction.words == "not corrected: no labels"


def test_a_judge_that_disagrees_with_people_proves_nothing(database: Database) -> None:
    """Its kappa is below the limit, and the row says so."""
    two_days(database)
    judged(database, 1, hits=0.9, misses=0.85)
    judged(database, 1001, hits=0.3, misses=0.3)
    found = compare(database, "default", "window", SideWanted(FIRST), SideWanted(SECOND), now_us=NOW)

    (helpful,) = (row for row in found.scores if row.signal == "score:helpful")
    assert helpful.verdict == "not_trusted"
    assert "the judge agrees too little with people (judge 1: kappa" in helpful.sentence
    assert "score helpful" not in found.sentence
