"""All cases with OpenAI's agents SDK (`openai-agents`), as an application writes them."""

import asyncio

import material
import openai
from agents import Agent, ModelSettings, OpenAIChatCompletionsModel, OpenAIResponsesModel, Runner, function_tool
from chosen import run_chosen


@function_tool(name_override=material.TOOL_NAME, description_override=material.TOOL_DESCRIPTION)
def track_order(order: str) -> str:
    return material.track_order(order)


def run_all(case, session=None, only=(), without=()) -> None:
    """Run all cases; arguments as in `openai_calls.run_all`."""
    run_chosen(cases(), case, session, only, without)


def cases():
    """Name of each case, and what runs it."""

    def agent(model=OpenAIResponsesModel, tools=(), instructions=None, **options):
        client = openai.AsyncOpenAI(**{"max_retries": 0, "timeout": 30, **options})
        found = model(model=material.OPENAI_MODEL, openai_client=client)
        settings = ModelSettings(max_tokens=300, include_usage=True)
        return Agent(name="clerk", model=found, tools=list(tools), instructions=instructions, model_settings=settings)

    def run(name, words="Where is my order?", **options):
        return Runner.run_sync(agent(**options), material.text(name, words))

    def plain(name):
        run(name)

    def system(name):
        run(name, instructions=material.SYSTEM)

    def tool(name):
        run(name, tools=[track_order])

    def stream(name, **options):
        async def main():
            result = Runner.run_streamed(agent(**options), material.text(name))
            async for _ in result.stream_events():
                pass

        asyncio.run(main())

    def tool_stream(name):
        stream(name, tools=[track_order])

    def chat(name):
        run(name, model=OpenAIChatCompletionsModel)

    def chat_tool(name):
        run(name, model=OpenAIChatCompletionsModel, tools=[track_order])

    def chat_stream(name):
        stream(name, model=OpenAIChatCompletionsModel)

    def turns(name):
        earlier = [{"role": role, "content": words} for role, words in material.TURNS]
        Runner.run_sync(agent(), [*earlier, {"role": "user", "content": material.text(name)}])

    def in_asyncio(name):
        async def main():
            names = [f"{name}-{number}" for number in range(1, material.PARALLEL + 1)]
            await asyncio.gather(*(Runner.run(agent(), material.text(one)) for one in names))

        asyncio.run(main())

    def image(name):
        embedded = f"data:image/png;base64,{material.PNG_BASE64}"
        parts = [{"type": "input_text", "text": material.text(name)}]
        parts += [{"type": "input_image", "image_url": url, "detail": "auto"} for url in (embedded, material.IMAGE_URL)]
        Runner.run_sync(agent(), [{"role": "user", "content": parts}])

    def with_unicode(name):
        run(name, material.UNICODE)

    def long(name):
        Runner.run_sync(agent(), material.long_text(name))

    def failing(name, **options):
        try:
            run(name, **options)
        except openai.OpenAIError:
            return
        raise AssertionError("expected an error")

    def retry(name):
        run(name, max_retries=2)

    def timeout(name):
        failing(name, timeout=material.TIMEOUT_S)

    def cut(name):
        try:
            stream(name)
        except Exception:
            return
        raise AssertionError("expected an error")

    return {
        "plain agents": plain,
        "plain agents-system": system,
        "plain agents-stream": stream,
        "tool agents": tool,
        "tool agents-stream": tool_stream,
        "plain agents-chat": chat,
        "plain agents-chat-stream": chat_stream,
        "tool agents-chat": chat_tool,
        "plain agents-turns": turns,
        "plain agents-async": in_asyncio,
        "plain agents-session": plain,
        "plain agents-image": image,
        "plain agents-unicode": with_unicode,
        "plain agents-long": long,
        "error429 agents": failing,
        "error500 agents": failing,
        "retry agents": retry,
        "timeout agents": timeout,
        "cut agents-stream": cut,
    }
