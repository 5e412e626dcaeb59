"""Each field: what it should be, what it is, and how to look for it in what was sent.

What it should be comes from the truth log alone; what it is comes from the stored rows alone.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from tests.golden.clients.evaluate.payload import Payload
from tests.golden.clients.evaluate.prices import cost_n
from tests.golden.clients.evaluate.rows import Said, Span, messages_of

Truth = dict[str, Any]
PROVIDERS: Final = {"openai": ("openai",), "anthropic": ("anthropic",), "google": ("gcp.gemini", "gcp.gen_ai")}
"""The GenAI conventions' words for the stub's providers."""

FINISH: Final = {
    "stop": "stop",
    "end_turn": "stop",
    "STOP": "stop",
    "completed": "stop",
    "tool_calls": "tool_calls",
    "tool_use": "tool_calls",
}
"""The GenAI conventions' words for the APIs' finish reasons. A tool call is one also where the API says otherwise."""

_STREAMS: Final = re.compile(r"""["']stream(ing)?["']: ?[Tt]rue""")
_FINISH_NAME: Final = re.compile(r"(?i)(finish|stop)[._]?reason")
_FINISH_MEMBER: Final = re.compile(r"(?i)(?:finish|stop)_?reasons?\W{1,8}(\w+)")
_NUMBER: Final = re.compile(r"\d+(\.\d+)?")
KINDS: Final = {"llm": 1, "embedding": 2}
STATUS_ERROR: Final = 2
ABSENT: Final = None
"""Of a field that the truth log has nothing to say about."""


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
    is_sent: Callable[[Truth, list[Span], Payload], bool]
    same: Callable[[Any, Any], bool] = lambda expected, found: bool(expected == found)


def _is_answered(truth: Truth) -> bool:
    """Whether the client got all of the answer."""
    return bool(truth["ended"] == "complete")


def _last_user(messages: list[dict[str, Any]]) -> str:
    texts = [one["text"] for one in messages if one["role"] == "user" and one["text"]]
    return str(texts[-1]) if texts else ""


def _input(span: Span) -> list[Said]:
    return messages_of(span.bodies["input"])


def _output(span: Span) -> list[Said]:
    return messages_of(span.bodies["output"])


def _input_text(truth: Truth) -> Any:
    return "\n".join(truth["asked"]["inputs"]) or _last_user(truth["asked"]["messages"]) or ABSENT


def _found_input_text(span: Span) -> str:
    said = [one.text for one in _input(span) if one.role == "user" and one.text]
    if said:
        return "\n".join(said) if span.row["kind"] == KINDS["embedding"] else said[-1]
    body = span.bodies["input"]
    if span.row["kind"] != KINDS["embedding"]:
        return ""
    try:
        given = json.loads(body)
    except ValueError:
        return body
    return "\n".join(map(str, given)) if isinstance(given, list) else str(given)


def _found_system(span: Span) -> str:
    apart = span.bodies["system_instructions"]
    if apart:
        try:
            given = json.loads(apart)
        except ValueError:
            return apart
        if isinstance(given, list):
            return "\n".join(str(one["content"]) for one in given)
        return str(given)
    return "\n".join(one.text for one in _input(span) if one.role in ("system", "developer"))


def _tool_calls(truth: Truth) -> Any:
    calls = [(one["name"], json.loads(one["arguments"])) for one in truth["answer"]["tool_calls"]]
    return (calls or ABSENT) if _is_answered(truth) else ABSENT


def _tool_result(truth: Truth) -> Any:
    messages = truth["asked"]["messages"]
    results = messages[-1]["tool_results"] if messages else []
    return [one["content"] for one in results] or ABSENT


def _found_tool_result(span: Span) -> list[str]:
    for one in reversed(_input(span)):
        if one.tool_results:
            return one.tool_results
    return []


def _found_tools(span: Span) -> list[str]:
    try:
        given = json.loads(span.bodies["tool_defs"])
    except ValueError:
        return []
    return [name for one in given for name in _tool_names(one)] if isinstance(given, list) else []


def _tool_names(one: Any) -> list[str]:
    if not isinstance(one, dict):
        return []
    for key in ("function_declarations", "functionDeclarations"):
        if key in one:
            return [str(declared["name"]) for declared in one[key]]
    inner = one.get("function")
    return [str((inner if isinstance(inner, dict) else one).get("name"))]


def _finish(truth: Truth) -> Any:
    if not _is_answered(truth) or truth["kind"] == "embedding":
        return ABSENT
    if truth["answer"]["tool_calls"]:
        return ("tool_calls", FINISH[truth["answer"]["finish_reason"]])
    return (FINISH[truth["answer"]["finish_reason"]],)


def _found_finish(span: Span) -> Any:
    # Where the messages came as log records, only they tell it.
    word = span.row["finish_reason"] or next((one.finish_reason for one in _output(span) if one.finish_reason), "")
    return {"tool_call": "tool_calls", "completed": "stop"}.get(word, word)


def _finish_is_sent(truth: Truth, spans: list[Span], payload: Payload) -> bool:
    """Whether an attribute, or a member of JSON in one, that is named for the finish reason has a right word."""
    right = {word for word, meaning in FINISH.items() if meaning in _finish(truth)}
    for span in spans:
        for key, values in payload.spans[span.key].pairs:
            if _FINISH_NAME.search(key) and right.intersection(values):
                return True
        if right.intersection(_FINISH_MEMBER.findall(payload.text[span.key])):
            return True
    return False


def _says_text(texts: Callable[[Truth], list[str]]) -> Callable[[Truth, list[Span], Payload], bool]:
    """Whether the spans of an answer say one of some texts."""

    def is_sent(truth: Truth, spans: list[Span], payload: Payload) -> bool:
        wanted = [one for one in texts(truth) if one]
        return any(one in payload.text[span.key] for span in spans for one in wanted)

    return is_sent


def _says_number(*forms: Callable[[dict[str, int]], int]) -> Callable[[Truth, list[Span], Payload], bool]:
    """Whether the payload says a number, or all parts of it."""

    def is_sent(truth: Truth, spans: list[Span], payload: Payload) -> bool:
        tokens = truth["answer"]["tokens"]
        whole, *parts = (form(tokens) for form in forms)
        if whole in payload.all_numbers:
            return True
        present = [part for part in parts if part]
        return len(present) > 1 and payload.all_numbers.issuperset(present)

    return is_sent


def _says_key(*words: str) -> Callable[[Truth, list[Span], Payload], bool]:
    """Whether an attribute or event of the answer's spans has a name with one of some words in it."""

    def is_sent(truth: Truth, spans: list[Span], payload: Payload) -> bool:
        keys = [key.lower() for span in spans for key in payload.spans[span.key].keys]
        return any(word in key for key in keys for word in words)

    return is_sent


def _says_images(truth: Truth, spans: list[Span], payload: Payload) -> bool:
    """Whether the spans of an answer have all its images."""
    wanted = [image for one in truth["asked"]["messages"] for image in one["images"]]
    texts = [payload.text[span.key] for span in spans]
    return all(any(image in text for text in texts) for image in wanted)


def _says_provider(truth: Truth, spans: list[Span], payload: Payload) -> bool:
    """Whether an attribute that is named for the provider has a value; system instructions are something else."""
    keys = [key.lower().replace("system_instructions", "") for span in spans for key in payload.spans[span.key].keys]
    return any(word in key for key in keys for word in ("provider", "system", "vendor"))


def _says_streaming(truth: Truth, spans: list[Span], payload: Payload) -> bool:
    """Whether an attribute, event or member of JSON that is named for streaming says yes, or anything but no."""
    for span in spans:
        for key, values in payload.spans[span.key].pairs:
            if "stream" in key.lower() and not {value.lower() for value in values} & {"false", "none", ""}:
                return True
        if _STREAMS.search(payload.text[span.key]):
            return True
    return False


def _count(sort: str, *parts: Callable[[dict[str, int]], int], name: str = "") -> Field:
    """A token count."""

    def expected(truth: Truth) -> Any:
        tokens = truth["answer"]["tokens"]
        return tokens[sort] or ABSENT if _is_answered(truth) else ABSENT

    return Field(
        name or sort, expected, lambda span: span.row["tok_" + sort], _says_number(lambda tokens: tokens[sort], *parts)
    )


def _cost(truth: Truth) -> Any:
    if not _is_answered(truth) or not truth["answer"]["tokens"]["input"]:
        return ABSENT
    tokens = truth["answer"]["tokens"]
    return tuple(cost_n(truth["asked"]["model"], tokens, lifetimes=lifetimes) for lifetimes in (True, False))


def _cost_is_sent(truth: Truth, spans: list[Span], payload: Payload) -> bool:
    """Whether all counts that the price depends on are there."""
    is_told = {field.name: field.is_sent(truth, spans, payload) for field in FIELDS if field.name in _PRICED}
    return all(is_told[name] for name in _PRICED if truth["answer"]["tokens"][_PRICED[name]])


def _same_cost(expected: tuple[int, int], found: int) -> bool:
    return found == expected[0]


def _error(truth: Truth) -> Any:
    is_retried = truth["ended"] == "refused" and truth["behaviour"] == "retry"
    return "an error" if truth["ended"] in ("refused", "timeout", "cut") and not is_retried else ABSENT


def _found_error(span: Span) -> str:
    has_failed = span.row["status"] == STATUS_ERROR
    return "an error" if has_failed and (span.row["error_type"] or span.row["status_message"]) else ""


def _error_is_sent(truth: Truth, spans: list[Span], payload: Payload) -> bool:
    says = _says_key("exception", "error")(truth, spans, payload)
    return says or any(span.row["status"] == STATUS_ERROR for span in spans)


def _params(truth: Truth) -> Any:
    params = truth["asked"]["params"]
    inner = params.get("generationConfig") or {}
    wanted = {
        "temperature": params.get("temperature", inner.get("temperature")),
        "max_tokens": params.get("max_tokens", inner.get("maxOutputTokens")),
    }
    return {name: float(value) for name, value in wanted.items() if value is not None} or ABSENT


def _found_params(span: Span) -> dict[str, float]:
    found = {}
    for name, names in {
        "temperature": ("temperature",),
        "max_tokens": ("max_tokens", "max_output_tokens", "max_completion_tokens", "maxOutputTokens"),
    }.items():
        for one in names:
            if _NUMBER.fullmatch(span.row["params"].get(one, "")):
                found[name] = float(span.row["params"][one])
    return found


def _params_are_sent(truth: Truth, spans: list[Span], payload: Payload) -> bool:
    return _says_key("temperature", "max_tokens", "max_output_tokens")(truth, spans, payload) or _says_text(
        lambda _: ['"temperature"', '"max_tokens"', '"max_output_tokens"', "'temperature'", "'max_tokens'"]
    )(truth, spans, payload)


def _says_response_model(truth: Truth, spans: list[Span], payload: Payload) -> bool:
    """Whether the model that answered is named; where it is the one asked for, a single name means that one."""
    model = truth["answer"]["model"]
    if model == truth["asked"]["model"]:
        return _says_key("response.model", "response_model")(truth, spans, payload)
    return _says_text(lambda _: [model])(truth, spans, payload)


def _same_result(expected: list[str], found: list[str]) -> bool:
    """Whether results say the same; some clients send a text to the provider as JSON, with its quotes."""
    return expected == found or expected == [json.dumps(one) for one in found]


def _output_text(truth: Truth) -> Any:
    text = truth["answer"]["text"]
    return (text or ABSENT) if _is_answered(truth) else ABSENT


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
        _says_provider,
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
        lambda truth: truth["answer"]["model"] or ABSENT if _is_answered(truth) else ABSENT,
        lambda span: span.row["model_response"],
        _says_response_model,
    ),
    Field("input_text", _input_text, _found_input_text, _says_text(lambda truth: [_input_text(truth) or ""])),
    Field(
        "system",
        lambda truth: truth["asked"]["system"] or ABSENT,
        _found_system,
        _says_text(lambda truth: [truth["asked"]["system"]]),
    ),
    Field(
        "images",
        lambda truth: sum(len(one["images"]) for one in truth["asked"]["messages"]) or ABSENT,
        lambda span: sum(one.images for one in _input(span)),
        _says_images,
    ),
    Field(
        "tools_offered",
        lambda truth: truth["asked"]["tools"] or ABSENT,
        _found_tools,
        _says_text(lambda _: ["Tell where an order is."]),
    ),
    Field(
        "params",
        _params,
        _found_params,
        _params_are_sent,
        # Beside what was asked for, a client may write its defaults.
        lambda expected, found: expected.items() <= found.items(),
    ),
    Field(
        "output_text",
        _output_text,
        lambda span: "\n".join(one.text for one in _output(span) if one.text),
        _says_text(lambda truth: [truth["answer"]["text"]]),
    ),
    Field(
        "thought",
        lambda truth: truth["answer"]["thought"] or ABSENT if _is_answered(truth) else ABSENT,
        lambda span: "\n".join(one.thought for one in _output(span) if one.thought),
        _says_text(lambda truth: [truth["answer"]["thought"]]),
    ),
    Field(
        "tool_calls",
        _tool_calls,
        lambda span: [call for one in _output(span) for call in one.tool_calls],
        _says_text(lambda truth: [json.loads(one["arguments"])["order"] for one in truth["answer"]["tool_calls"]]),
    ),
    Field(
        "tool_result",
        _tool_result,
        _found_tool_result,
        _says_text(lambda truth: _tool_result(truth) or []),
        _same_result,
    ),
    Field(
        "finish_reason",
        _finish,
        _found_finish,
        _finish_is_sent,
        lambda expected, found: found in expected,
    ),
    Field(
        "response_id",
        lambda truth: truth["answer"]["id"] or ABSENT if _is_answered(truth) else ABSENT,
        lambda span: span.row["response_id"],
        _says_text(lambda truth: [truth["answer"]["id"]]),
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
        lambda truth: truth["answer"]["tokens"]["cache_write_1h"] or ABSENT if _is_answered(truth) else ABSENT,
        lambda span: dict(span.row["usage_extra"]).get("cache_write_1h", 0),
        _says_number(lambda tokens: tokens["cache_write_1h"]),
    ),
    _count("reasoning"),
    Field("cost", _cost, lambda span: span.row["cost_total_n"], _cost_is_sent, _same_cost),
    Field(
        "streaming",
        lambda truth: truth["asked"]["stream"] or ABSENT,
        lambda span: span.row["streaming"],
        _says_streaming,
    ),
    Field(
        "ttft",
        lambda truth: "a time within the call" if truth["asked"]["stream"] and _is_answered(truth) else ABSENT,
        lambda span: span.row["ttft_us"] and (span.row["ttft_us"] <= span.row["duration_us"] or -1),
        _says_key("first", "ttft", "completion_start"),
        lambda _, found: found is True,
    ),
    Field("error", _error, _found_error, _error_is_sent),
    Field(
        "error_message",
        lambda truth: truth["answer"]["error"] if _error(truth) and truth["answer"]["error"] else ABSENT,
        lambda span: span.row["status_message"],
        _says_text(lambda truth: [truth["answer"]["error"]]),
        lambda expected, found: expected in found,
    ),
)
"""Fields of an answer."""

CASE_FIELDS: Final = ("stored", "span", "counted_once", "session", "user")
"""Beside them: whether all was stored, whether there is a span for each answer, and what belongs to a case."""
