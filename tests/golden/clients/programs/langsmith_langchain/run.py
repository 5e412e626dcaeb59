"""LangChain as it traces to LangSmith, by OTLP."""

import langchain_calls
import langsmith
import material
from langchain_core.tracers.langchain import wait_for_all_tracers

client = langsmith.Client()


def case(name, **metadata):
    return langsmith.trace(name, client=client, metadata=metadata)


def session(name):
    return case(name, session_id=material.SESSION, user_id=material.USER)


langchain_calls.run_all(case, session)
wait_for_all_tracers()
client.flush()
