"""Whatever JSON a body holds, its span is stored: no shape trips over members of another type than expected."""

import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.otlp import record, rows, span, traces, transformer

NAMES = [
    "additional_kwargs",
    "args",
    "call_id",
    "choices",
    "content",
    "contents",
    "delta",
    "finish_reason",
    "function",
    "generations",
    "id",
    "image_url",
    "input",
    "input_tokens",
    "cache_read_input_tokens",
    "item",
    "kwargs",
    "message",
    "messages",
    "model",
    "name",
    "output",
    "output_tokens",
    "parts",
    "prompt_tokens",
    "reasoning",
    "response",
    "response_metadata",
    "result",
    "role",
    "summary",
    "system",
    "text",
    "thinking",
    "tool_calls",
    "tool_call_id",
    "tools",
    "type",
    "usage",
    "usage_metadata",
    "value",
]
WORDS = [
    "user",
    "assistant",
    "system",
    "tool",
    "human",
    "ai",
    "text",
    "image_url",
    "tool_use",
    "tool_result",
    "thinking",
    "reasoning",
    "function_call",
    "message",
    "function_call_output",
    "tool-call",
    "tool-result",
    "output_text",
    "stop",
]
LEAVES = st.one_of(
    st.sampled_from(WORDS),
    st.none(),
    st.booleans(),
    st.integers(-1, 3),
    st.sampled_from([2**32, 2**63, 10**30]),
    st.floats(allow_nan=False, allow_infinity=False),
)
JSON = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(NAMES), inner, min_size=1, max_size=5)
    ),
    max_leaves=24,
)
TRANSFORMER = transformer()


def stored(asked: object, answered: object, usage: object = None) -> dict[str, object]:
    """The row of a model call with these bodies."""
    values = {
        "openinference.span.kind": "LLM",
        "input.value": json.dumps(asked),
        "output.value": json.dumps(answered),
        "langfuse.observation.usage_details": json.dumps(usage),
    }
    batch = TRANSFORMER.transform([record(traces(span(values=values)))], frozenset())
    (row,) = rows(batch, "spans")
    return row


@given(JSON, JSON, JSON)
def test_any_json_is_stored(asked: object, answered: object, usage: object) -> None:
    """A span comes out, with counts that fit their columns."""
    row = stored(asked, answered, usage)

    assert row["kind"] == 1


@pytest.mark.parametrize("kind", [{}, [], 1, None])
@pytest.mark.parametrize(
    "body",
    [
        lambda kind: {"messages": [{"role": "user", "content": [{"type": kind, "text": "Hi"}]}]},
        lambda kind: [{"role": "tool", "content": [{"type": "tool-result", "output": {"type": kind}}]}],
        lambda kind: [{"type": kind, "role": "user", "content": "Hi"}, {"type": "message", "content": "Hi"}],
        lambda kind: {"kwargs": {"content": [{"type": kind, "id": kind}], "tool_calls": [{"id": kind}], "type": "ai"}},
    ],
)
def test_types_of_any_type(body: Callable[[object], object], kind: object) -> None:
    """A `type` or `id` that is no text is one that no shape knows."""
    assert stored(body(kind), body(kind))["kind"] == 1


@pytest.mark.parametrize("count", [2**32, 2**64])
def test_counts_that_no_column_holds(count: int) -> None:
    """They are not taken, whether a body tells them or a usage object."""
    answer = {"choices": [{"message": {"role": "assistant", "content": "Hi"}}], "usage": {"prompt_tokens": count}}
    of_body = stored("Hi", answer)
    of_usage = stored("Hi", "Hi", {"input": count, "output": 3})

    assert (of_body["tok_input"], of_usage["tok_input"], of_usage["tok_output"]) == (0, 0, 3)
