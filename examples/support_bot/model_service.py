"""Which model the example talks to: OpenAI or a compatible service when you have set one, else our stub on loopback."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from openai import OpenAI

from examples.support_bot.stub_server import Behaviour, StubServer

TIMEOUT_S = 3.0
"""Short, so that the stub's hanging answers become timeouts that can be seen."""


def uses_own_service(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether OPENAI_API_KEY or OPENAI_BASE_URL is set: then calls go there, and may cost money."""
    return bool(environ.get("OPENAI_API_KEY") or environ.get("OPENAI_BASE_URL"))


@contextmanager
def model_service(behaviour: Behaviour | None = None) -> Iterator[tuple[OpenAI, str]]:
    """A client and, in words, what it talks to.

    Args:
        behaviour: of the stub, when it is used.
    """
    if uses_own_service():
        # A service on your own machine usually asks for no key, but the client insists on one.
        client = OpenAI(api_key=os.environ.get("OPENAI_API_KEY") or "none", timeout=30.0, max_retries=1)
        with client:
            yield client, f"{client.base_url} (OPENAI_API_KEY or OPENAI_BASE_URL is set)"
        return
    server = StubServer(behaviour=behaviour).start()
    try:
        with OpenAI(base_url=server.base_url, api_key="none", timeout=TIMEOUT_S, max_retries=0) as client:
            yield client, "a stub on this machine, no key needed (set OPENAI_API_KEY or OPENAI_BASE_URL for a real one)"
    finally:
        server.stop()
