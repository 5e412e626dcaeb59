"""Session, user, tags, metadata and prompt reach every span below; context follows tasks and thread pools."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider

import spanwise
from spanwise.testing import Capture
from spanwise_schemas import attributes as names
from tests.unit.sdk.conftest import Start


@spanwise.observe(capture_input=False, capture_output=False)
def work() -> None:
    """A call that records nothing of its own."""


def test_context_is_on_every_span_below(spanwise_capture: Capture) -> None:
    """All five kinds of context; tags and metadata of nested blocks add up."""
    with (
        spanwise.session("s-1"),
        spanwise.user(42, group="gold"),
        spanwise.tags("a"),
        spanwise.metadata(plan="pro", seats=3),
    ):
        with spanwise.tags("b", "a"), spanwise.metadata({"x-y": 1.5}), spanwise.prompt("greet", version=7):
            work()
        work()
    work()

    outer = {
        "session.id": "s-1",
        "user.id": "42",
        "spanwise.user.group": "gold",
        "tag.tags": ("a",),
        "spanwise.metadata.plan": "pro",
        "spanwise.metadata.seats": 3,
    }
    inner = outer | {
        "tag.tags": ("a", "b"),
        "spanwise.metadata.x-y": 1.5,
        "gen_ai.prompt.name": "greet",
        names.PROMPT_VERSION: "7",
    }
    assert [span["attributes"] for span in spanwise_capture.spans] == [inner, outer, {}]


def test_context_reaches_spans_of_other_instrumentations(start: Start) -> None:
    """Spans that someone else starts on the joined provider carry the session too."""
    provider = TracerProvider(resource=Resource.get_empty(), shutdown_on_exit=False)
    fake = start(tracer_provider=provider)

    with spanwise.session("s-1"), provider.get_tracer("someone.else").start_as_current_span("theirs"):
        work()
    assert spanwise.flush(10)

    assert {
        span.name: {pair.key: pair.value.string_value for pair in span.attributes}["session.id"]
        for span in fake.spans()
    } == {"theirs": "s-1", "work": "s-1"}


def test_context_can_decorate_functions_of_every_kind(spanwise_capture: Capture) -> None:
    """As a decorator it holds while the function's own code runs."""

    @spanwise.session("sync")
    def plain() -> None:
        work()

    @spanwise.session("async")
    async def later() -> None:
        await asyncio.sleep(0)
        work()

    @spanwise.session("generator")
    def items() -> Iterator[int]:
        work()
        yield 1

    @spanwise.session("async generator")
    async def stream() -> AsyncIterator[int]:
        work()
        yield 1

    async def main() -> None:
        await later()
        async for _ in stream():
            work()

    plain()
    for _ in items():
        work()
    asyncio.run(main())

    seen = [span["attributes"].get("session.id") for span in spanwise_capture.spans]
    assert seen == ["sync", "generator", None, "async", "async generator", None]


def test_work_given_to_a_thread_pool_belongs_to_the_span_that_gave_it(start: Start) -> None:
    """Spans in `ThreadPoolExecutor` and in asyncio's executor are children; without a current span nothing changes."""
    fake = start()

    @spanwise.observe
    async def from_a_loop() -> None:
        await asyncio.get_running_loop().run_in_executor(None, work)
        await asyncio.to_thread(work)

    with ThreadPoolExecutor(2) as pool:
        with spanwise.span("outer"):
            list(pool.map(lambda _: work(), range(3)))
        pool.submit(work).result(10)
    asyncio.run(from_a_loop())
    assert spanwise.flush(10)

    spans = fake.spans()
    ids = {span.span_id: span.name for span in spans}
    parents = sorted(ids.get(span.parent_span_id, "none") for span in spans if span.name == "work")
    assert parents == ["from_a_loop", "from_a_loop", "none", "outer", "outer", "outer"]


def test_the_thread_pool_is_put_back_at_shutdown(start: Start) -> None:
    """`submit` is the original again."""
    original = ThreadPoolExecutor.submit
    start()
    assert ThreadPoolExecutor.submit is not original

    spanwise.shutdown(1)

    assert ThreadPoolExecutor.submit is original


def test_thread_propagation_can_be_switched_off(start: Start) -> None:
    """With `propagate_threads=False` nothing is wrapped."""
    original = ThreadPoolExecutor.submit
    start(propagate_threads=False)

    assert ThreadPoolExecutor.submit is original


