"""What the package anthropic raises, with error bodies as Anthropic answers them."""

from typing import Any, Final

import anthropic
from recording import Answers, Body, Stub, fail, fail_all
from values import Values


def body(kind: str, message: Body) -> Body:
    """An error body around a message."""
    return lambda v: {
        "type": "error",
        "error": {"type": kind, "message": message(v)},
        "request_id": v.id("req_011C", 20),
    }


def invalid(message: Body) -> tuple[int, Body]:
    """A request that is refused."""
    return 400, body("invalid_request_error", message)


def limit(what: str) -> tuple[int, Body]:
    """A rate limit."""
    return 429, body(
        "rate_limit_error",
        lambda v: (
            f"This request would exceed your organization's rate limit of {v.n(2, 400)},000 {what} per minute"
            f" (org: {v.hex(8)}-{v.hex(4)}-{v.hex(4)}-{v.hex(4)}-{v.hex(12)}, model: {v.claude}). For details, refer"
            " to:"
            " https://docs.anthropic.com/en/api/rate-limits. You can see the response headers for current usage. Please"
            " reduce the prompt length or the maximum tokens requested, or try again later."
        ),
    )


def ids(v: Values) -> str:
    """One to three ids of tool calls."""
    return ", ".join(v.id("toolu_01", 22) for _ in range(v.n(1, 3)))


ANSWERS: Final[Answers] = {
    "anthropic/limit input tokens": limit("input tokens"),
    "anthropic/limit output tokens": limit("output tokens"),
    "anthropic/limit requests": (
        429,
        body(
            "rate_limit_error",
            lambda v: (
                f"Number of requests has exceeded your rate limit of {v.n(5, 4000)} requests per minute"
                " (https://docs.anthropic.com/claude/reference/rate-limits). Please try again later or contact sales at"
                " https://www.anthropic.com/contact-sales to discuss your options for a rate limit increase."
            ),
        ),
    ),
    "anthropic/overloaded": (529, body("overloaded_error", lambda v: "Overloaded")),
    "anthropic/wrong key": (401, body("authentication_error", lambda v: "invalid x-api-key")),
    "anthropic/permission": (
        403,
        body(
            "permission_error",
            lambda v: "Your API key does not have permission to use the specified resource.",
        ),
    ),
    "anthropic/no such model": (404, body("not_found_error", lambda v: f"model: {v.claude}-{v.name}")),
    "anthropic/server error": (500, body("api_error", lambda v: "Internal server error")),
    "anthropic/too large": (413, body("request_too_large", lambda v: "Request exceeds the maximum size")),
    "anthropic/credit": invalid(
        lambda v: (
            "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or"
            " purchase"
            " credits."
        )
    ),
    "anthropic/prompt too long": invalid(
        lambda v: f"prompt is too long: {v.n(200_001, 999_999)} tokens > 200000 maximum"
    ),
    "anthropic/context limit": invalid(
        lambda v: (
            f"input length and `max_tokens` exceed context limit: {v.n(180_000, 200_000)} + {v.n(8_000, 64_000)} >"
            " 200000,"
            " decrease input length or `max_tokens` and try again"
        )
    ),
    "anthropic/max_tokens": invalid(
        lambda v: (
            f"max_tokens: {v.n(70_000, 900_000)} > {v.n(4, 64) * 1024}, which is the maximum allowed number of output"
            " tokens"
            f" for {v.claude}"
        )
    ),
    "anthropic/tool use without result": invalid(
        lambda v: (
            f"messages.{v.n(1, 60)}: `tool_use` ids were found without `tool_result` blocks immediately after:"
            f" {ids(v)}."
            " Each `tool_use` block must have a corresponding `tool_result` block in the next message."
        )
    ),
    "anthropic/tool result without use": invalid(
        lambda v: (
            f"messages.{v.n(1, 60)}.content.{v.n(0, 3)}: unexpected `tool_use_id` found in `tool_result` blocks:"
            f" {ids(v)}."
            " Each `tool_result` block must have a corresponding `tool_use` block in the previous message."
        )
    ),
    "anthropic/empty content": invalid(
        lambda v: (
            f"messages.{v.n(0, 90)}: all messages must have non-empty content except for the optional final assistant"
            " message"
        )
    ),
    "anthropic/image too large": invalid(
        lambda v: (
            f"messages.{v.n(0, 20)}.content.{v.n(0, 9)}.image.source.base64: image exceeds 5 MB maximum:"
            f" {v.n(5_300_000, 19_000_000)} bytes > 5242880 bytes"
        )
    ),
    "anthropic/tool name": invalid(
        lambda v: f"tools.{v.n(0, 40)}.custom.name: String should match pattern '^[a-zA-Z0-9_-]{{1,128}}$'"
    ),
    "anthropic/field required": invalid(lambda v: f"messages.{v.n(0, 40)}.content: Field required"),
    "anthropic/extra input": invalid(lambda v: f"{v.column}: Extra inputs are not permitted"),
    "anthropic/thinking budget": invalid(
        lambda v: (
            "`max_tokens` must be greater than `thinking.budget_tokens`. Please consult our documentation at"
            " https://docs.anthropic.com/en/docs/build-with-claude/extended-thinking#max-tokens-and-context-window-size"
        )
    ),
    "anthropic/filtered": invalid(lambda v: "Output blocked by content filtering policy"),
}


def main() -> None:
    """Fail in all ways."""
    stub = Stub()
    client = anthropic.Anthropic(base_url=stub.url, api_key="unused", max_retries=0, timeout=0.3)
    messages: Any = [{"role": "user", "content": "Where is my order?"}]

    def call(values: Values, by: Any = client) -> object:
        return by.messages.create(model="claude-sonnet-4-5", max_tokens=100, messages=messages)

    fail_all(stub, "anthropic", ANSWERS, call)
    stub.status = -1
    fail("anthropic/timeout", "anthropic", call)
    nowhere = anthropic.Anthropic(base_url="http://127.0.0.1:9", api_key="unused", max_retries=0)
    fail("anthropic/connection", "anthropic", lambda values: call(values, nowhere))


main()
