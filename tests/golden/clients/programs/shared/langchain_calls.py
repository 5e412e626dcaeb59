"""All cases with LangChain on OpenAI, and the main ones on Anthropic, as an application writes them."""

import asyncio

import material
from chosen import run_chosen
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings


@tool(material.TOOL_NAME, description=material.TOOL_DESCRIPTION)
def track_order(order: str) -> str:
    return material.track_order(order)


def run_all(case, session=None, only=(), without=(), config=lambda name: {}) -> None:
    """Run all cases; arguments as in `openai_calls.run_all`.

    Args:
        case: context manager around each case.
        session: the same around cases with session and user.
        only: beginnings of names.
        without: beginnings of names.
        config: the `config` of each call, for clients that work by callbacks.
    """
    run_chosen(cases(config), case, session, only, without)


def cases(config):
    """Name of each case, and what runs it."""

    def openai(**options):
        return ChatOpenAI(**{"model": material.OPENAI_MODEL, "max_retries": 0, "timeout": 30, **options})

    def anthropic(**options):
        from langchain_anthropic import ChatAnthropic

        return ChatAnthropic(**{"model": material.ANTHROPIC_MODEL, "max_retries": 0, "timeout": 30, **options})

    def user(name, words="Where is my order?"):
        return [HumanMessage(material.text(name, words))]

    def plain(name, make=openai):
        make(max_tokens=300).invoke(user(name), config(name))

    def system(name, make=openai):
        make().invoke([SystemMessage(material.SYSTEM), *user(name)], config(name))

    def stream(name, make=openai):
        options = {"stream_usage": True} if make is openai else {}
        for _ in make(**options).stream(user(name), config(name)):
            pass

    def with_tool(name, make=openai):
        model = make().bind_tools([track_order])
        messages = user(name)
        answer = model.invoke(messages, config(name))
        messages.append(answer)
        for call in answer.tool_calls:
            result = material.track_order(call["args"]["order"])
            messages.append(ToolMessage(result, tool_call_id=call["id"], name=call["name"]))
        model.invoke(messages, config(name))

    def agent(name, make=openai):
        found = create_agent(make(), [track_order], system_prompt=material.SYSTEM, name="clerk")
        found.invoke({"messages": user(name)}, config(name))

    def turns(name):
        kinds = {"user": HumanMessage, "assistant": AIMessage}
        openai().invoke([*(kinds[role](words) for role, words in material.TURNS), *user(name)], config(name))

    def parallel(name):
        names = [f"{name}-{number}" for number in range(1, material.PARALLEL + 1)]
        openai().batch([user(one) for one in names], config(name))

    def in_asyncio(name):
        async def main():
            model = openai()
            names = [f"{name}-{number}" for number in range(1, material.PARALLEL + 1)]
            await asyncio.gather(*(model.ainvoke(user(one), config(name)) for one in names))

        asyncio.run(main())

    def image(name):
        embedded = f"data:image/png;base64,{material.PNG_BASE64}"
        parts = [{"type": "text", "text": material.text(name)}]
        parts += [{"type": "image_url", "image_url": {"url": url}} for url in (embedded, material.IMAGE_URL)]
        openai().invoke([HumanMessage(parts)], config(name))

    def with_unicode(name):
        openai().invoke(user(name, material.UNICODE), config(name))

    def long(name):
        openai().invoke([HumanMessage(material.long_text(name))], config(name))

    def failing(name, **options):
        try:
            openai(**options).invoke(user(name), config(name))
        except Exception:
            return
        raise AssertionError("expected an error")

    def retry(name):
        openai(max_retries=2).invoke(user(name), config(name))

    def timeout(name):
        failing(name, timeout=material.TIMEOUT_S)

    def cut(name):
        try:
            stream(name)
        except Exception:
            return
        raise AssertionError("expected an error")

    def slow(name):
        pieces = openai(stream_usage=True).stream(user(name), config(name))
        next(pieces), next(pieces), next(pieces)
        pieces.close()

    def responses(name):
        openai(use_responses_api=True).invoke(user(name), config(name))

    def embed(name):
        model = OpenAIEmbeddings(model=material.EMBEDDING_MODEL, check_embedding_ctx_length=False)
        model.embed_query(material.text(name))

    def on_anthropic(call):
        return lambda name: call(name, anthropic)

    return {
        "plain langchain": plain,
        "plain langchain-system": system,
        "plain langchain-stream": stream,
        "tool langchain": with_tool,
        "tool langchain-agent": agent,
        "plain langchain-turns": turns,
        "plain langchain-parallel": parallel,
        "plain langchain-async": in_asyncio,
        "plain langchain-session": plain,
        "plain langchain-image": image,
        "plain langchain-unicode": with_unicode,
        "plain langchain-long": long,
        "error429 langchain": failing,
        "error500 langchain": failing,
        "retry langchain": retry,
        "timeout langchain": timeout,
        "cut langchain-stream": cut,
        "slow langchain-stream": slow,
        "plain langchain-responses": responses,
        "plain langchain-embed": embed,
        "plain langchain-anthropic": on_anthropic(plain),
        "plain langchain-anthropic-system": on_anthropic(system),
        "plain langchain-anthropic-stream": on_anthropic(stream),
        "tool langchain-anthropic": on_anthropic(with_tool),
        "tool langchain-anthropic-agent": on_anthropic(agent),
    }
