"""The fields that are judged: what each should be, what it is, and how to look for it in what was sent."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from tests.golden.clients.evaluate import expected as should
from tests.golden.clients.evaluate import found as stored
from tests.golden.clients.evaluate.expected import ABSENT, Truth, is_answered
from tests.golden.clients.evaluate.found import KINDS, messages_in, messages_out
from tests.golden.clients.evaluate.payload import Payload
from tests.golden.clients.evaluate.rows import Span
from tests.golden.clients.evaluate.sent import (
    IsSent,
    error_is_sent,
    finish_is_sent,
    params_are_sent,
    says_images,
    says_key,
    says_number,
    says_provider,
    says_response_model,
    says_streaming,
    says_text,
)

PROVIDERS: Final = {"openai": ("openai",), "anthropic": ("anthropic",), "google": ("gcp.gemini", "gcp.gen_ai")}
"""The GenAI conventions' words for the stub's providers."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an answer.

    Attributes:
        name: in the table and in absent.toml.
        expected: from the truth entry; `ABSENT` where the field does not apply.
        found: from a stored span; a false value for "nothing".
        is_sent: whether the true value stands in the payload in any form.
        same: whether both mean the same.
    """

    name: str
    expected: Callable[[Truth], Any]
    found: Callable[[Span], Any]
    is_sent: IsSent
    same: Callable[[Any, Any], bool] = lambda expected, found: bool(expected == found)


def _count(sort: str, *parts: Callable[[dict[str, int]], int], name: str = "") -> Field:
    """A token count."""

    def expected(truth: Truth) -> Any:
        tokens = truth["answer"]["tokens"]
        return tokens[sort] or ABSENT if is_answered(truth) else ABSENT

    return Field(
        name or sort, expected, lambda span: span.row["tok_" + sort], says_number(lambda tokens: tokens[sort], *parts)
    )


def _cost_is_sent(truth: Truth, spans: list[Span], payload: Payload) -> bool:
    """Whether all counts that the price depends on are there."""
    is_told = {field.name: field.is_sent(truth, spans, payload) for field in FIELDS if field.name in _PRICED}
    return all(is_told[name] for name in _PRICED if truth["answer"]["tokens"][_PRICED[name]])


def _same_cost(expected: tuple[int, int], found: int) -> bool:
    """Whether it is the cost with the lifetimes; that without them is for people who look for a reason."""
    return found == expected[0]


def _same_result(expected: list[str], found: list[str]) -> bool:
    """Whether results say the same; some clients send a text to the provider as JSON, with its quotes."""
    return expected == found or expected == [json.dumps(one) for one in found]


_CLIENT_US: Final = 1_000_000
"""What a client may take besides, until it sees the first token: some end the span before they read the stream."""
_FRESH: Final = lambda tokens: tokens["input"] - tokens["cache_read"] - tokens["cache_write"]  # noqa: E731
_PRICED: Final = {
    "input_tokens": "input",
    "output_tokens": "output",
    "cache_read": "cache_read",
    "cache_write": "cache_write",
    "cache_write_1h": "cache_write_1h",
}

FIELDS: Final = (
    Field("kind", lambda truth: KINDS[truth["kind"]], lambda span: span.row["kind"], lambda *_: True),
    Field(
        "provider",
        lambda truth: PROVIDERS[truth["provider"]],
        lambda span: span.row["provider"],
        says_provider,
        lambda expected, found: found in expected,
    ),
    Field(
        "model_request",
        lambda truth: truth["asked"]["model"],
        lambda span: span.row["model_request"],
        # The model asked for is the beginning of the name of the model that answered.
        lambda truth, spans, payload: any(
            truth["asked"]["model"] in payload.text[span.key].replace(truth["answer"]["model"] or "\0", "")
            for span in spans
        ),
    ),
    Field(
        "model_response",
        lambda truth: truth["answer"]["model"] or ABSENT if is_answered(truth) else ABSENT,
        lambda span: span.row["model_response"],
        says_response_model,
    ),
    Field(
        "input_text", should.input_text, stored.input_text, says_text(lambda truth: [should.input_text(truth) or ""])
    ),
    Field(
        "system",
        lambda truth: truth["asked"]["system"] or ABSENT,
        stored.system,
        says_text(lambda truth: [truth["asked"]["system"]]),
    ),
    Field(
        "images",
        lambda truth: sum(len(one["images"]) for one in truth["asked"]["messages"]) or ABSENT,
        lambda span: sum(one.images for one in messages_in(span)),
        says_images,
    ),
    Field(
        "tools_offered",
        lambda truth: truth["asked"]["tools"] or ABSENT,
        stored.tools,
        says_text(lambda _: ["Tell where an order is."]),
    ),
    Field(
        "params",
        should.params,
        stored.params,
        params_are_sent,
        # Beside what was asked for, a client may write its defaults.
        lambda expected, found: expected.items() <= found.items(),
    ),
    Field(
        "output_text",
        should.output_text,
        lambda span: "\n".join(one.text for one in messages_out(span) if one.text),
        says_text(lambda truth: [truth["answer"]["text"]]),
    ),
    Field(
        "thought",
        lambda truth: truth["answer"]["thought"] or ABSENT if is_answered(truth) else ABSENT,
        lambda span: "\n".join(one.thought for one in messages_out(span) if one.thought),
        says_text(lambda truth: [truth["answer"]["thought"]]),
    ),
    Field(
        "tool_calls",
        should.tool_calls,
        lambda span: [call for one in messages_out(span) for call in one.tool_calls],
        says_text(lambda truth: [json.loads(one["arguments"])["order"] for one in truth["answer"]["tool_calls"]]),
    ),
    Field(
        "tool_result",
        should.tool_result,
        stored.tool_result,
        says_text(lambda truth: should.tool_result(truth) or []),
        _same_result,
    ),
    Field(
        "finish_reason",
        should.finish,
        stored.finish,
        finish_is_sent,
        lambda expected, found: found in expected,
    ),
    Field(
        "response_id",
        lambda truth: truth["answer"]["id"] or ABSENT if is_answered(truth) else ABSENT,
        lambda span: span.row["response_id"],
        says_text(lambda truth: [truth["answer"]["id"]]),
    ),
    _count(
        "input",
        _FRESH,
        lambda tokens: tokens["cache_read"],
        lambda tokens: tokens["cache_write"],
        name="input_tokens",
    ),
    _count(
        "output",
        lambda tokens: tokens["output"] - tokens["reasoning"],
        lambda tokens: tokens["reasoning"],
        name="output_tokens",
    ),
    _count("cache_read"),
    _count("cache_write", lambda tokens: tokens["cache_write_5m"], lambda tokens: tokens["cache_write_1h"]),
    Field(
        "cache_write_1h",
        lambda truth: truth["answer"]["tokens"]["cache_write_1h"] or ABSENT if is_answered(truth) else ABSENT,
        lambda span: dict(span.row["usage_extra"]).get("cache_write_1h", 0),
        says_number(lambda tokens: tokens["cache_write_1h"]),
    ),
    _count("reasoning"),
    Field("cost", should.cost, lambda span: span.row["cost_total_n"], _cost_is_sent, _same_cost),
    Field(
        "streaming",
        lambda truth: truth["asked"]["stream"] or ABSENT,
        lambda span: span.row["streaming"],
        says_streaming,
    ),
    Field(
        "ttft",
        should.answer_took_us,
        lambda span: span.row["ttft_us"],
        says_key("first", "ttft", "completion_start"),
        lambda took_us, found: 0 < found <= took_us + _CLIENT_US,
    ),
    Field("error", should.error, stored.error, error_is_sent),
    Field(
        "error_message",
        lambda truth: truth["answer"]["error"] if should.error(truth) and truth["answer"]["error"] else ABSENT,
        lambda span: span.row["status_message"],
        says_text(lambda truth: [truth["answer"]["error"]]),
        lambda expected, found: expected in found,
    ),
)
"""Fields of an answer."""

CASE_FIELDS: Final = ("stored", "span", "counted_once", "session", "user")
"""Beside them: whether all was stored, whether there is a span for each answer, and what belongs to a case."""
