"""Evaluators of spans: what they see, what becomes of what they say, and that they never harm the application."""

import asyncio
import gc
import logging
import threading
import time
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import pytest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

import spanwise
from spanwise._eval_worker import EvalWorker
from spanwise._evals import Evals, Job
from spanwise._guard import guard
from spanwise.testing import START_NS, TICK_NS, capture
from spanwise_evaluators.model import Document, Sample, ToolCall, Verdict
from spanwise_schemas.score_ids import score_id
from tests.unit.sdk.conftest import Start
from tests.unit.sdk.test_pipeline import wait_until


class Gate:
    """An evaluator that waits until it is let go on, and remembers what it saw and where it ran."""

    name = "gate"
    version = "1"

    def __init__(self) -> None:
        self.go_on = threading.Event()
        self.samples: list[Sample] = []
        self.threads: set[str] = set()

    def __call__(self, sample: Sample) -> Verdict | None:
        self.samples.append(sample)
        self.threads.add(threading.current_thread().name)
        self.go_on.wait(60)
        return Verdict(1.0)


@pytest.fixture
def gate() -> Iterator[Gate]:
    """Let go at the end, so that no thread outlives the test."""
    found = Gate()
    yield found
    found.go_on.set()


def scored(captured: Any) -> dict[str, tuple[object, object]]:
    """Value and label of each score by its name."""
    return {
        one["attributes"]["gen_ai.evaluation.name"]: (
            one["attributes"].get("gen_ai.evaluation.score.value"),
            one["attributes"].get("gen_ai.evaluation.score.label"),
        )
        for one in captured.scores
    }


def values(record: LogRecord) -> dict[str, object]:
    """Attributes of a score on its way."""
    return {
        pair.key: getattr(pair.value, pair.value.WhichOneof("value") or "string_value") for pair in record.attributes
    }


def test_a_score_is_of_its_span_and_has_the_id_of_its_evaluator() -> None:
    """Source, evaluator, version and explanation; the time is that of the span, the id follows from all of it."""
    length = spanwise.evaluator("length", unit="words", most=2)

    @spanwise.observe(evals=[length])
    def answer(question: str) -> str:
        return "a long answer"

    with capture() as captured:
        answer("why?")

    trace_id, span_id = f"{1:032x}", f"{1:016x}"
    assert captured.scores == [
        {
            "trace_id": trace_id,
            "span_id": span_id,
            "time_ns": START_NS + TICK_NS,
            "attributes": {
                "gen_ai.evaluation.name": "length",
                "gen_ai.evaluation.score.value": 0.0,
                "gen_ai.evaluation.score.label": "too_long",
                "gen_ai.evaluation.explanation": "3 words, at most 2 are allowed",
                "spanwise.score.source": "code",
                "spanwise.score.evaluator": "length",
                "spanwise.score.evaluator_version": length.version,
                "spanwise.score.id": score_id(
                    project="default",
                    trace_id=trace_id,
                    span_id=span_id,
                    name="length",
                    evaluator="length",
                    version=length.version,
                ),
            },
        }
    ]


def test_ids_differ_in_every_part() -> None:
    """Another target, name, evaluator or version is another score; the parts cannot run into one another."""
    base = {"project": "p", "trace_id": "ab" * 16, "span_id": "cd" * 8, "name": "n", "evaluator": "e", "version": "1"}
    ids = {score_id(**base), *(score_id(**{**base, part: base[part] + "x"}) for part in base)}

    assert len(ids) == 7
    assert score_id(**{**base, "name": "ne", "evaluator": ""}) != score_id(**{**base, "name": "n", "evaluator": "e"})
    told = "\0".join(["p", "ab" * 16, "cd" * 8, "", "n", "e", "1"])
    assert score_id(**base) == sha256(told.encode()).digest()[:16].hex()


