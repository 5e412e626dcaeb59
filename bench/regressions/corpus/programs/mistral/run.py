"""What the package mistralai raises, with error bodies as Mistral answers them."""

from typing import Final

from mistralai.client import Mistral
from recording import Answers, Body, Stub, fail_all
from values import Values


def body(message: Body, kind: str, code: str) -> Body:
    """An error body around a message."""
    return lambda v: {"object": "error", "message": message(v), "type": kind, "param": None, "code": code}


ANSWERS: Final[Answers] = {
    "mistral/unauthorized": (401, lambda v: {"detail": "Unauthorized", "request_id": v.hex(32)}),
    "mistral/limit": (429, body(lambda v: "Rate limit exceeded", "rate_limited", "1300")),
    "mistral/capacity": (
        429,
        body(lambda v: "Service tier capacity exceeded for this model.", "service_tier_capacity_exceeded", "3505"),
    ),
    "mistral/context": (
        400,
        body(
            lambda v: (
                f"Prompt contains {v.n(32_769, 900_000)} tokens and {v.n(0, 9)} draft tokens, too large for model with"
                f" {v.n(32, 128) * 1024} maximum context length"
            ),
            "invalid_request_prompt",
            "3051",
        ),
    ),
    "mistral/no such model": (
        400,
        body(lambda v: f"Invalid model: mistral-{v.name}", "invalid_model", "1500"),
    ),
    "mistral/order": (
        400,
        body(
            lambda v: (
                "Expected last role User or Tool (or Assistant with prefix True) for serving but got"
                f" {v.one_of('assistant', 'system')}"
            ),
            "invalid_request_message_order",
            "3230",
        ),
    ),
    "mistral/calls": (
        400,
        body(lambda v: "Not the same number of function calls and responses", "invalid_request_message_order", "3230"),
    ),
}


def main() -> None:
    """Fail in all ways."""
    stub = Stub()
    client = Mistral(api_key="unused", server_url=stub.url, timeout_ms=3_000)

    def call(values: Values) -> object:
        return client.chat.complete(model="mistral-small-latest", messages=[{"role": "user", "content": "Hello"}])

    fail_all(stub, "mistral_ai", ANSWERS, call)


main()
