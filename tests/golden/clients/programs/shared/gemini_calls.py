"""All cases with the package `google-genai`, as an application writes them."""

import asyncio
import base64
import os
from concurrent.futures import ThreadPoolExecutor

import material
from chosen import run_chosen
from google import genai
from google.genai import errors, types

DECLARATION = types.FunctionDeclaration(
    name=material.TOOL_NAME,
    description=material.TOOL_DESCRIPTION,
    parameters_json_schema=material.TOOL_SCHEMA,
)
TOOL = types.Tool(function_declarations=[DECLARATION])


def run_all(case, session=None, only=(), without=(), make=lambda **options: genai.Client(**options)) -> None:
    """Run all cases; arguments as in `openai_calls.run_all`, but that `make` gets options only."""
    run_chosen(cases(make), case, session, only, without)


def cases(make):
    """Name of each case, and what runs it."""

    def client(timeout_s=30.0, attempts=1):
        retries = types.HttpRetryOptions(attempts=attempts, initial_delay=0.1)
        options = types.HttpOptions(
            base_url=os.environ["SPANWISE_STUB_URL"], timeout=int(timeout_s * 1000), retry_options=retries
        )
        return make(api_key="unused", http_options=options)

    def generate(contents, config=None, **options):
        found = client(**options)
        return found.models.generate_content(model=material.GEMINI_MODEL, contents=contents, config=config)

    def stream_of(contents, config=None):
        found = client()
        yield from found.models.generate_content_stream(model=material.GEMINI_MODEL, contents=contents, config=config)

    def content(name, words="Where is my order?"):
        return [types.Content(role="user", parts=[types.Part(text=material.text(name, words))])]

    def plain(name):
        generate(material.text(name), types.GenerateContentConfig(temperature=0.25, max_output_tokens=300))

    def system(name):
        generate(material.text(name), types.GenerateContentConfig(system_instruction=material.SYSTEM))

    def stream(name):
        for _ in stream_of(material.text(name)):
            pass

    def answered(contents, parts):
        results = [
            types.Part(
                function_response=types.FunctionResponse(
                    id=part.function_call.id,
                    name=part.function_call.name,
                    response={"result": material.track_order(part.function_call.args["order"])},
                )
            )
            for part in parts
            if part.function_call
        ]
        return [*contents, types.Content(role="model", parts=parts), types.Content(role="user", parts=results)]

    def tool(name):
        config = types.GenerateContentConfig(tools=[TOOL])
        contents = content(name)
        answer = generate(contents, config)
        generate(answered(contents, answer.candidates[0].content.parts), config)

    def tool_stream(name):
        config = types.GenerateContentConfig(tools=[TOOL])
        contents = content(name)
        parts = [part for chunk in stream_of(contents, config) for part in chunk.candidates[0].content.parts]
        for _ in stream_of(answered(contents, parts), config):
            pass

    def tool_automatic(name):
        def track_order(order: str) -> str:
            """Tell where an order is."""
            return material.track_order(order)

        generate(material.text(name), types.GenerateContentConfig(tools=[track_order]))

    def think(name):
        thinking = types.ThinkingConfig(include_thoughts=True, thinking_budget=2_500)
        generate(material.text(name), types.GenerateContentConfig(thinking_config=thinking))

    def turns(name):
        roles = {"assistant": "model"}
        earlier = [
            types.Content(role=roles.get(role, role), parts=[types.Part(text=words)]) for role, words in material.TURNS
        ]
        generate([*earlier, *content(name)])

    def parallel(name):
        with ThreadPoolExecutor(material.PARALLEL) as pool:
            list(pool.map(plain, [f"{name}-{number}" for number in range(1, material.PARALLEL + 1)]))

    def in_asyncio(name):
        async def one(found, case):
            await found.aio.models.generate_content(model=material.GEMINI_MODEL, contents=material.text(case))

        async def main():
            found = client()
            await asyncio.gather(*(one(found, f"{name}-{at}") for at in range(1, material.PARALLEL + 1)))

        asyncio.run(main())

    def image(name):
        parts = [
            types.Part(text=material.text(name)),
            types.Part.from_bytes(data=base64.b64decode(material.PNG_BASE64), mime_type="image/png"),
            types.Part.from_uri(file_uri=material.IMAGE_URL, mime_type="image/png"),
        ]
        generate([types.Content(role="user", parts=parts)])

    def with_unicode(name):
        generate(content(name, material.UNICODE))

    def long(name):
        generate(material.long_text(name))

    def expect(kind, call, *arguments, **options):
        try:
            call(*arguments, **options)
        except kind:
            return
        raise AssertionError(f"expected {kind}")

    def refused(name):
        expect(errors.ClientError, generate, content(name))

    def failed(name):
        expect(errors.ServerError, generate, content(name))

    def retry(name):
        generate(content(name), attempts=3)

    def timeout(name):
        expect(Exception, generate, content(name), timeout_s=material.TIMEOUT_S)

    def cut(name):
        expect(Exception, stream, name)

    def slow(name):
        pieces = stream_of(content(name))
        next(pieces), next(pieces), next(pieces)
        pieces.close()

    def embed(name):
        found = client()
        found.models.embed_content(model=material.GEMINI_EMBEDDING_MODEL, contents=material.text(name))

    return {
        "plain gemini": plain,
        "plain gemini-system": system,
        "plain gemini-stream": stream,
        "tool gemini": tool,
        "tool gemini-stream": tool_stream,
        "tool gemini-automatic": tool_automatic,
        "think gemini": think,
        "plain gemini-turns": turns,
        "plain gemini-parallel": parallel,
        "plain gemini-async": in_asyncio,
        "plain gemini-session": plain,
        "plain gemini-image": image,
        "plain gemini-unicode": with_unicode,
        "plain gemini-long": long,
        "error429 gemini": refused,
        "error500 gemini": failed,
        "retry gemini": retry,
        "timeout gemini": timeout,
        "cut gemini-stream": cut,
        "slow gemini-stream": slow,
        "plain gemini-embed": embed,
    }
