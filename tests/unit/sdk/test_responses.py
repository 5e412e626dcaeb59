"""`record_response` with the real `openai` and `anthropic` client packages against a loopback server."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import anthropic
import openai
import pytest

import spanwise
from spanwise.testing import Capture
from tests.support.model_server import model_server

TOOL_CALL = {"type": "tool_call", "id": "call_1", "name": "weather", "arguments": {"city": "Bonn"}}
CHAT_MESSAGES = [
    {
        "role": "assistant",
        "parts": [{"type": "text", "content": "Let me look."}, TOOL_CALL],
        "finish_reason": "tool_calls",
    }
]
CHAT = {
    "gen_ai.provider.name": "openai",
    "gen_ai.response.model": "m-2026",
    "gen_ai.response.id": "chatcmpl-1",
    "gen_ai.response.finish_reasons": ("tool_calls",),
    "gen_ai.usage.input_tokens": 211,
    "gen_ai.usage.output_tokens": 37,
    "gen_ai.usage.cache_read.input_tokens": 128,
    "gen_ai.usage.cache_creation.input_tokens": 31,
    "gen_ai.usage.reasoning.output_tokens": 19,
}
RESPONSE_MESSAGES = [
    {"role": "assistant", "parts": [{"type": "text", "content": "It is sunny."}], "finish_reason": "completed"}
]
RESPONSE = {
    "gen_ai.provider.name": "openai",
    "gen_ai.response.model": "m-2026",
    "gen_ai.response.id": "resp_1",
    "gen_ai.response.finish_reasons": ("completed",),
    "gen_ai.usage.input_tokens": 307,
    "gen_ai.usage.output_tokens": 41,
    "gen_ai.usage.cache_read.input_tokens": 256,
    "gen_ai.usage.cache_creation.input_tokens": 29,
    "gen_ai.usage.reasoning.output_tokens": 23,
}
CLAUDE_MESSAGES = [
    {
        "role": "assistant",
        "parts": [
            {"type": "reasoning", "content": "Hm."},
            {"type": "text", "content": "Let me look."},
            {"type": "tool_call", "id": "toolu_1", "name": "weather", "arguments": {"city": "Bonn"}},
        ],
        "finish_reason": "tool_use",
    }
]
CLAUDE = {
    "gen_ai.provider.name": "anthropic",
    "gen_ai.response.model": "m-2026",
    "gen_ai.response.id": "msg_1",
    "gen_ai.response.finish_reasons": ("tool_use",),
    "gen_ai.usage.input_tokens": 1119 + 640 + 306,  # inclusive of cached tokens, as the conventions count
    "gen_ai.usage.output_tokens": 53,
    "gen_ai.usage.cache_read.input_tokens": 640,
    "gen_ai.usage.cache_creation.input_tokens": 306,
    "anthropic.usage.cache_creation.ephemeral_1h_input_tokens": 100,
    "gen_ai.usage.reasoning.output_tokens": 11,
}
QUESTION: Any = [{"role": "user", "content": "How is the weather?"}]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """A model server for the whole module."""
    with model_server() as address:
        yield address


@pytest.fixture
def openai_client(server: str) -> Iterator[openai.OpenAI]:
    """OpenAI's client, talking to it."""
    with openai.OpenAI(api_key="none", base_url=f"{server}/v1", max_retries=0) as client:
        yield client


@pytest.fixture
def claude(server: str) -> Iterator[anthropic.Anthropic]:
    """Anthropic's client, talking to it."""
    with anthropic.Anthropic(api_key="none", base_url=server, max_retries=0) as client:
        yield client


def recorded(captured: Capture) -> tuple[dict[str, Any], Any]:
    """The one span's attributes beside its messages, and its messages."""
    [span] = [span for span in captured.spans if span["name"] == "call"]
    attributes = dict(span["attributes"])
    messages = json.loads(attributes.pop("gen_ai.output.messages", "null"))
    assert attributes.pop("gen_ai.operation.name") in {"chat", "embeddings"}
    return attributes, messages


def streamed(captured: Capture) -> tuple[dict[str, Any], Any]:
    """The same for a stream, whose first chunk has come a tick of the fixed clock after the span's start."""
    attributes, messages = recorded(captured)
    assert attributes.pop("gen_ai.request.stream") is True
    assert attributes.pop("gen_ai.response.time_to_first_chunk") == 0.001
    return attributes, messages


