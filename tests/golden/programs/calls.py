"""The calls that every program makes, as an application would write them with the `openai` package."""

from collections.abc import Callable
from typing import Any

import openai

MODEL = "gpt-4o"
EMBEDDING_MODEL = "text-embedding-3-small"
TOOLS: Any = [
    {
        "type": "function",
        "function": {
            "name": "track_order",
            "parameters": {"type": "object", "properties": {"order": {"type": "string"}}},
        },
    }
]


def chat(client: openai.OpenAI) -> Any:
    """A plain answer."""
    return client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": "Where is my order?"}])


def stream(client: openai.OpenAI) -> Any:
    """An answer in pieces, with usage; the caller reads it to its end."""
    return client.chat.completions.create(
        model=MODEL,
        messages=[{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Grüße, wo?"}],
        stream=True,
        stream_options={"include_usage": True},
    )


def tool(client: openai.OpenAI) -> Any:
    """An answer that wants a tool called."""
    messages: Any = [{"role": "user", "content": "Track order 12345"}]
    return client.chat.completions.create(model=MODEL, messages=messages, tools=TOOLS)


def embed(client: openai.OpenAI) -> Any:
    """An embedding."""
    return client.embeddings.create(model=EMBEDDING_MODEL, input="order 12345")


def fail(client: openai.OpenAI) -> Any:
    """A call that is refused."""
    return client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": "FAIL please"}])


def run_all(client: openai.OpenAI) -> None:
    """All of them, one after the other; the refused one raises as it would in an application that handles it."""
    chat(client)
    list(stream(client))
    tool(client)
    embed(client)
    expect_refusal(lambda: fail(client))


def expect_refusal(call: Callable[[], Any]) -> None:
    """Make a call that the provider refuses."""
    try:
        call()
    except openai.RateLimitError:
        return
    raise AssertionError("the stub did not refuse the call")


def client(base_url: str) -> openai.OpenAI:
    """The unmodified client, aimed at the stub."""
    return openai.OpenAI(base_url=base_url + "/v1", api_key="unused", max_retries=0)