def test_functions_names_and_evaluators_score_alike() -> None:
    """What a function may return: a number, yes or no, a label, nothing."""

    def share(sample: Sample) -> float:
        return len(sample.output) / 10

    def tone(sample: Sample) -> str:
        return "warm"

    def nothing(sample: Sample) -> None:
        return None

    @spanwise.observe(evals=["not_empty", share, tone, nothing, spanwise.evaluator(share, name="other", version="2")])
    def answer() -> str:
        return "hello"

    with capture() as captured:
        answer()

    assert scored(captured) == {
        "not_empty": (1.0, None),
        "share": (0.5, None),
        "tone": (None, "warm"),
        "other": (0.5, None),
    }


def test_what_evaluators_see_of_a_function() -> None:
    """An only argument that is text is the question; time and the cost that was set are known; attributes are there."""
    seen: list[Sample] = []

    def look(sample: Sample) -> None:
        seen.append(sample)

    @spanwise.observe(evals=[look], attributes={"team": "support"})
    def answer(question: str) -> list[str]:
        spanwise.current_span().set_attribute("llm.cost.total", 0.25)
        return ["a", "b"]

    with capture():
        answer("why?")

    assert seen == [
        Sample(
            input="why?",
            output='["a", "b"]',
            latency_ms=1.0,
            cost_nanousd=250_000_000,
            attributes={
                "team": "support",
                "llm.cost.total": 0.25,
                "input.mime_type": "application/json",
                "output.mime_type": "application/json",
            },
        )
    ]


def test_what_evaluators_see_of_a_model_call() -> None:
    """The last user message, the answer's text, the tools that it asks for and those that were offered."""
    seen: list[Sample] = []

    def look(sample: Sample) -> None:
        seen.append(sample)

    with capture(), spanwise.span("ask", kind="llm", evals=[look]) as span:
        span.set_input(
            [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": "Refund order 7"},
            ]
        )
        span.set_attribute(
            "gen_ai.tool.definitions",
            [{"type": "function", "function": {"name": "refund", "parameters": {"type": "object"}}}],
        )
        span.set_output(
            {
                "role": "assistant",
                "content": "One moment.",
                "tool_calls": [
                    {"id": "1", "type": "function", "function": {"name": "refund", "arguments": '{"id":7}'}}
                ],
            }
        )

    [sample] = seen
    assert (sample.input, sample.output) == ("Refund order 7", "One moment.")
    assert [(one.name, one.arguments.replace(" ", "")) for one in sample.tool_calls] == [("refund", '{"id":7}')]
    assert isinstance(sample.tool_calls[0], ToolCall)
    assert sample.tools == {"refund": {"type": "object"}}


def test_documents_come_from_the_retrievers_below() -> None:
    """Of the span's own and of those further down, in order; a span beside it gives nothing."""
    seen: list[tuple[str, tuple[Document, ...]]] = []

    def look(sample: Sample) -> None:
        seen.append((str(sample.attributes.get("which")), sample.context))

    @spanwise.observe(kind="retriever", evals=[look], attributes={"which": "search"})
    def search(query: str) -> list[Any]:
        return [{"id": "a.md", "text": f"about {query}"}, {"page_content": "more", "metadata": {"source": "b.md"}}]

    @spanwise.observe(evals=[look], attributes={"which": "inner"})
    def inner() -> str:
        search("cats")
        return "done"

    @spanwise.observe(evals=[look, "groundedness"], attributes={"which": "outer"})
    def outer() -> str:
        with spanwise.span("step"), spanwise.span("find", kind="retriever") as span:
            span.set_output(["dogs"])
        return f"about cats, {inner()}"

    with capture() as captured:
        search("birds")
        outer()

    cats = (Document("about cats", "a.md"), Document("more", "b.md"))
    assert seen == [("search", ()), ("search", ()), ("inner", cats), ("outer", (Document("dogs"), *cats))]
    assert scored(captured) == {"groundedness": (pytest.approx(1 / 2), None)}


