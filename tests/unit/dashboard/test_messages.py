"""Recorded bodies become conversations."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanwise_dashboard.messages import Message, Part, conversation, gist, pretty, system_message

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["role", "content", "parts", "type", "text", "tool_calls", "messages", "choices", "message", "x"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


def texts(messages: list[Message]) -> str:
    """All that is shown."""
    return "\n".join(part.text for message in messages for part in message.parts)


def test_opentelemetry_form() -> None:
    """Roles with parts: text, reasoning, tool call and its response."""
    body = [
        {"role": "user", "parts": [{"type": "text", "content": "hi"}]},
        {
            "role": "assistant",
            "parts": [
                {"type": "reasoning", "content": "hm"},
                {"type": "tool_call", "id": "c1", "name": "look", "arguments": {"n": 1}},
            ],
            "finish_reason": "tool_calls",
        },
        {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "response": "42"}]},
    ]

    assert conversation(json.dumps(body)) == [
        Message("user", (Part("text", "hi"),)),
        Message(
            "assistant", (Part("reasoning", "hm"), Part("tool_call", '{\n  "n": 1\n}', "look", "c1")), "tool_calls"
        ),
        Message("tool", (Part("tool_result", "42", "", "c1"),)),
    ]


def test_openai_form() -> None:
    """Chat messages: content as text or parts, tool calls, a tool's answer, a refusal."""
    body = [
        {"role": "system", "content": "be brief"},
        {
            "role": "user",
            "content": [{"type": "text", "text": "see"}, {"type": "image_url", "image_url": {"url": "u"}}],
        },
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "c1", "function": {"name": "f", "arguments": '{"a":1}'}}],
        },
        {"role": "tool", "tool_call_id": "c1", "content": '{"ok":true}'},
        {"role": "assistant", "content": None, "refusal": "no"},
    ]
    shown = conversation(json.dumps(body))

    assert [(message.role, [(part.kind, part.name, part.call_id) for part in message.parts]) for message in shown] == [
        ("system", [("text", "", "")]),
        ("user", [("text", "", ""), ("media", "image", "")]),
        ("assistant", [("tool_call", "f", "c1")]),
        ("tool", [("tool_result", "", "c1")]),
        ("assistant", [("text", "refusal", "")]),
    ]
    assert shown[2].parts[0].text == '{\n  "a": 1\n}'
    assert shown[3].parts[0].text == '{\n  "ok": true\n}'


def test_anthropic_form() -> None:
    """Content blocks: thinking, tool use, tool result."""
    thinking = {"type": "thinking", "thinking": "hm"}
    use = {"type": "tool_use", "id": "t", "name": "f", "input": {}}
    result = {"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text", "text": "ok"}]}
    body = {
        "system": "be kind",
        "model": "claude",
        "messages": [{"role": "assistant", "content": [thinking, use]}, {"role": "user", "content": [result]}],
    }

    assert conversation(json.dumps(body)) == [
        Message("system", (Part("text", "be kind"),)),
        Message("assistant", (Part("reasoning", "hm"), Part("tool_call", "{}", "f", "t"))),
        Message("user", (Part("tool_result", "ok", "", "t"),)),
        Message("", (Part("json", '{\n  "model": "claude"\n}', "parameters"),)),
    ]


def test_completion_object() -> None:
    """A whole response is shown by its choices."""
    body = json.dumps({"id": "x", "choices": [{"index": 0, "message": {"role": "assistant", "content": "hello"}}]})

    assert conversation(body) == [Message("assistant", (Part("text", "hello"),))]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("", []),
        ("plain", [Message("user", (Part("text", "plain"),))]),
        ("{broken", [Message("user", (Part("text", "{broken"),))]),
        ('"quoted"', [Message("user", (Part("text", "quoted"),))]),
        ('{"a": 1}', [Message("user", (Part("json", '{\n  "a": 1\n}'),))]),
        ("[]", [Message("user", (Part("json", "[]"),))]),
        ("123", [Message("user", (Part("text", "123"),))]),
    ],
)
def test_other_bodies(body: str, expected: list[Message]) -> None:
    """What is no conversation is shown as the text or JSON that it is."""
    assert conversation(body, default_role="user") == expected


@given(JSON)
def test_any_json_is_shown(value: object) -> None:
    """No JSON makes it fail, and something is shown."""
    body = json.dumps(value)

    assert conversation(body)


def test_a_structured_answer_is_indented() -> None:
    """A text that is JSON is easier to read indented."""
    body = json.dumps([{"role": "assistant", "content": '{"allowed":true}'}])

    assert conversation(body) == [Message("assistant", (Part("json", '{\n  "allowed": true\n}'),))]


PLAIN = st.text(min_size=1).filter(lambda text: pretty(text) == text)


@given(st.lists(PLAIN, min_size=1, max_size=4))
def test_no_text_is_lost_or_changed(contents: list[str]) -> None:
    """Every message's text that is not JSON is shown letter by letter, markup included."""
    body = json.dumps([{"role": "user", "content": content} for content in contents])

    assert texts(conversation(body)) == "\n".join(contents)


@given(st.text())
def test_any_text_is_shown(body: str) -> None:
    """Plain text is shown as it is, unless it is JSON."""
    shown = conversation(body)

    assert texts(shown) == body or shown == conversation(body.strip())


def test_deeply_nested_json_is_shown_as_text() -> None:
    """What is nested deeper than the interpreter can follow is shown as recorded."""
    body = "[" * 100_000

    assert conversation(body) == [Message("", (Part("text", body),))]


def test_system_instructions() -> None:
    """Instructions are a text or parts, under the role `system`."""
    parts = json.dumps([{"type": "text", "content": "be brief"}])

    assert system_message(parts) == system_message("be brief") == [Message("system", (Part("text", "be brief"),))]


def test_pretty() -> None:
    """Only objects and arrays are indented."""
    assert [pretty('{"a":1}'), pretty("5"), pretty("hi")] == ['{\n  "a": 1\n}', "5", "hi"]


@pytest.mark.parametrize(
    ("preview", "line"),
    [
        ('{"question": "Why \\"that\\"?"}', 'Why "that"?'),
        ('{"question": "cut off in the mid', "cut off in the mid"),
        ('{"a": "x", "b": "y"}', '{"a": "x", "b": "y"}'),
        ('{"n": 5}', '{"n": 5}'),
        ("two\nlines", "two lines"),
        ("", ""),
    ],
)
def test_gist(preview: str, line: str) -> None:
    """A list shows the one text in an object without its wrapping, even when the preview was cut."""
    assert gist(preview) == line
