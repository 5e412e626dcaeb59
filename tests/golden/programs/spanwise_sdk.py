"""The `openai` client under Spanwise's own SDK: blocks that hand over the response."""

import sys

import openai

import spanwise
from tests.golden.programs import calls


def main(base_url: str) -> None:
    """Make all calls inside one observed pipeline."""
    spanwise.init(project="golden", endpoint=base_url, service="app", instrument=False)
    pipeline(calls.client(base_url))
    spanwise.shutdown()


@spanwise.observe(kind="agent")
def pipeline(client: openai.OpenAI) -> str:
    """All calls, each in a block of its own."""
    with spanwise.span("chat", kind="llm") as span:
        span.record_response(calls.chat(client))
    with spanwise.span("stream", kind="llm") as span:
        list(span.record_response(calls.stream(client)))
    with spanwise.span("tool", kind="llm") as span:
        span.record_response(calls.tool(client))
    with spanwise.span("embed", kind="embedding") as span:
        span.record_response(calls.embed(client))
    calls.expect_refusal(lambda: refused(client))
    return "done"


def refused(client: openai.OpenAI) -> None:
    """The refused call, in a block that sees its exception."""
    with spanwise.span("fail", kind="llm"):
        calls.fail(client)


if __name__ == "__main__":
    main(sys.argv[1])
