"""The packages `openai` and `anthropic` under Spanwise's own SDK: blocks, or instrumentations that it switches on."""

import os
from contextlib import contextmanager

import anthropic_calls
import material
import openai
import openai_calls

import spanwise

SYNC = (openai.OpenAI, anthropic_calls.anthropic.Anthropic)


@contextmanager
def case(name):
    with spanwise.span(name, kind="chain"):
        yield


@contextmanager
def session(name):
    with spanwise.session(material.SESSION), spanwise.user(material.USER), case(name):
        yield


def recorded(create, kind):
    """A call in a block of its own, as the guide shows it."""

    def call(**request):
        with spanwise.span(f"{kind} {request['model']}", kind=kind) as span:
            system = request.get("system") or request.get("instructions")
            given = request.get("messages") or request.get("input")
            if system and isinstance(given, str):
                given = [{"role": "user", "content": given}]
            span.set_input([{"role": "system", "content": system}, *given] if system else given)
            span.set_model(request["model"])
            return span.record_response(create(**request))

    return call


def recorded_async(create, kind):
    async def call(**request):
        with spanwise.span(f"{kind} {request['model']}", kind=kind) as span:
            span.set_input(request["messages"])
            span.set_model(request["model"])
            return span.record_response(await create(**request))

    return call


def make(kind, **options):
    client = kind(**options)
    record = recorded if kind in SYNC else recorded_async
    if kind.__module__.startswith("openai"):
        client.chat.completions.create = record(client.chat.completions.create, "llm")
        client.responses.create = record(client.responses.create, "llm")
        client.embeddings.create = record(client.embeddings.create, "embedding")
    else:
        client.messages.create = record(client.messages.create, "llm")
    return client


if os.environ["SPANWISE_VARIANT"] == "blocks":
    spanwise.init(project="golden", endpoint=os.environ["SPANWISE_STUB_URL"], service="app", instrument=False)
    openai_calls.run_all(case, session, make=make)
    # The helper `messages.stream` hands out no response to record.
    anthropic_calls.run_all(case, session, make=make, without=("plain messages-stream", "tool messages-stream"))
else:
    spanwise.init(project="golden", endpoint=os.environ["SPANWISE_STUB_URL"], service="app", instrument=True)
    openai_calls.run_all(case, session)
    anthropic_calls.run_all(case, session)
spanwise.shutdown()
