"""Samples out of spans: what was asked, answered, found, called."""

import json
from typing import Any

from spanwise_collector.evals.panel import Panel
from spanwise_collector.evals.scores_out import SCOPE
from spanwise_collector.evals.targets import (
    MAX_CONTEXT_CHARS,
    MAX_KEPT_CHARS,
    MAX_TRACES,
    Contexts,
    Target,
    targets_of,
)
from spanwise_evaluators.model import Document, Sample, ToolCall
from tests.support.otlp import NOW_NS, SPAN, TRACE, record, span, traces, transform

FOUND = b"found..."


def everything(_project: str, _scope: str) -> bool:
    """Looks at all spans."""
    return True


def targets(*spans: Any, contexts: Contexts | None = None) -> list[Target]:
    """What can be scored of spans that come together."""
    return targets_of(transform(record(traces(*spans))), contexts or Contexts(), everything)


def retrieval(documents: object, **fields: Any) -> Any:
    """A retriever that found something."""
    values = {"gen_ai.operation.name": "retrieval", "gen_ai.retrieval.documents": json.dumps(documents)}
    return span("find", values, **{"span_id": FOUND, "parent": SPAN, **fields})


def call(**values: object) -> Any:
    """A model call."""
    return span(
        "ask",
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.request.model": "gpt-4.1-mini",
            "gen_ai.provider.name": "openai",
            "gen_ai.usage.input_tokens": 10,
            "gen_ai.usage.output_tokens": 5,
            **values,
        },
    )


def messages(*said: tuple[str, str]) -> str:
    """GenAI messages with one text each."""
    return json.dumps([{"role": role, "parts": [{"type": "text", "content": text}]} for role, text in said])


def test_a_model_call_becomes_a_sample() -> None:
    """The last user message, the answer, the documents of the retriever before it, tools, time and cost."""
    answer = [
        {
            "role": "assistant",
            "parts": [
                {"type": "reasoning", "content": "hm"},
                {"type": "text", "content": "On its way."},
                {"type": "tool_call", "id": "1", "name": "track", "arguments": {"order": 7}},
            ],
        }
    ]
    _, target = targets(
        retrieval([{"id": "d1", "content": "Order 7: shipped"}]),
        call(
            **{
                "gen_ai.input.messages": messages(("system", "be kind"), ("user", "hi"), ("user", "Where is it?")),
                "gen_ai.output.messages": json.dumps(answer),
                "gen_ai.tool.definitions": json.dumps([{"name": "track", "parameters": {"type": "object"}}]),
                "spanwise.metadata.shadow": "It is lost.",
            }
        ),
    )

    sample = target.sample
    assert (target.project, target.trace_id, target.span_id) == ("shop", TRACE, SPAN)
    assert (target.kind, target.start_us) == ("llm", NOW_NS // 1000 - 2_000_000)
    assert sample == Sample(
        input="Where is it?",
        output="On its way.",
        context=(Document("Order 7: shipped", "d1"),),
        tool_calls=(ToolCall("track", '{"order": 7}'),),
        tools={"track": {"type": "object"}},
        latency_ms=1000.0,
        cost_nanousd=12_000,
        attributes=sample.attributes,
    )
    assert sample.attributes["spanwise.metadata.shadow"] == "It is lost."
    assert (sample.attributes["model"], sample.attributes["kind"]) == ("gpt-4.1-mini", "llm")


def test_context_comes_from_earlier_records_of_the_trace() -> None:
    """A retriever's span may arrive before the call's, in another record; other traces get nothing of it."""
    contexts = Contexts()
    targets(retrieval(["one", "two"]), contexts=contexts)
    targets(retrieval(["one", "two"]), contexts=contexts)
    [target] = targets(call(), contexts=contexts)
    [other] = targets(span("ask", {"gen_ai.operation.name": "chat"}, trace_id=b"another trace id"), contexts=contexts)

    assert target.sample.context == (Document("one"), Document("two"))
    assert other.sample.context == ()


def test_what_is_remembered_is_bounded() -> None:
    """The oldest trace is forgotten, and a trace keeps so many characters."""
    contexts = Contexts()
    long = (Document("x" * (MAX_CONTEXT_CHARS - 1)), Document("yy"))
    for number in range(MAX_TRACES + 1):
        contexts.add("shop", number.to_bytes(16, "big"), FOUND, long if number == MAX_TRACES else (Document("a"),))
    assert contexts.of("shop", (0).to_bytes(16, "big")) == ()
    assert contexts.of("shop", MAX_TRACES.to_bytes(16, "big")) == long[:1]
    assert contexts.of("other", MAX_TRACES.to_bytes(16, "big")) == ()
    for number in range(MAX_KEPT_CHARS // MAX_CONTEXT_CHARS + 1):
        contexts.add("long", number.to_bytes(16, "big"), FOUND, (Document("x" * MAX_CONTEXT_CHARS),))
    assert contexts.of("long", (0).to_bytes(16, "big")) == ()
    assert contexts.of("long", (1).to_bytes(16, "big")) != ()


def test_judges_calls_are_never_looked_at() -> None:
    """Neither by their scope nor by their project."""
    panel = Panel(judge_projects=frozenset({"shop-judge"}))
    assert not panel.is_wanted("shop-judge", "anything")
    assert not panel.is_wanted("shop", SCOPE)
    batch = transform(record(traces(call(), scope=SCOPE)))
    assert targets_of(batch, Contexts(), lambda _project, scope: scope != SCOPE) == []
