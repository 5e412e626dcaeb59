"""All cases with the package `openai`, as an application writes them: chat, responses, embeddings."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import material
import openai
from chosen import run_chosen

CHAT_TOOL = {
    "type": "function",
    "function": {
        "name": material.TOOL_NAME,
        "description": material.TOOL_DESCRIPTION,
        "parameters": material.TOOL_SCHEMA,
    },
}
RESPONSES_TOOL = {
    "type": "function",
    "name": material.TOOL_NAME,
    "description": material.TOOL_DESCRIPTION,
    "parameters": material.TOOL_SCHEMA,
    "strict": True,
}


def run_all(case, session=None, only=(), without=(), make=lambda kind, **options: kind(**options)) -> None:
    """Run all cases.

    Args:
        case: context manager around each case, given its name.
        session: the same around cases with session and user; None leaves them out.
        only: beginnings of the names of the cases to run; all when empty.
        without: beginnings of those to leave out.
        make: makes a client: gets `openai.OpenAI` or `openai.AsyncOpenAI` and its options.
    """
    run_chosen(cases(make), case, session, only, without)


def cases(make):
    """Name of each case, and what runs it."""

    def client(**options):
        return make(openai.OpenAI, **{"max_retries": 0, "timeout": 30, **options})

    def user(name, words="Where is my order?"):
        return [{"role": "user", "content": material.text(name, words)}]

    def create(messages, options=None, **more):
        return client(**(options or {})).chat.completions.create(model=material.OPENAI_MODEL, messages=messages, **more)

    def plain(name):
        create(user(name), temperature=0.25, max_tokens=300)

    def system(name):
        create([{"role": "system", "content": material.SYSTEM}, *user(name)])

    def stream(name, options=None):
        for _ in create(user(name), options, stream=True, stream_options={"include_usage": True}):
            pass

    def stream_without_usage(name):
        for _ in create(user(name), stream=True):
            pass

    def tool(name):
        messages = user(name)
        message = create(messages, tools=[CHAT_TOOL]).choices[0].message
        messages.append(message.model_dump(exclude_none=True))
        for call in message.tool_calls:
            messages.append(tool_result(call.id, call.function.arguments))
        create(messages, tools=[CHAT_TOOL])

    def tool_stream(name):
        messages = user(name)
        found = {"id": "", "name": "", "arguments": ""}
        asked = {"tools": [CHAT_TOOL], "stream": True, "stream_options": {"include_usage": True}}
        for chunk in create(messages, **asked):
            for choice in chunk.choices:
                for call in choice.delta.tool_calls or ():
                    found["id"] += call.id or ""
                    found["name"] += call.function.name or ""
                    found["arguments"] += call.function.arguments or ""
        function = {"name": found["name"], "arguments": found["arguments"]}
        calls = [{"id": found["id"], "type": "function", "function": function}]
        messages.append({"role": "assistant", "tool_calls": calls})
        messages.append(tool_result(found["id"], found["arguments"]))
        for _ in create(messages, **asked):
            pass

    def turns(name):
        create([*({"role": role, "content": words} for role, words in material.TURNS), *user(name)])

    def parallel(name):
        with ThreadPoolExecutor(material.PARALLEL) as pool:
            list(pool.map(plain, [f"{name}-{number}" for number in range(1, material.PARALLEL + 1)]))

    def in_asyncio(name):
        async def main():
            async with make(openai.AsyncOpenAI, max_retries=0, timeout=30) as found:
                await asyncio.gather(*(one(found, f"{name}-{at}") for at in range(1, material.PARALLEL + 1)))

        async def one(found, case):
            await found.chat.completions.create(model=material.OPENAI_MODEL, messages=user(case))

        asyncio.run(main())

    def image(name):
        embedded = f"data:image/png;base64,{material.PNG_BASE64}"
        parts = [{"type": "text", "text": material.text(name)}]
        parts += [{"type": "image_url", "image_url": {"url": url}} for url in (embedded, material.IMAGE_URL)]
        create([{"role": "user", "content": parts}])

    def with_unicode(name):
        create(user(name, material.UNICODE))

    def long(name):
        create([{"role": "user", "content": material.long_text(name)}])

    def expect(kind, call, *arguments):
        try:
            call(*arguments)
        except kind:
            return
        raise AssertionError(f"expected {kind}")

    def refused(name):
        expect(openai.RateLimitError, create, user(name))

    def failed(name):
        expect(openai.InternalServerError, create, user(name))

    def retry(name):
        create(user(name), {"max_retries": 2})

    def timeout(name):
        expect(openai.APITimeoutError, create, user(name), {"timeout": material.TIMEOUT_S})

    def cut(name):
        expect(Exception, stream, name)

    def slow(name):
        answer = create(user(name), stream=True, stream_options={"include_usage": True})
        pieces = iter(answer)
        next(pieces), next(pieces), next(pieces)
        getattr(answer, "close", getattr(pieces, "close", lambda: None))()

    def respond(given, **more):
        return client().responses.create(model=material.OPENAI_MODEL, input=given, **more)

    def responses(name):
        respond(material.text(name), instructions=material.SYSTEM)

    def responses_stream(name):
        for _ in respond(material.text(name), stream=True):
            pass

    def responses_tool(name):
        given = user(name)
        answer = respond(given, tools=[RESPONSES_TOOL])
        for call in answer.output:
            given.append(call.model_dump(exclude_none=True, exclude={"status"}))
            output = tool_result(call.call_id, call.arguments)["content"]
            given.append({"type": "function_call_output", "call_id": call.call_id, "output": output})
        respond(given, tools=[RESPONSES_TOOL])

    def responses_refused(name):
        expect(openai.RateLimitError, respond, material.text(name))

    def embed(name):
        client().embeddings.create(model=material.EMBEDDING_MODEL, input=material.text(name))

    def embed_many(name):
        client().embeddings.create(model=material.EMBEDDING_MODEL, input=[material.text(name), "A second text."])

    return {
        "plain chat": plain,
        "plain chat-system": system,
        "plain chat-stream": stream,
        "plain chat-stream-nousage": stream_without_usage,
        "tool chat": tool,
        "tool chat-stream": tool_stream,
        "plain chat-turns": turns,
        "plain chat-parallel": parallel,
        "plain chat-async": in_asyncio,
        "plain chat-session": plain,
        "plain chat-image": image,
        "plain chat-unicode": with_unicode,
        "plain chat-long": long,
        "error429 chat": refused,
        "error500 chat": failed,
        "retry chat": retry,
        "timeout chat": timeout,
        "cut chat-stream": cut,
        "slow chat-stream": slow,
        "plain responses": responses,
        "plain responses-stream": responses_stream,
        "tool responses": responses_tool,
        "think responses": responses,
        "error429 responses": responses_refused,
        "plain embed": embed,
        "plain embed-many": embed_many,
    }


def tool_result(call_id, arguments):
    """The message that brings a tool's result."""
    import json

    return {"role": "tool", "tool_call_id": call_id, "content": material.track_order(json.loads(arguments)["order"])}
