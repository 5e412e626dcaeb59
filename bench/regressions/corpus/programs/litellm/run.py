"""What the package litellm raises around a provider's answers."""

import os

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"

from typing import Final

import litellm
from recording import Answers, Stub, fail, fail_all
from values import Values

litellm.suppress_debug_info = True


def error(message: str, kind: str, code: str | None) -> dict[str, object]:
    """A body as OpenAI's."""
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


OPENAI: Final[Answers] = {
    "litellm/openai limit": (
        429,
        lambda v: error(
            f"Rate limit reached for {v.gpt} in organization {v.id('org-')} on tokens per min (TPM): Limit"
            f" {v.n(3, 90)}0000,"
            f" Used {v.n(10_000, 900_000)}, Requested {v.n(100, 9_000)}. Please try again in {v.n(1, 5_999)}ms. Visit"
            " https://platform.openai.com/account/rate-limits to learn more.",
            "tokens",
            "rate_limit_exceeded",
        ),
    ),
    "litellm/openai context": (
        400,
        lambda v: error(
            f"This model's maximum context length is {v.n(4, 128) * 1000} tokens. However, your messages resulted in"
            f" {v.n(130_000, 900_000)} tokens. Please reduce the length of the messages.",
            "invalid_request_error",
            "context_length_exceeded",
        ),
    ),
    "litellm/openai server error": (
        500,
        lambda v: error(f"The server had an error processing your request ({v.id('req_')}).", "server_error", None),
    ),
}
ANTHROPIC: Final[Answers] = {
    "litellm/anthropic overloaded": (
        529,
        lambda v: {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}},
    ),
    "litellm/anthropic prompt too long": (
        400,
        lambda v: {
            "type": "error",
            "error": {
                "type": "invalid_request_error",
                "message": f"prompt is too long: {v.n(200_001, 999_999)} tokens > 200000 maximum",
            },
            "request_id": v.id("req_011C", 20),
        },
    ),
}


def main() -> None:
    """Fail in all ways."""
    stub = Stub()
    messages = [{"role": "user", "content": "Where is my order?"}]

    def call(model: str, timeout: float = 5) -> object:
        return litellm.completion(
            model=model,
            messages=messages,
            api_base=stub.url,
            api_key="unused",
            max_retries=0,
            num_retries=0,
            timeout=timeout,
        )

    fail_all(stub, "openai", OPENAI, lambda values: call("openai/gpt-4o"))
    fail_all(stub, "anthropic", ANTHROPIC, lambda values: call("anthropic/claude-sonnet-4-5"))
    fail("litellm/no provider", "", lambda values: call(f"{values.name}-chat"))
    stub.status = -1

    def slow(values: Values) -> object:
        return call("openai/gpt-4o", timeout=0.05 + values.n(1, 9) / 100)

    fail("litellm/openai timeout", "openai", slow)


main()
