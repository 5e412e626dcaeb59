"""All cases with the package `litellm` on OpenAI, and the main ones on Anthropic, as an application writes them."""

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor

import litellm
import material
from chosen import run_chosen
from openai_calls import CHAT_TOOL, RESPONSES_TOOL, tool_result

OPENAI = {"model": f"openai/{material.OPENAI_MODEL}", "api_base": os.environ["OPENAI_BASE_URL"]}
ANTHROPIC = {"model": f"anthropic/{material.ANTHROPIC_MODEL}", "api_base": os.environ["ANTHROPIC_BASE_URL"]}
EMBEDDING = {"model": f"openai/{material.EMBEDDING_MODEL}", "api_base": os.environ["OPENAI_BASE_URL"]}


def run_all(case, session=None, only=(), without=(), options=lambda name: {}) -> None:
    """Run all cases; arguments as in `openai_calls.run_all`.

    Args:
        case: context manager around each case.
        session: the same around cases with session and user.
        only: beginnings of names.
        without: beginnings of names.
        options: further options of each case's calls, for what litellm itself takes.
    """
    run_chosen(cases(options), case, session, only, without)


def cases(options):
    """Name of each case, and what runs it."""

    def user(name, words="Where is my order?"):
        return [{"role": "user", "content": material.text(name, words)}]

    def create(name, messages, target=OPENAI, **more):
        request = {"messages": messages, "max_retries": 0, "timeout": 30, **target, **options(name), **more}
        return litellm.completion(**request)

    def plain(name, target=OPENAI):
        create(name, user(name), target, temperature=0.25, max_tokens=300)

    def system(name, target=OPENAI):
        create(name, [{"role": "system", "content": material.SYSTEM}, *user(name)], target)

    def stream(name, target=OPENAI):
        for _ in create(name, user(name), target, stream=True, stream_options={"include_usage": True}):
            pass

    def tool(name, target=OPENAI):
        messages = user(name)
        message = create(name, messages, target, tools=[CHAT_TOOL]).choices[0].message
        messages.append(message.model_dump(exclude_none=True))
        messages += [tool_result(call.id, call.function.arguments) for call in message.tool_calls]
        create(name, messages, target, tools=[CHAT_TOOL])

    def tool_stream(name):
        messages = user(name)
        asked = {"tools": [CHAT_TOOL], "stream": True, "stream_options": {"include_usage": True}}
        whole = litellm.stream_chunk_builder(list(create(name, messages, **asked)), messages=messages)
        message = whole.choices[0].message
        messages.append(message.model_dump(exclude_none=True))
        messages += [tool_result(call.id, call.function.arguments) for call in message.tool_calls]
        for _ in create(name, messages, **asked):
            pass

    def think(name):
        create(name, user(name), ANTHROPIC, max_tokens=4_000, thinking={"type": "enabled", "budget_tokens": 2_500})

    def turns(name):
        create(name, [*({"role": role, "content": words} for role, words in material.TURNS), *user(name)])

    def parallel(name):
        with ThreadPoolExecutor(material.PARALLEL) as pool:
            list(pool.map(plain, [f"{name}-{number}" for number in range(1, material.PARALLEL + 1)]))

    def in_asyncio(name):
        async def one(case):
            await litellm.acompletion(messages=user(case), max_retries=0, timeout=30, **OPENAI, **options(case))

        async def main():
            await asyncio.gather(*(one(f"{name}-{at}") for at in range(1, material.PARALLEL + 1)))
            # Callbacks run in tasks of this loop, and end with it.
            await asyncio.sleep(1)

        asyncio.run(main())

    def image(name):
        embedded = f"data:image/png;base64,{material.PNG_BASE64}"
        parts = [{"type": "text", "text": material.text(name)}]
        parts += [{"type": "image_url", "image_url": {"url": url}} for url in (embedded, material.IMAGE_URL)]
        create(name, [{"role": "user", "content": parts}])

    def with_unicode(name):
        create(name, user(name, material.UNICODE))

    def long(name):
        create(name, [{"role": "user", "content": material.long_text(name)}])

    def expect(kind, call, *arguments, **more):
        try:
            call(*arguments, **more)
        except kind:
            return
        raise AssertionError(f"expected {kind}")

    def refused(name):
        expect(litellm.RateLimitError, create, name, user(name))

    def failed(name):
        expect(litellm.InternalServerError, create, name, user(name))

    def retry(name):
        create(name, user(name), max_retries=2)

    def timeout(name):
        expect(litellm.Timeout, create, name, user(name), timeout=material.TIMEOUT_S)

    def cut(name):
        expect(Exception, stream, name)

    def slow(name):
        pieces = iter(create(name, user(name), stream=True, stream_options={"include_usage": True}))
        next(pieces), next(pieces), next(pieces)

    def respond(name, given, **more):
        return litellm.responses(input=given, max_retries=0, timeout=30, **OPENAI, **options(name), **more)

    def responses(name):
        respond(name, material.text(name), instructions=material.SYSTEM)

    def responses_tool(name):
        given = user(name)
        answer = respond(name, given, tools=[RESPONSES_TOOL])
        for call in answer.output:
            called = {"type": "function_call", "call_id": call.call_id, "name": call.name, "arguments": call.arguments}
            output = tool_result(call.call_id, call.arguments)["content"]
            given += [called, {"type": "function_call_output", "call_id": call.call_id, "output": output}]
        respond(name, given, tools=[RESPONSES_TOOL])

    def embed(name):
        litellm.embedding(input=[material.text(name)], max_retries=0, **EMBEDDING, **options(name))

    def embed_many(name):
        litellm.embedding(input=[material.text(name), "A second text."], max_retries=0, **EMBEDDING, **options(name))

    def on_anthropic(call):
        return lambda name: call(name, ANTHROPIC)

    return {
        "plain litellm": plain,
        "plain litellm-system": system,
        "plain litellm-stream": stream,
        "tool litellm": tool,
        "tool litellm-stream": tool_stream,
        "plain litellm-turns": turns,
        "plain litellm-parallel": parallel,
        "plain litellm-async": in_asyncio,
        "plain litellm-session": plain,
        "plain litellm-image": image,
        "plain litellm-unicode": with_unicode,
        "plain litellm-long": long,
        "error429 litellm": refused,
        "error500 litellm": failed,
        "retry litellm": retry,
        "timeout litellm": timeout,
        "cut litellm-stream": cut,
        "slow litellm-stream": slow,
        "plain litellm-responses": responses,
        "tool litellm-responses": responses_tool,
        "plain litellm-embed": embed,
        "plain litellm-embed-many": embed_many,
        "plain litellm-anthropic": on_anthropic(plain),
        "plain litellm-anthropic-system": on_anthropic(system),
        "plain litellm-anthropic-stream": on_anthropic(stream),
        "tool litellm-anthropic": on_anthropic(tool),
        "think litellm-anthropic": think,
    }
