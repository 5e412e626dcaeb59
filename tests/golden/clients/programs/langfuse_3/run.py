"""Langfuse 3: its wrapper of the package `openai`, its decorator, its LangChain handler."""

import os
from contextlib import contextmanager

import material
from langfuse import Langfuse

client = Langfuse(
    public_key="pk-lf-unused",
    secret_key="sk-lf-unused",
    host=os.environ["SPANWISE_STUB_URL"],
    environment="golden-env",
    release="golden-release",
)


def case(name):
    return client.start_as_current_observation(name=name)


@contextmanager
def session(name):
    with case(name) as root:
        root.update_trace(session_id=material.SESSION, user_id=material.USER, tags=["golden", "tag"])
        yield


if os.environ["SPANWISE_VARIANT"] == "langchain":
    import langchain_calls
    from langfuse.langchain import CallbackHandler

    def config(name):
        found = {"callbacks": [CallbackHandler()]}
        if name.endswith("session"):
            found["metadata"] = {"langfuse_session_id": material.SESSION, "langfuse_user_id": material.USER}
        return found

    langchain_calls.run_all(case, case, config=config)
else:
    import langfuse.openai  # noqa: F401 - wraps the package `openai`
    import langfuse_calls
    import openai_calls

    openai_calls.run_all(case, session)
    langfuse_calls.run_all(case)
client.shutdown()