def test_openai_chat_completion(openai_client: openai.OpenAI, spanwise_capture: Capture) -> None:
    """Model, usage with cached and reasoning tokens, finish reason, text and tool call are read."""
    with spanwise.span("call", kind="llm") as span:
        answer = openai_client.chat.completions.create(model="m", messages=QUESTION)
        assert span.record_response(answer) is answer

    assert recorded(spanwise_capture) == (CHAT, CHAT_MESSAGES)


def test_openai_chat_stream(openai_client: openai.OpenAI, spanwise_capture: Capture) -> None:
    """A stream gives the same record as the whole answer, and the time to its first chunk."""
    with spanwise.span("call", kind="llm") as span:
        stream = openai_client.chat.completions.create(
            model="m", messages=QUESTION, stream=True, stream_options={"include_usage": True}
        )
        chunks = list(span.record_response(stream))

    assert len(chunks) == 7
    assert streamed(spanwise_capture) == (CHAT, CHAT_MESSAGES)


def test_a_stream_used_after_its_block_keeps_the_span_open(
    openai_client: openai.OpenAI, spanwise_capture: Capture
) -> None:
    """A function may return the stream: the span ends when the stream does."""

    def ask() -> Any:
        with spanwise.span("call", kind="llm") as span:
            return span.record_response(
                openai_client.chat.completions.create(
                    model="m", messages=QUESTION, stream=True, stream_options={"include_usage": True}
                )
            )

    with ask() as stream:
        assert spanwise_capture.spans == []
        for _ in stream:
            pass

    assert streamed(spanwise_capture) == (CHAT, CHAT_MESSAGES)


def test_a_stream_closed_early_records_what_has_come(openai_client: openai.OpenAI, spanwise_capture: Capture) -> None:
    """Closing is no error; there is no usage, because none was sent."""
    with spanwise.span("call", kind="llm") as span:
        stream = span.record_response(openai_client.chat.completions.create(model="m", messages=QUESTION, stream=True))
        next(iter(stream))
        stream.close()

    attributes, messages = streamed(spanwise_capture)
    assert messages == [{"role": "assistant", "parts": [{"type": "text", "content": "Let me "}]}]
    assert "gen_ai.usage.input_tokens" not in attributes
    assert spanwise_capture.spans[0]["status"] == "unset"


def test_an_abandoned_stream_ends_its_span(openai_client: openai.OpenAI, spanwise_capture: Capture) -> None:
    """A stream that nobody reads to the end or closes is recorded when Python collects it."""
    with spanwise.span("call", kind="llm") as span:
        stream = span.record_response(openai_client.chat.completions.create(model="m", messages=QUESTION, stream=True))
        next(iter(stream))
    assert spanwise_capture.spans == []
    original = stream._stream  # type: ignore[attr-defined]
    del stream, span
    original.close()

    assert len(spanwise_capture.spans) == 1


def test_a_stream_that_breaks_is_an_error(openai_client: openai.OpenAI, spanwise_capture: Capture) -> None:
    """The client's own exception reaches the caller; the span has it, and what had come."""
    with spanwise.span("call", kind="llm") as span:
        stream = span.record_response(
            openai_client.chat.completions.create(model="cut", messages=QUESTION, stream=True)
        )
        with pytest.raises(Exception, match=r"(?i)peer closed|incomplete|connection") as raised:
            list(stream)

    [recorded_span] = spanwise_capture.spans
    assert recorded_span["status"] == "error"
    assert recorded_span["attributes"]["error.type"].endswith(type(raised.value).__name__)
    assert "Let me look." in recorded_span["attributes"]["gen_ai.output.messages"]


def test_openai_async_stream(server: str, spanwise_capture: Capture) -> None:
    """Async streams are read as sync ones are."""

    async def main() -> int:
        async with openai.AsyncOpenAI(api_key="none", base_url=f"{server}/v1", max_retries=0) as client:
            with spanwise.span("call", kind="llm") as span:
                stream = await client.chat.completions.create(
                    model="m", messages=QUESTION, stream=True, stream_options={"include_usage": True}
                )
                return len([chunk async for chunk in span.record_response(stream)])

    assert asyncio.run(main()) == 7
    assert streamed(spanwise_capture) == (CHAT, CHAT_MESSAGES)


def test_openai_stream_helper(openai_client: openai.OpenAI, spanwise_capture: Capture) -> None:
    """The client's `.stream()` manager can be recorded too."""
    with spanwise.span("call", kind="llm") as span:
        manager = openai_client.chat.completions.stream(
            model="m", messages=QUESTION, stream_options={"include_usage": True}
        )
        with span.record_response(manager) as stream:
            for _ in stream:
                pass

    assert streamed(spanwise_capture) == (CHAT, CHAT_MESSAGES)


