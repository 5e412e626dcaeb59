"""The packages `openai` and `anthropic` in LangSmith's wrappers, which export OTLP."""

import anthropic_calls
import langsmith
import material
import openai_calls
from langsmith import wrappers

client = langsmith.Client()


def case(name, **metadata):
    return langsmith.trace(name, client=client, metadata=metadata)


def session(name):
    return case(name, session_id=material.SESSION, user_id=material.USER)


def wrapped_openai(kind, **options):
    return wrappers.wrap_openai(kind(**options))


def wrapped_anthropic(kind, **options):
    return wrappers.wrap_anthropic(kind(**options))


openai_calls.run_all(case, session, make=wrapped_openai)
# The wrapper breaks every stream made by `create`: accumulate_event() misses an argument.
anthropic_calls.run_all(
    case, session, make=wrapped_anthropic, without=("plain messages-rawstream", "cut messages", "slow messages")
)
client.flush()
