"""All cases with LlamaIndex on OpenAI, and the main ones on Anthropic, as an application writes them."""

import asyncio
import base64
import json
import os
from concurrent.futures import ThreadPoolExecutor

import material
from chosen import run_chosen
from llama_index.core.base.llms.types import ChatMessage, ImageBlock, TextBlock, ToolCallBlock
from llama_index.core.tools import FunctionTool
from llama_index.embeddings.openai import OpenAIEmbedding
from llama_index.llms.openai import OpenAI, OpenAIResponses

# LlamaIndex does not read these variables itself.
OPENAI = {"api_base": os.environ["OPENAI_BASE_URL"], "max_retries": 0, "timeout": 30}
ANTHROPIC = {"base_url": os.environ["ANTHROPIC_BASE_URL"], "max_retries": 0, "timeout": 30}


def track_order(order: str) -> str:
    """Tell where an order is."""
    return material.track_order(order)


TOOL = FunctionTool.from_defaults(track_order, name=material.TOOL_NAME, description=material.TOOL_DESCRIPTION)


def run_all(case, session=None, only=(), without=()) -> None:
    """Run all cases; arguments as in `openai_calls.run_all`."""
    run_chosen(cases(), case, session, only, without)


def cases():
    """Name of each case, and what runs it."""

    def openai(**options):
        return OpenAI(**{"model": material.OPENAI_MODEL, **OPENAI, **options})

    def anthropic(**options):
        from llama_index.llms.anthropic import Anthropic

        return Anthropic(**{"model": material.ANTHROPIC_MODEL, **ANTHROPIC, **options})

    def user(name, words="Where is my order?"):
        return [ChatMessage(role="user", content=material.text(name, words))]

    def plain(name, make=openai):
        make(max_tokens=300, temperature=0.25).chat(user(name))

    def complete(name):
        openai().complete(material.text(name))

    def system(name, make=openai):
        make().chat([ChatMessage(role="system", content=material.SYSTEM), *user(name)])

    def stream(name, make=openai):
        more = {"stream_options": {"include_usage": True}} if make is openai else {}
        for _ in make().stream_chat(user(name), **more):
            pass

    def answered(messages, answer):
        called = [one for one in answer.message.blocks if isinstance(one, ToolCallBlock)]
        results = [
            ChatMessage(
                role="tool",
                content=material.track_order(call.tool_kwargs["order"]),
                additional_kwargs={"tool_call_id": call.tool_call_id, "name": call.tool_name},
            )
            for call in called
        ]
        return [*messages, answer.message, *results]

    def tool(name, make=openai):
        model = make()
        first = model.chat_with_tools([TOOL], chat_history=user(name))
        for call in (one for one in first.message.blocks if isinstance(one, ToolCallBlock)):
            if isinstance(call.tool_kwargs, str):
                call.tool_kwargs = json.loads(call.tool_kwargs)
        model.chat_with_tools([TOOL], chat_history=answered(user(name), first))

    def turns(name):
        openai().chat([*(ChatMessage(role=role, content=words) for role, words in material.TURNS), *user(name)])

    def parallel(name):
        with ThreadPoolExecutor(material.PARALLEL) as pool:
            list(pool.map(plain, [f"{name}-{number}" for number in range(1, material.PARALLEL + 1)]))

    def in_asyncio(name):
        async def main():
            model = openai()
            names = [f"{name}-{number}" for number in range(1, material.PARALLEL + 1)]
            await asyncio.gather(*(model.achat(user(one)) for one in names))

        asyncio.run(main())

    def image(name):
        blocks = [TextBlock(text=material.text(name)), ImageBlock(image=base64.b64decode(material.PNG_BASE64))]
        openai().chat([ChatMessage(role="user", blocks=[*blocks, ImageBlock(url=material.IMAGE_URL)])])

    def with_unicode(name):
        openai().chat(user(name, material.UNICODE))

    def long(name):
        openai().chat([ChatMessage(role="user", content=material.long_text(name))])

    def failing(name, **options):
        try:
            openai(**options).chat(user(name))
        except Exception:
            return
        raise AssertionError("expected an error")

    def retry(name):
        openai(max_retries=2).chat(user(name))

    def timeout(name):
        failing(name, timeout=material.TIMEOUT_S)

    def cut(name):
        try:
            stream(name)
        except Exception:
            return
        raise AssertionError("expected an error")

    def slow(name):
        pieces = openai().stream_chat(user(name), stream_options={"include_usage": True})
        next(pieces), next(pieces), next(pieces)
        pieces.close()

    def responses(name):
        OpenAIResponses(model=material.OPENAI_MODEL, **OPENAI).chat(user(name))

    def embed(name):
        OpenAIEmbedding(model=material.EMBEDDING_MODEL, **OPENAI).get_text_embedding(material.text(name))

    def embed_many(name):
        model = OpenAIEmbedding(model=material.EMBEDDING_MODEL, **OPENAI)
        model.get_text_embedding_batch([material.text(name), "A second text."])

    def query(name):
        from llama_index.core import Document, VectorStoreIndex

        model = OpenAIEmbedding(model=material.EMBEDDING_MODEL, **OPENAI)
        documents = [Document(text=f"{material.text(name + '-1')} {material.SYSTEM}")]
        index = VectorStoreIndex.from_documents(documents, embed_model=model)
        index.as_query_engine(llm=openai()).query(material.text(f"{name}-2"))

    def on_anthropic(call):
        return lambda name: call(name, anthropic)

    return {
        "plain llama": plain,
        "plain llama-complete": complete,
        "plain llama-system": system,
        "plain llama-stream": stream,
        "tool llama": tool,
        "plain llama-turns": turns,
        "plain llama-parallel": parallel,
        "plain llama-async": in_asyncio,
        "plain llama-session": plain,
        "plain llama-image": image,
        "plain llama-unicode": with_unicode,
        "plain llama-long": long,
        "error429 llama": failing,
        "error500 llama": failing,
        "retry llama": retry,
        "timeout llama": timeout,
        "cut llama-stream": cut,
        "slow llama-stream": slow,
        "plain llama-responses": responses,
        "plain llama-embed": embed,
        "plain llama-embed-many": embed_many,
        "plain llama-query": query,
        "plain llama-anthropic": on_anthropic(plain),
        "plain llama-anthropic-system": on_anthropic(system),
        "plain llama-anthropic-stream": on_anthropic(stream),
        "tool llama-anthropic": on_anthropic(tool),
    }