@pytest.mark.parametrize("how", ["not captured", "raised", "cut", "never set"])
def test_nothing_is_said_of_an_answer_that_was_not_recorded(how: str) -> None:
    """Content that was not recorded, not in full or not at all is no empty answer; time is known all the same."""

    def looks_at_all(sample: Sample) -> bool:
        return True

    evals: Evals = ["not_empty", "no_pii", looks_at_all, spanwise.evaluator("latency_budget", most_ms=100)]

    @spanwise.observe(evals=evals, capture_output=how != "not captured")
    def answer() -> str:
        if how == "raised":
            raise RuntimeError("no answer")
        return "a" * 5_000

    with capture(max_content_bytes=1_000 if how == "cut" else 10_000) as captured:
        if how == "never set":
            with spanwise.span("step", evals=evals):
                pass
        elif how == "raised":
            with pytest.raises(RuntimeError):
                answer()
        else:
            answer()

    assert scored(captured) == {"latency_budget": (1.0, None)}


def test_a_function_that_returns_nothing_has_an_empty_answer() -> None:
    """That is known, other than an output that was not recorded."""

    @spanwise.observe(evals=["not_empty"])
    def answer() -> None:
        return None

    with capture() as captured:
        answer()

    assert scored(captured) == {"not_empty": (0.0, "empty")}


def test_generators_and_coroutines() -> None:
    """Scored when they have ended, with all that they gave."""

    @spanwise.observe(evals=["not_empty", spanwise.evaluator("length", most=10)])
    def stream() -> Iterator[str]:
        yield "ab"
        yield "cd"

    @spanwise.observe(evals=[spanwise.evaluator("contains", texts=["x"])])
    async def later() -> str:
        return "xyz"

    with capture() as captured:
        assert "".join(stream()) == "abcd"
        assert captured.scores[1]["attributes"]["gen_ai.evaluation.explanation"] == "4 characters"
        assert asyncio.run(later()) == "xyz"

    assert scored(captured) == {"not_empty": (1.0, None), "length": (1.0, None), "contains": (1.0, None)}


def test_evaluators_run_after_the_call_on_a_thread_of_their_own(start: Start, gate: Gate) -> None:
    """The caller does not wait for them; `flush` does; their scores travel like any other."""
    fake = start(project="shop")

    @spanwise.observe(evals=[gate, "not_empty"])
    def answer() -> str:
        return "yes"

    assert [answer() for _ in range(3)] == ["yes"] * 3
    wait_until(lambda: bool(gate.samples), "the evaluator never ran")
    assert not spanwise.flush(0.05)
    assert (spanwise.stats().evals.due, spanwise.stats().evals.queued) == (6, 6)
    gate.go_on.set()
    assert spanwise.flush(10)

    assert gate.threads == {"spanwise-evals"}
    assert spanwise.stats().evals == spanwise.EvalStats(due=6, scored=6)
    assert (spanwise.stats().emitted, spanwise.stats().sent) == (9, 9)
    spans = {(span.trace_id, span.span_id) for span in fake.spans()}
    assert {(log.trace_id, log.span_id) for log in fake.logs()} == spans
    for log in fake.logs():
        told = values(log)
        assert told["spanwise.score.id"] == score_id(
            project="shop",
            trace_id=log.trace_id.hex(),
            span_id=log.span_id.hex(),
            name=str(told["gen_ai.evaluation.name"]),
            evaluator=str(told["spanwise.score.evaluator"]),
            version=str(told["spanwise.score.evaluator_version"]),
        )


