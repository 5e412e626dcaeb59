"""The cheap question lets no failure go."""

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from spanwise_collector.failures.answers import BAD_FINISH, answer_failure
from spanwise_collector.failures.suspects import is_suspect
from spanwise_collector.normalise.failing import answer_of
from spanwise_collector.normalise.plan import SLOT

SAMPLES = [
    "",
    " ",
    "It is sunny in Ulm.",
    "I'm sorry, but I can't help with that.",
    " Sorry, but I cannot assist.",
    "SORRY, but I can't.",
    "the provided context does not say that",
    "I don\u2019t have enough information.",
    "Well, I'm unable to open this.",
    '{"a": ',
    '{"a": 1}',
    '[{"a"',
    '```json\n{"a": 1,}\n```',
    "\n```json\n{",
    "[1] says so",
    "很抱歉\uff0c我不能",
]
TEXTS = st.sampled_from(SAMPLES) | st.text(max_size=40)
PARTS = st.lists(
    st.builds(lambda text: {"type": "text", "content": text}, TEXTS | st.none())
    | st.builds(lambda text: {"type": "reasoning", "content": text}, TEXTS)
    | st.sampled_from(
        [
            {"type": "tool_call", "id": "1", "name": "f", "arguments": {}},
            {"type": "tool_call", "id": "1", "name": "g", "arguments": "{"},
            {"type": "blob", "content": "x"},
        ]
    ),
    max_size=3,
)
VALUES = st.fixed_dictionaries(
    {},
    optional={
        "finish_reason": st.sampled_from([*sorted(BAD_FINISH), "stop", "tool_call", "pause"]),
        "params": st.sampled_from(
            [{"max_tokens": 100}, {"response_format": "json_object"}, {"temperature": 1}, {"text": {}}]
        ),
        "output_format": st.sampled_from(["json", "text", '{"type": "object"}']),
        "tool_defs": st.sampled_from(['[{"name": "f", "input_schema": {"required": ["x"]}}]', '[{"name": "f"}]']),
        "tok_input": st.just(10),
        "tok_output": st.sampled_from([0, 2, 3, 99, 100, 101]),
        "tok_reasoning": st.sampled_from([0, 97]),
        "streaming": st.booleans(),
    },
)


@given(PARTS | st.none(), VALUES)
@example([{"type": "text", "content": "We can't help."}], {})
def test_what_is_let_go_has_no_failure(parts: list[Any] | None, told: dict[str, Any]) -> None:
    """A call that is not looked at would have had no failure, had it been."""
    values: list[Any] = [None] * len(SLOT)
    for field, value in told.items():
        values[SLOT[field]] = value
    messages = None if parts is None else [{"role": "assistant", "parts": parts}]
    if not is_suspect(values, messages):
        assert answer_failure(answer_of("chat", values, messages)) is None


@pytest.mark.parametrize("text", SAMPLES)
@pytest.mark.parametrize("others", [{}, {"finish_reason": "stop"}, {"tok_output": 100, "params": {"max_tokens": 100}}])
def test_each_sign(text: str, others: dict[str, Any]) -> None:
    """The same for each of the texts alone."""
    values: list[Any] = [None] * len(SLOT)
    for field, value in others.items():
        values[SLOT[field]] = value
    messages = [{"role": "assistant", "parts": [{"type": "text", "content": text}]}]
    assert is_suspect(values, messages) or answer_failure(answer_of("chat", values, messages)) is None
