"""The stub speaks as the providers do: their own packages understand it, and its log says what they understood."""

from collections.abc import Iterator
from typing import Any

import anthropic
import httpx
import openai
import pytest

from tests.golden.clients.programs.shared import material
from tests.golden.clients.record import settle
from tests.golden.clients.stub.cases import case_of
from tests.golden.clients.stub.server import Stub, serve

TOOL: Any = {"type": "function", "function": {"name": material.TOOL_NAME, "parameters": material.TOOL_SCHEMA}}


@pytest.fixture
def stub() -> Iterator[Stub]:
    """A running stub."""
    with serve() as found:
        yield found


@pytest.fixture
def gpt(stub: Stub) -> Iterator[openai.OpenAI]:
    """OpenAI's own client, aimed at the stub."""
    with openai.OpenAI(base_url=stub.url + "/v1", api_key="unused", max_retries=0, timeout=20) as client:
        yield client


@pytest.fixture
def claude(stub: Stub) -> Iterator[anthropic.Anthropic]:
    """Anthropic's own client, aimed at the stub."""
    with anthropic.Anthropic(base_url=stub.url, api_key="unused", max_retries=0, timeout=20) as client:
        yield client


def user(case: str) -> list[Any]:
    """A user's message that names a case."""
    return [{"role": "user", "content": material.text(case)}]


def last(stub: Stub) -> dict[str, Any]:
    """The truth log's last entry."""
    settle(stub)
    return stub.truth.entries[-1].as_json()


def test_case_of() -> None:
    """The last marker in the texts names the case; without one it is plain."""
    assert [("plain", ""), ("tool", "tool chat-stream"), ("error429", "error429")] == [
        tuple(case_of(texts))
        for texts in (["Hi"], ["[case:plain a] x", "[case:tool chat-stream] y", "z"], ["[case:error429] y"])
    ]


def test_unknown_behaviour() -> None:
    """A marker with a typing error is no plain case."""
    with pytest.raises(ValueError, match="no behaviour 'tol'"):
        case_of(["[case:tol chat]"])


def test_chat(stub: Stub, gpt: openai.OpenAI) -> None:
    """A chat completion, whole: id, model, text and each count are as logged, OpenAI's input with cached tokens."""
    answer = gpt.chat.completions.create(model="gpt-4o", messages=user("plain chat"))

    assert answer.usage is not None
    assert answer.usage.prompt_tokens_details is not None
    assert answer.usage.completion_tokens_details is not None
    truth = last(stub)
    tokens = truth["answer"]["tokens"]
    assert ("plain chat", "complete", "openai.chat") == (truth["case"], truth["ended"], truth["asked"]["api"])
    assert (answer.id, answer.model, answer.choices[0].message.content, answer.choices[0].finish_reason) == (
        truth["answer"]["id"],
        "gpt-4o-2024-08-06",
        truth["answer"]["text"],
        "stop",
    )
    assert (tokens["input"], tokens["output"], tokens["cache_read"], tokens["reasoning"]) == (
        answer.usage.prompt_tokens,
        answer.usage.completion_tokens,
        answer.usage.prompt_tokens_details.cached_tokens,
        answer.usage.completion_tokens_details.reasoning_tokens,
    )


def test_chat_stream_with_tool(stub: Stub, gpt: openai.OpenAI) -> None:
    """The package puts the logged arguments together from a streamed tool call, and gets usage at the end."""
    asked: Any = {"model": "gpt-4o", "messages": user("tool chat-stream"), "tools": [TOOL]}
    with gpt.chat.completions.stream(**asked, stream_options={"include_usage": True}) as stream:
        answer = stream.get_final_completion()

    truth = last(stub)["answer"]
    calls = answer.choices[0].message.tool_calls or ()
    found = [{"id": one.id, "name": one.function.name, "arguments": one.function.arguments} for one in calls]
    assert found == truth["tool_calls"]
    assert answer.usage is not None
    assert truth["tokens"]["output"] == answer.usage.completion_tokens


def test_chat_stream_without_usage(stub: Stub, gpt: openai.OpenAI) -> None:
    """A stream that was not asked for usage tells none, and the log says so."""
    chunks = list(gpt.chat.completions.create(model="gpt-4o", messages=user("plain"), stream=True))

    assert [] == [chunk.usage for chunk in chunks if chunk.usage]
    assert {0} == set(last(stub)["answer"]["tokens"].values())


