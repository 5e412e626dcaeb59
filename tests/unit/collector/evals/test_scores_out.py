"""What evals send is what ingest stores: scores with their chance, calls with their cost."""

from dataclasses import replace

from spanwise_collector.evals.calls import Call
from spanwise_collector.evals.sampling import Chance
from spanwise_collector.evals.scores_out import CallOut, ScoreOut, calls_request, scores_request
from spanwise_collector.evals.verdicts import AnswerError, Completion
from spanwise_evaluators.model import Verdict
from spanwise_schemas.score_ids import score_id
from tests.support.judging import MODEL, charged_n, prices
from tests.support.otlp import NOW_NS, record, rows, transform
from tests.unit.collector.evals.test_sampling import TARGET

SEEN = replace(TARGET, start_us=NOW_NS // 1000 - 5_000_000)


def test_a_score_is_stored_with_chance_and_stratum() -> None:
    """Of a span and of its trace: value, label, reason, probability, stratum, at the time of what it is of."""
    said = Verdict(0.0, "fail", "It says nothing.")
    of_span = ScoreOut(SEEN, "helpful", "helpful", "v1", said, Chance(0.25, "failed"), "llm")
    of_trace = replace(of_span, target=SEEN.as_trace(), chance=Chance(1.0, ""), source="code")

    stored = rows(transform(record(scores_request([of_span, of_trace]))), "scores")

    assert [(row["target"], row["span_id"], row["inclusion_p"], row["stratum"], row["source"]) for row in stored] == [
        (1, SEEN.span_id, 0.25, "failed", 2),
        (2, bytes(8), 1.0, "", 1),
    ]
    first = stored[0]
    assert (first["project_id"], first["name"], first["value"], first["label"], first["explanation"]) == (
        "shop",
        "helpful",
        0.0,
        "fail",
        "It says nothing.",
    )
    assert (first["ts"], first["evaluator"], first["evaluator_version"]) == (SEEN.start_us, "helpful", "v1")
    assert first["score_id"].hex() == score_id(
        project="shop",
        trace_id=SEEN.trace_id.hex(),
        span_id=SEEN.span_id.hex(),
        name="helpful",
        evaluator="helpful",
        version="v1",
    )


def test_a_call_is_stored_with_its_cost_in_the_judge_s_project() -> None:
    """Priced from the usage that the endpoint told; what failed is an error with its class."""
    start_ns = NOW_NS - 3_000_000_000
    messages = [{"role": "system", "content": "Judge."}, {"role": "user", "content": "half a pair: \ud83d"}]
    good = Call(start_ns, start_ns + 1_000_000, messages, "{}", Completion("{}", f"{MODEL}-2026", 100, 20), 9, 180_000)
    late = Call(start_ns, start_ns + 5_000_000, messages, "", None, 9, 9, "timeout", "no whole answer within 30 s")
    refused = Completion("", MODEL, 7, 1, problem=AnswerError("refused", "no"))
    bad = Call(start_ns, start_ns, messages, "", refused, 9, 9, "refused", "no")
    out = [
        CallOut("shop-judge", "helpful", "v1", "own", MODEL, call, bytes(15) + b"\7", bytes([1] * 7 + [at]))
        for at, call in enumerate((good, late, bad), 1)
    ]

    stored = rows(transform(record(calls_request(out)), prices=prices()), "spans")

    assert [
        (row["project_id"], row["name"], row["kind"], row["status"], row["error_type"], row["tok_input"])
        for row in stored
    ] == [
        ("shop-judge", "judge helpful", 1, 0, "", 100),
        ("shop-judge", "judge helpful", 1, 2, "timeout", 0),
        ("shop-judge", "judge helpful", 1, 2, "refused", 7),
    ]
    assert stored[0]["cost_total_n"] == charged_n([(100, 20)]) == 180_000
    assert stored[0]["attrs"]["spanwise.judge.name"] == "helpful"
    assert stored[1]["status_message"] == "no whole answer within 30 s"