def test_an_evaluator_that_fails_is_said_once_and_counted(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    """It gives no score, the others do, and the call is untouched, whatever it raises."""
    fake = start()

    def broken(sample: Sample) -> bool:
        raise KeyError("oops")

    def leaves(sample: Sample) -> bool:
        raise SystemExit(3)

    def no_verdict(sample: Sample) -> Any:
        return [1]

    def not_finite(sample: Sample) -> float:
        return float("nan")

    @spanwise.observe(evals=[broken, leaves, no_verdict, not_finite, "not_empty"])
    def answer() -> str:
        return "yes"

    for _ in range(3):
        assert answer() == "yes"
    assert spanwise.flush(10)

    assert spanwise.stats().evals == spanwise.EvalStats(due=15, scored=3, failed=12)
    assert {values(log)["gen_ai.evaluation.name"] for log in fake.logs()} == {"not_empty"}
    assert [record.getMessage().split(". ")[0] for record in caplog.records] == [
        "Evaluator 'broken' failed (KeyError: 'oops')",
        "Evaluator 'leaves' failed (SystemExit: 3)",
        "Evaluator 'no_verdict' failed (TypeError: an evaluator returns a number, True or False, a label, a Verdict or"
        " None; got list)",
        "Evaluator 'not_finite' failed (ValueError: an evaluator returns a finite number; got nan)",
    ]


def test_the_queue_is_bounded_and_drops_are_counted(start: Start, gate: Gate) -> None:
    """While an evaluator hangs, spans wait up to a bound; the caller is not held up, and memory does not grow."""
    start(max_queue_bytes=100_000_000)
    client = spanwise._client.process.client
    assert client is not None
    worker = client.evals = EvalWorker("default", client.pipeline, max_queue_bytes=300_000)
    spanwise._runtime.state.runtime = client_runtime(worker)

    @spanwise.observe(evals=[gate])
    def answer(n: int) -> str:
        return "x" * 50_000

    began = time.monotonic()
    for n in range(100):
        answer(n)
    assert time.monotonic() - began < 10
    during = worker.stats()
    gate.go_on.set()
    assert worker.flush(10)

    assert during.dropped["queue_full"] >= 90
    assert during.due == 100 == during.queued + during.dropped["queue_full"]
    after = worker.stats()
    assert (after.due, after.scored + after.dropped["queue_full"], after.queued) == (100, 100, 0)


def client_runtime(worker: EvalWorker) -> Any:
    """The runtime that is set up, with another worker."""
    from dataclasses import replace

    assert spanwise._runtime.state.runtime is not None
    return replace(spanwise._runtime.state.runtime, evaluation=worker)


def test_the_end_of_the_process_does_not_wait_for_an_evaluator(
    start: Start, gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    """`shutdown` is bounded; what was not run is counted as dropped, and stays so when it ends later after all."""
    fake = start()

    @spanwise.observe(evals=[gate])
    def answer() -> str:
        return "yes"

    for _ in range(3):
        answer()
    wait_until(lambda: bool(gate.samples), "the evaluator never ran")
    began = time.monotonic()
    spanwise.shutdown(1.0)
    assert time.monotonic() - began < 3.0
    expected = spanwise.EvalStats(due=3, dropped={"exit": 3})
    assert spanwise.stats().evals == expected
    assert len(fake.spans()) == 3
    gate.go_on.set()
    wait_until(lambda: not [one for one in threading.enumerate() if one.name == "spanwise-evals"], "it runs on")

    assert spanwise.stats().evals == expected
    assert "3 evaluator runs were not done within 0.5 s at exit and are dropped." in caplog.text


def test_a_span_that_ends_after_shutdown_is_counted(start: Start) -> None:
    """It is not scored, and no thread is started for it."""
    start()
    with spanwise.span("late", evals=["not_empty"]) as span:
        span.set_output("x")
        spanwise.shutdown(1)

    assert spanwise.stats().evals == spanwise.EvalStats(due=1, dropped={"after_shutdown": 1})


def test_an_observed_evaluator_has_an_end(start: Start) -> None:
    """Its own spans are recorded, but not scored again."""
    fake = start()

    @spanwise.observe(kind="evaluator", evals=["not_empty"])
    def own(sample: Sample) -> bool:
        return True

    @spanwise.observe(evals=[own])
    def answer() -> str:
        return "yes"

    answer()
    assert spanwise.flush(10)
    assert spanwise.flush(10)

    assert spanwise.stats().evals == spanwise.EvalStats(due=1, scored=1)
    assert len(fake.spans()) == 2


def test_an_observed_evaluator_has_an_end_under_capture() -> None:
    """There evaluators run at once, and the same holds."""

    def own(sample: Sample) -> bool:
        return bool(answer.__name__)

    @spanwise.observe(evals=["not_empty"])
    def answer() -> str:
        return "yes"

    @spanwise.observe(evals=[lambda_named("calls", lambda sample: bool(answer()))])
    def outer() -> str:
        return "x"

    with capture() as captured:
        outer()

    assert scored(captured) == {"calls": (1.0, None)}
    assert own(Sample())


def lambda_named(name: str, function: Any) -> Any:
    """An evaluator with a name."""
    return spanwise.evaluator(function, name=name)


def test_what_sampling_leaves_out_is_not_scored(start: Start) -> None:
    """A trace that is not sent has no scores."""
    fake = start(sample_rate=0.0)

    @spanwise.observe(evals=["not_empty"])
    def answer() -> str:
        return "yes"

    answer()
    assert spanwise.flush(10)

    assert (spanwise.stats().evals, fake.logs()) == (spanwise.EvalStats(), [])


def test_without_init_nothing_runs(gate: Gate) -> None:
    """The decorator alone evaluates nothing."""

    @spanwise.observe(evals=[gate])
    def answer() -> str:
        return "yes"

    assert answer() == "yes"
    assert gate.samples == []


@pytest.mark.parametrize(
    ("evals", "message"),
    [
        (["not_emty"], "no evaluator is called 'not_emty'; did you mean 'not_empty'"),
        (["regex"], "evaluator 'regex': parameter 'pattern' is missing"),
        ("not_empty", r"evals must be a list; write evals=\['not_empty'\]"),
        (len, "evals must be a list"),
        ([3], "an evaluator is a name of the registry, an Evaluator, or a function of a Sample; got 3"),
        ([{}], "an evaluator is a name of the registry, an Evaluator, or a function of a Sample; got {}"),
        ([lambda sample: 1], "has no name of its own; give name="),
    ],
)
def test_a_mistake_is_said_when_decorating(evals: Any, message: str) -> None:
    """Not with the first call."""
    with pytest.raises(ValueError, match=message):
        spanwise.observe(evals=evals)


def test_a_mistake_in_a_span_does_not_reach_the_application(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A block is made at run time: it runs without evaluators, and that is logged."""
    monkeypatch.setattr(guard, "reraise", False)

    with capture() as captured, spanwise.span("step", evals=["not_emty"]) as span:
        span.set_output("x")

    assert [one["name"] for one in captured.spans] == ["step"]
    assert "failed to make the evaluators of the span 'step' (EvaluatorError: no evaluator is called" in caplog.text


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: spanwise.evaluator("length", most=1, version="2"),
            "the registry makes its version; leave version out",
        ),
        (lambda: spanwise.evaluator(str, name="s"), "an evaluator is a name of the registry"),
        (lambda: spanwise.evaluator(bool, most=1), "most cannot be given to a function; bind it there"),
    ],
)
def test_what_cannot_be_made_says_why(make: Any, message: str) -> None:
    """Names and remedies."""
    with pytest.raises(ValueError, match=message):
        make()


def test_nothing_is_kept_after_a_span_was_scored(start: Start) -> None:
    """A million scored spans take no more memory than one: neither spans nor samples stay."""
    start()
    seen: list[int] = []

    def look(sample: Sample) -> None:
        seen.append(len(sample.output))

    @spanwise.observe(evals=[look])
    def answer() -> str:
        return "x" * 1_000

    for _ in range(200):
        answer()
    assert spanwise.flush(10)
    gc.collect()

    assert seen == [1_000] * 200
    # The one that the thread had last in its hands may be there still.
    jobs = [one for one in gc.get_objects() if isinstance(one, Job)]
    assert len([one for one in jobs if one.evaluators[0].name == "look"]) <= 1


def test_evaluators_log_nothing_when_all_is_well(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    """No line per span."""
    start()
    with caplog.at_level(logging.DEBUG, "spanwise"), spanwise.span("x", evals=["not_empty"]) as span:
        span.set_output("x")
    assert spanwise.flush(10)

    assert [one for one in caplog.records if one.name == "spanwise"] == []
