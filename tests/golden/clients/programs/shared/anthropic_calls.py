"""All cases with the package `anthropic`, as an application writes them."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import anthropic
import material
from chosen import run_chosen

TOOL = {
    "name": material.TOOL_NAME,
    "description": material.TOOL_DESCRIPTION,
    "input_schema": material.TOOL_SCHEMA,
}


def run_all(case, session=None, only=(), without=(), make=lambda kind, **options: kind(**options)) -> None:
    """Run all cases; arguments as in `openai_calls.run_all`."""
    run_chosen(cases(make), case, session, only, without)


def cases(make):
    """Name of each case, and what runs it."""

    def client(**options):
        return make(anthropic.Anthropic, **{"max_retries": 0, "timeout": 30, **options})

    def user(name, words="Where is my order?"):
        return [{"role": "user", "content": material.text(name, words)}]

    def request(messages, **more):
        return {"model": material.ANTHROPIC_MODEL, "max_tokens": 4_000, "messages": messages, **more}

    def create(messages, options=None, **more):
        return client(**(options or {})).messages.create(**request(messages, **more))

    def plain(name):
        create(user(name), stop_sequences=["END"])

    def system(name):
        create(user(name), system=material.SYSTEM)

    def raw_stream(name):
        for _ in create(user(name), stream=True):
            pass

    def helper_stream(name):
        with client().messages.stream(**request(user(name))) as stream:
            for _ in stream.text_stream:
                pass
            stream.get_final_message()

    def results(message):
        return [
            {"type": "tool_result", "tool_use_id": one.id, "content": material.track_order(one.input["order"])}
            for one in message.content
            if one.type == "tool_use"
        ]

    def answered(messages, message):
        content = [
            one.model_dump(exclude_none=True, include={"type", "id", "name", "input"}) for one in message.content
        ]
        return [*messages, {"role": "assistant", "content": content}, {"role": "user", "content": results(message)}]

    def tool(name):
        messages = user(name)
        create(answered(messages, create(messages, tools=[TOOL])), tools=[TOOL])

    def tool_stream(name):
        messages = user(name)
        with client().messages.stream(**request(messages, tools=[TOOL])) as stream:
            message = stream.get_final_message()
        with client().messages.stream(**request(answered(messages, message), tools=[TOOL])) as stream:
            stream.get_final_message()

    def think(name):
        create(user(name), thinking={"type": "enabled", "budget_tokens": 2_500})

    def turns(name):
        create([*({"role": role, "content": words} for role, words in material.TURNS), *user(name)])

    def parallel(name):
        with ThreadPoolExecutor(material.PARALLEL) as pool:
            list(pool.map(plain, [f"{name}-{number}" for number in range(1, material.PARALLEL + 1)]))

    def in_asyncio(name):
        async def main():
            async with make(anthropic.AsyncAnthropic, max_retries=0, timeout=30) as found:
                await asyncio.gather(*(one(found, f"{name}-{at}") for at in range(1, material.PARALLEL + 1)))

        async def one(found, case):
            await found.messages.create(**request(user(case)))

        asyncio.run(main())

    def image(name):
        embedded = {"type": "base64", "media_type": "image/png", "data": material.PNG_BASE64}
        sources = (embedded, {"type": "url", "url": material.IMAGE_URL})
        parts = [{"type": "image", "source": source} for source in sources]
        create([{"role": "user", "content": [{"type": "text", "text": material.text(name)}, *parts]}])

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
        expect(anthropic.RateLimitError, create, user(name))

    def failed(name):
        expect(anthropic.InternalServerError, create, user(name))

    def retry(name):
        create(user(name), {"max_retries": 2})

    def timeout(name):
        expect(anthropic.APITimeoutError, create, user(name), {"timeout": material.TIMEOUT_S})

    def cut(name):
        expect(Exception, raw_stream, name)

    def slow(name):
        answer = create(user(name), stream=True)
        pieces = iter(answer)
        next(pieces), next(pieces), next(pieces)
        getattr(answer, "close", getattr(pieces, "close", lambda: None))()

    return {
        "plain messages": plain,
        "plain messages-system": system,
        "plain messages-rawstream": raw_stream,
        "plain messages-stream": helper_stream,
        "tool messages": tool,
        "tool messages-stream": tool_stream,
        "think messages": think,
        "plain messages-turns": turns,
        "plain messages-parallel": parallel,
        "plain messages-async": in_asyncio,
        "plain messages-session": plain,
        "plain messages-image": image,
        "plain messages-unicode": with_unicode,
        "plain messages-long": long,
        "error429 messages": refused,
        "error500 messages": failed,
        "retry messages": retry,
        "timeout messages": timeout,
        "cut messages-stream": cut,
        "slow messages-stream": slow,
    }