def test_openai_responses(openai_client: openai.OpenAI, spanwise_capture: Capture) -> None:
    """The responses API is read."""
    with spanwise.span("call", kind="llm") as span:
        span.record_response(openai_client.responses.create(model="m", input="How is the weather?"))

    assert recorded(spanwise_capture) == (RESPONSE, RESPONSE_MESSAGES)


def test_openai_responses_stream(openai_client: openai.OpenAI, spanwise_capture: Capture) -> None:
    """Its stream gives the same record."""
    with spanwise.span("call", kind="llm") as span:
        list(span.record_response(openai_client.responses.create(model="m", input="How is the weather?", stream=True)))

    assert streamed(spanwise_capture) == (RESPONSE, RESPONSE_MESSAGES)


def test_openai_embeddings(openai_client: openai.OpenAI, spanwise_capture: Capture) -> None:
    """Embeddings have a model and input tokens, and no output to store."""
    with spanwise.span("call", kind="embedding") as span:
        span.record_response(openai_client.embeddings.create(model="m", input=["a", "b"]))

    assert recorded(spanwise_capture) == (
        {"gen_ai.provider.name": "openai", "gen_ai.response.model": "m-2026", "gen_ai.usage.input_tokens": 17},
        None,
    )


def test_anthropic_message(claude: anthropic.Anthropic, spanwise_capture: Capture) -> None:
    """Input tokens include those read from and written to the cache; thinking, text and tool use are parts."""
    with spanwise.span("call", kind="llm") as span:
        span.record_response(claude.messages.create(model="m", max_tokens=9, messages=QUESTION))

    assert recorded(spanwise_capture) == (CLAUDE, CLAUDE_MESSAGES)


def test_anthropic_raw_stream(claude: anthropic.Anthropic, spanwise_capture: Capture) -> None:
    """The totals of the last event replace those of the first."""
    with spanwise.span("call", kind="llm") as span:
        list(span.record_response(claude.messages.create(model="m", max_tokens=9, messages=QUESTION, stream=True)))

    assert streamed(spanwise_capture) == (CLAUDE, CLAUDE_MESSAGES)


def test_anthropic_stream_helper_with_text_stream(claude: anthropic.Anthropic, spanwise_capture: Capture) -> None:
    """Reading only the text through the client's helper still records everything."""
    with (
        spanwise.span("call", kind="llm") as span,
        span.record_response(claude.messages.stream(model="m", max_tokens=9, messages=QUESTION)) as stream,
    ):
        assert "".join(stream.text_stream) == "Let me look."

    assert streamed(spanwise_capture) == (CLAUDE, CLAUDE_MESSAGES)


def test_anthropic_stream_helper_with_final_message(claude: anthropic.Anthropic, spanwise_capture: Capture) -> None:
    """So does waiting for the whole message."""
    with (
        spanwise.span("call", kind="llm") as span,
        claude.messages.stream(model="m", max_tokens=9, messages=QUESTION) as raw,
    ):
        assert span.record_response(raw).get_final_message().stop_reason == "tool_use"

    assert recorded(spanwise_capture) == (CLAUDE, CLAUDE_MESSAGES)


def test_anthropic_async_stream_helper(server: str, spanwise_capture: Capture) -> None:
    """The async helper too."""

    async def main() -> str:
        async with anthropic.AsyncAnthropic(api_key="none", base_url=server, max_retries=0) as client:
            with spanwise.span("call", kind="llm") as span:
                manager = client.messages.stream(model="m", max_tokens=9, messages=QUESTION)
                async with span.record_response(manager) as stream:
                    return "".join([text async for text in stream.text_stream])

    assert asyncio.run(main()) == "Let me look."
    assert streamed(spanwise_capture) == (CLAUDE, CLAUDE_MESSAGES)


def test_answers_as_dicts_are_read_too(openai_client: openai.OpenAI, spanwise_capture: Capture) -> None:
    """Clients that hand out plain dicts work the same."""
    answer = openai_client.chat.completions.create(model="m", messages=QUESTION).to_dict()

    with spanwise.span("call") as span:
        span.record_response(answer)

    assert recorded(spanwise_capture) == (CHAT, CHAT_MESSAGES)


def test_an_answer_of_unknown_kind_becomes_the_output(spanwise_capture: Capture) -> None:
    """Nothing is lost when a client is not known."""
    with spanwise.span("call") as span:
        assert span.record_response({"text": "hi"}) == {"text": "hi"}

    assert spanwise_capture.spans[0]["attributes"] == {
        "output.value": '{"text": "hi"}',
        "output.mime_type": "application/json",
    }