def test_span_methods_write_their_attributes(spanwise_capture: Capture) -> None:
    """Usage, model, cost and any other value; values that are no attributes become JSON."""
    with spanwise.span("call", kind="llm", model="m-1", provider="openai", attributes={"a": 1}) as span:
        span.set_input([{"role": "user", "content": "hi"}])
        span.set_output({"role": "assistant", "content": "ho"})
        span.set_usage(
            input_tokens=10,
            output_tokens=5,
            cache_read_tokens=4,
            cache_write_tokens=3,
            reasoning_tokens=2,
            cost_usd=0.25,
        )
        span.set_attribute("mixed", [1, "two"])
        span.set_attribute("numbers", [1, 2])

    assert spanwise_capture.spans[0]["attributes"] == {
        "gen_ai.operation.name": "chat",
        "a": 1,
        "gen_ai.request.model": "m-1",
        "gen_ai.provider.name": "openai",
        "gen_ai.input.messages": '[{"role": "user", "parts": [{"type": "text", "content": "hi"}]}]',
        "gen_ai.output.messages": '[{"role": "assistant", "parts": [{"type": "text", "content": "ho"}]}]',
        "gen_ai.usage.input_tokens": 10,
        "gen_ai.usage.output_tokens": 5,
        "gen_ai.usage.cache_read.input_tokens": 4,
        "gen_ai.usage.cache_creation.input_tokens": 3,
        "gen_ai.usage.reasoning.output_tokens": 2,
        "llm.cost.total": 0.25,
        "mixed": '[1, "two"]',
        "numbers": (1, 2),
    }


def test_current_span_is_the_innermost(spanwise_capture: Capture) -> None:
    """Deep code can add to the span it runs in, and a handled error can be recorded on it."""

    @spanwise.observe(capture_output=False)
    def outer() -> None:
        spanwise.current_span().set_attribute("found", True)
        spanwise.current_span().record_error(KeyError("gone"))

    outer()

    span = spanwise_capture.spans[0]
    assert (span["attributes"]["found"], span["status"], span["attributes"]["error.type"]) == (
        True,
        "error",
        "KeyError",
    )


def test_without_init_spans_and_context_do_nothing() -> None:
    """Every method can be called."""
    with spanwise.span("x") as span, spanwise.session("s"):
        span.set_input(1)
        span.set_output(2)
        span.set_usage(input_tokens=1)
        assert span.record_response("r") == "r"
        assert span.score("q", 1.0) == ""

    assert spanwise.current_span().trace_id == "0" * 32


def test_scores_name_their_target(spanwise_capture: Capture) -> None:
    """A score is for the current span, its trace, given ids, or a session; numbers, booleans and labels are values."""
    with spanwise.session("s-1"), spanwise.span("x") as span:
        spanwise.score("relevance", 0.5, explanation="partly", source="llm", evaluator="judge", evaluator_version="2")
        spanwise.score("helpful", True, target="trace", source="user")
        spanwise.score("tone", "friendly", target="session", score_id="f" * 32, time_ns=5)
        span.score("length", 3)
    spanwise.score("late", 1, trace_id="ab" * 16, span_id="cd" * 8)
    spanwise.score("late", 1, session_id="s-2")

    trace, here = "0" * 31 + "1", "0" * 15 + "1"
    scores = spanwise_capture.scores
    assert [(score["trace_id"], score["span_id"], score["attributes"].get("session.id")) for score in scores] == [
        (trace, here, None),
        (trace, None, None),
        (None, None, "s-1"),
        (trace, here, None),
        ("ab" * 16, "cd" * 8, None),
        (None, None, "s-2"),
    ]
    assert scores[0]["attributes"] == {
        "gen_ai.evaluation.name": "relevance",
        "gen_ai.evaluation.score.value": 0.5,
        "gen_ai.evaluation.explanation": "partly",
        "spanwise.score.id": "0" * 31 + "1",
        "spanwise.score.source": "llm",
        "spanwise.score.evaluator": "judge",
        "spanwise.score.evaluator_version": "2",
    }
    assert scores[1]["attributes"]["gen_ai.evaluation.score.value"] == 1.0
    assert (scores[2]["attributes"]["gen_ai.evaluation.score.label"], scores[2]["attributes"]["spanwise.score.id"]) == (
        "friendly",
        "f" * 32,
    )
    assert scores[2]["time_ns"] == 5


def test_a_score_tells_with_which_chance_its_target_was_chosen(spanwise_capture: Capture) -> None:
    """Probability and stratum travel with it; a probability that cannot be is reported, and nothing is sent."""
    spanwise.score("ok", True, trace_id="ab" * 16, source="judge", inclusion_probability=0.1, stratum="random")
    with pytest.raises(ValueError, match="above 0 and at most 1; got 0"):
        spanwise.score("ok", True, trace_id="ab" * 16, inclusion_probability=0)

    (score,) = spanwise_capture.scores
    assert score["attributes"] == {
        "gen_ai.evaluation.name": "ok",
        "gen_ai.evaluation.score.value": 1.0,
        "spanwise.score.id": "0" * 31 + "1",
        "spanwise.score.source": "judge",
        "spanwise.score.inclusion_probability": 0.1,
        "spanwise.score.stratum": "random",
    }


def test_a_score_without_a_target_says_so(spanwise_capture: Capture) -> None:
    """It names the remedy; in an application it is only logged."""
    with pytest.raises(LookupError, match="no span is current; give trace_id or session_id"):
        spanwise.score("x", 1.0)

    assert spanwise_capture.scores == []