def test_responses_stream(stub: Stub, gpt: openai.OpenAI) -> None:
    """A streamed response ends with the whole response, usage in it."""
    with gpt.responses.stream(model="gpt-4o", input=material.text("think responses")) as stream:
        answer = stream.get_final_response()

    truth = last(stub)["answer"]
    assert answer.usage is not None
    assert (truth["id"], truth["text"], truth["tokens"]["input"], truth["tokens"]["cache_read"]) == (
        answer.id,
        answer.output_text,
        answer.usage.input_tokens,
        answer.usage.input_tokens_details.cached_tokens,
    )
    assert [truth["thought"]] == [part.text for one in answer.output if one.type == "reasoning" for part in one.summary]


def test_messages_stream(stub: Stub, claude: anthropic.Anthropic) -> None:
    """A streamed message: Anthropic's input leaves cached tokens out, the log's has them in."""
    with claude.messages.stream(model="claude-haiku-4-5", max_tokens=100, messages=user("think messages")) as stream:
        answer = stream.get_final_message()

    truth = last(stub)["answer"]
    usage = answer.usage
    assert usage.cache_creation is not None
    written = usage.cache_creation.ephemeral_5m_input_tokens + usage.cache_creation.ephemeral_1h_input_tokens
    assert written == usage.cache_creation_input_tokens == truth["tokens"]["cache_write"]
    assert truth["tokens"]["input"] == usage.input_tokens + written + (usage.cache_read_input_tokens or 0)
    assert (truth["tokens"]["output"], truth["id"], "end_turn") == (usage.output_tokens, answer.id, answer.stop_reason)
    assert ["thinking", "text"] == [block.type for block in answer.content]


def test_tool_result(stub: Stub, claude: anthropic.Anthropic) -> None:
    """With the tool's result in the request the answer is text, and the log has the result."""
    tool: Any = {"name": material.TOOL_NAME, "input_schema": material.TOOL_SCHEMA}
    messages = user("tool messages")
    asked = claude.messages.create(model="claude-haiku-4-5", max_tokens=100, messages=messages, tools=[tool])
    call: Any = next(block for block in asked.content if block.type == "tool_use")
    messages.append({"role": "assistant", "content": [call.model_dump(include={"type", "id", "name", "input"})]})
    result = {"type": "tool_result", "tool_use_id": call.id, "content": "Near Graz."}
    messages.append({"role": "user", "content": [result]})
    answer = claude.messages.create(model="claude-haiku-4-5", max_tokens=100, messages=messages, tools=[tool])

    assert ("tool_use", "end_turn") == (asked.stop_reason, answer.stop_reason)
    assert [{"id": call.id, "content": "Near Graz."}] == last(stub)["asked"]["messages"][-1]["tool_results"]


def test_retry(stub: Stub, gpt: openai.OpenAI) -> None:
    """A case `retry` is refused once and answered then."""
    gpt.with_options(max_retries=1).chat.completions.create(model="gpt-4o", messages=user("retry chat"))

    settle(stub)
    assert [(429, "refused"), (200, "complete")] == [(one.answer.status, one.ended) for one in stub.truth.entries]


def test_cut(stub: Stub, gpt: openai.OpenAI) -> None:
    """A case `cut` breaks off in the middle of the stream."""
    stream = gpt.chat.completions.create(model="gpt-4o", messages=user("cut chat"), stream=True)

    assert 4 == len([next(stream) for _ in range(4)])
    with pytest.raises(openai.APIConnectionError):
        next(stream)
    assert "cut" == last(stub)["ended"]


@pytest.mark.parametrize(("behaviour", "error"), [("error429", openai.RateLimitError), ("error500", openai.APIError)])
def test_refusals(behaviour: str, error: type[Exception], stub: Stub, gpt: openai.OpenAI) -> None:
    """Refusals raise the package's own errors with the logged message."""
    with pytest.raises(error) as caught:
        gpt.chat.completions.create(model="gpt-4o", messages=user(f"{behaviour} chat"))

    assert last(stub)["answer"]["error"] in str(caught.value)


def test_other_requests_are_kept(stub: Stub) -> None:
    """Requests that are not for the provider are kept as they came, keys cut out of their headers."""
    headers = {"authorization": "Basic c2VjcmV0", "content-type": "application/x-protobuf", "cookie": "secret"}
    answer = httpx.post(stub.url + "/api/public/otel/v1/traces?x=1", content=b"body", headers=headers)

    (sent,) = stub.receiver.sent
    assert (200, b"") == (answer.status_code, answer.content)
    assert ("POST", "/api/public/otel/v1/traces", b"body") == (sent.method, sent.path, sent.body)
    assert ("Basic", "application/x-protobuf", False) == (
        sent.headers["authorization"],
        sent.headers["content-type"],
        "secret" in str(sent.headers),
    )
