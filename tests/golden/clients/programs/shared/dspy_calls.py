"""All cases with DSPy on OpenAI, and the main ones on Anthropic, as an application writes them."""

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor

import dspy
import material
from chosen import run_chosen
from openai_calls import CHAT_TOOL, tool_result

OPENAI = {"model": f"openai/{material.OPENAI_MODEL}", "api_base": os.environ["OPENAI_BASE_URL"]}
ANTHROPIC = {"model": f"anthropic/{material.ANTHROPIC_MODEL}", "api_base": os.environ["ANTHROPIC_BASE_URL"]}
EMBEDDING = {"model": f"openai/{material.EMBEDDING_MODEL}", "api_base": os.environ["OPENAI_BASE_URL"]}


def run_all(case, session=None, only=(), without=()) -> None:
    """Run all cases; arguments as in `openai_calls.run_all`."""
    run_chosen(cases(), case, session, only, without)


def cases():
    """Name of each case, and what runs it."""

    def model(target=OPENAI, **options):
        return dspy.LM(**{"cache": False, "num_retries": 0, "api_key": "unused", **target, **options})

    def user(name, words="Where is my order?"):
        return [{"role": "user", "content": material.text(name, words)}]

    def plain(name, target=OPENAI):
        model(target, temperature=0.25, max_tokens=300)(messages=user(name))

    def prompt(name):
        model()(material.text(name))

    def system(name, target=OPENAI):
        model(target, max_tokens=300)(messages=[{"role": "system", "content": material.SYSTEM}, *user(name)])

    def predict(name):
        with dspy.context(lm=model()):
            dspy.Predict("question -> answer")(question=material.text(name))

    def tool(name):
        found = model()
        messages = user(name)
        (answer,) = found(messages=messages, tools=[CHAT_TOOL])
        calls = [one if isinstance(one, dict) else one.model_dump() for one in answer["tool_calls"]]
        messages.append({"role": "assistant", "content": None, "tool_calls": calls})
        messages += [tool_result(call["id"], call["function"]["arguments"]) for call in calls]
        found(messages=messages, tools=[CHAT_TOOL])

    def turns(name):
        model()(messages=[*({"role": role, "content": words} for role, words in material.TURNS), *user(name)])

    def parallel(name):
        with ThreadPoolExecutor(material.PARALLEL) as pool:
            list(pool.map(plain, [f"{name}-{number}" for number in range(1, material.PARALLEL + 1)]))

    def in_asyncio(name):
        async def main():
            found = model()
            names = [f"{name}-{number}" for number in range(1, material.PARALLEL + 1)]
            await asyncio.gather(*(found.acall(messages=user(one)) for one in names))

        asyncio.run(main())

    def image(name):
        embedded = f"data:image/png;base64,{material.PNG_BASE64}"
        parts = [{"type": "text", "text": material.text(name)}]
        parts += [{"type": "image_url", "image_url": {"url": url}} for url in (embedded, material.IMAGE_URL)]
        model()(messages=[{"role": "user", "content": parts}])

    def with_unicode(name):
        model()(messages=user(name, material.UNICODE))

    def long(name):
        model()(messages=[{"role": "user", "content": material.long_text(name)}])

    def failing(name, **options):
        try:
            model(**options)(messages=user(name))
        except Exception:
            return
        raise AssertionError("expected an error")

    def retry(name):
        model(num_retries=2)(messages=user(name))

    def timeout(name):
        failing(name, timeout=material.TIMEOUT_S)

    def responses(name):
        model(model_type="responses")(messages=user(name))

    def embed(name):
        embedder = dspy.Embedder(**EMBEDDING, caching=False, api_key="unused")
        embedder([material.text(name)])

    def on_anthropic(call):
        return lambda name: call(name, ANTHROPIC)

    return {
        "plain dspy": plain,
        "plain dspy-prompt": prompt,
        "plain dspy-system": system,
        "plain dspy-predict": predict,
        "tool dspy": tool,
        "plain dspy-turns": turns,
        "plain dspy-parallel": parallel,
        "plain dspy-async": in_asyncio,
        "plain dspy-session": plain,
        "plain dspy-image": image,
        "plain dspy-unicode": with_unicode,
        "plain dspy-long": long,
        "error429 dspy": failing,
        "error500 dspy": failing,
        "retry dspy": retry,
        "timeout dspy": timeout,
        "plain dspy-responses": responses,
        "plain dspy-embed": embed,
        "plain dspy-anthropic": on_anthropic(plain),
        "plain dspy-anthropic-system": on_anthropic(system),
    }
