"""Pydantic AI under Logfire: agents on OpenAI's chat and responses and on Anthropic, and embeddings."""

import asyncio
import base64

import anthropic
import logfire
import material
import openai
from chosen import run_chosen
from pydantic_ai import Agent, BinaryContent, Embedder, ImageUrl, ModelRequest, ModelResponse, TextPart, Tool
from pydantic_ai.embeddings.openai import OpenAIEmbeddingModel
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.openai import OpenAIProvider


def track_order(order: str) -> str:
    return material.track_order(order)


TOOL = Tool(track_order, name=material.TOOL_NAME, description=material.TOOL_DESCRIPTION)


def provider(**options):
    return OpenAIProvider(openai_client=openai.AsyncOpenAI(**{"max_retries": 0, "timeout": 30, **options}))


def chat(**options):
    return OpenAIChatModel(material.OPENAI_MODEL, provider=provider(**options))


def responses(**options):
    return OpenAIResponsesModel(material.OPENAI_MODEL, provider=provider(**options))


def claude(**options):
    client = anthropic.AsyncAnthropic(**{"max_retries": 0, "timeout": 30, **options})
    return AnthropicModel(material.ANTHROPIC_MODEL, provider=AnthropicProvider(anthropic_client=client))


def run(prompt, model=None, settings=None, history=None, conversation=None, **agent):
    """One run of an agent, in an event loop of its own, as a script does it."""
    found = Agent(model or chat(), **{"name": "clerk", **agent})
    return found.run_sync(prompt, model_settings=settings, message_history=history, conversation_id=conversation)


def stream(prompt, model=None, pieces=None, **agent):
    """The same as a stream, left after some pieces."""

    async def main():
        found = Agent(model or chat(), name="clerk", **agent)
        async with found.run_stream(prompt) as result:
            seen = 0
            async for _ in result.stream_text(delta=True, debounce_by=None):
                seen += 1
                if seen == pieces:
                    return

    asyncio.run(main())


def failing(call):
    try:
        call()
    except Exception:
        return
    raise AssertionError("expected an error")


def turns(name):
    (_, question), (_, answer) = material.TURNS
    history = [ModelRequest.user_text_prompt(question), ModelResponse(parts=[TextPart(answer)])]
    run(material.text(name), history=history)


def in_asyncio(name):
    async def main():
        agent = Agent(chat(), name="clerk")
        names = [f"{name}-{number}" for number in range(1, material.PARALLEL + 1)]
        await asyncio.gather(*(agent.run(material.text(one)) for one in names))

    asyncio.run(main())


def image(name, model=None):
    embedded = BinaryContent(base64.b64decode(material.PNG_BASE64), media_type="image/png")
    run([material.text(name), embedded, ImageUrl(material.IMAGE_URL)], model)


def embed(name):
    model = OpenAIEmbeddingModel(material.EMBEDDING_MODEL, provider=provider())
    Embedder(model).embed_query_sync(material.text(name))


def embed_many(name):
    model = OpenAIEmbeddingModel(material.EMBEDDING_MODEL, provider=provider())
    Embedder(model).embed_documents_sync([material.text(name), "A second text."])


THINK = {"anthropic_thinking": {"type": "enabled", "budget_tokens": 2_500}}
ask = material.text
CASES = {
    "plain chat": lambda name: run(ask(name), settings={"temperature": 0.25, "max_tokens": 300}),
    "plain chat-system": lambda name: run(ask(name), instructions=material.SYSTEM),
    "plain chat-stream": lambda name: stream(ask(name)),
    "tool chat": lambda name: run(ask(name), tools=[TOOL]),
    "tool chat-stream": lambda name: stream(ask(name), tools=[TOOL]),
    "plain chat-turns": turns,
    "plain chat-async": in_asyncio,
    "plain chat-session": lambda name: run(ask(name), conversation=material.SESSION),
    "plain chat-image": image,
    "plain chat-unicode": lambda name: run(ask(name, material.UNICODE)),
    "plain chat-long": lambda name: run(material.long_text(name)),
    "error429 chat": lambda name: failing(lambda: run(ask(name))),
    "error500 chat": lambda name: failing(lambda: run(ask(name))),
    "retry chat": lambda name: run(ask(name), chat(max_retries=2)),
    "timeout chat": lambda name: failing(lambda: run(ask(name), chat(timeout=material.TIMEOUT_S))),
    "cut chat-stream": lambda name: failing(lambda: stream(ask(name))),
    "slow chat-stream": lambda name: stream(ask(name), pieces=2),
    "plain responses": lambda name: run(ask(name), responses(), instructions=material.SYSTEM),
    "plain responses-stream": lambda name: stream(ask(name), responses()),
    "tool responses": lambda name: run(ask(name), responses(), tools=[TOOL]),
    "think responses": lambda name: run(ask(name), responses()),
    "error429 responses": lambda name: failing(lambda: run(ask(name), responses())),
    "plain messages": lambda name: run(ask(name), claude(), settings={"max_tokens": 4_000}),
    "plain messages-system": lambda name: run(ask(name), claude(), instructions=material.SYSTEM),
    "plain messages-stream": lambda name: stream(ask(name), claude()),
    "tool messages": lambda name: run(ask(name), claude(), tools=[TOOL]),
    "tool messages-stream": lambda name: stream(ask(name), claude(), tools=[TOOL]),
    "think messages": lambda name: run(ask(name), claude(), settings=THINK),
    "plain messages-image": lambda name: image(name, claude()),
    "error429 messages": lambda name: failing(lambda: run(ask(name), claude())),
    "retry messages": lambda name: run(ask(name), claude(max_retries=2)),
    "cut messages-stream": lambda name: failing(lambda: stream(ask(name), claude())),
    "plain embed": embed,
    "plain embed-many": embed_many,
}


def keep_session(match: logfire.ScrubMatch):
    """Logfire scrubs whatever speaks of a session; its documentation lets a session's id through so."""
    return match.value if match.path == ("attributes", "gen_ai.conversation.id") else None


def session(name):
    return logfire.span(name, **{"user.id": material.USER})


logfire.configure(send_to_logfire=False, console=False, scrubbing=logfire.ScrubbingOptions(callback=keep_session))
logfire.instrument_pydantic_ai()
Embedder.instrument_all()
run_chosen(CASES, logfire.span, session, (), ())
logfire.shutdown()
