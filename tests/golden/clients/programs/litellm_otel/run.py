"""LiteLLM with its own OpenTelemetry callback, which makes a trace of each call."""

import os
from contextlib import nullcontext

import litellm
import litellm_calls
import material
from litellm.litellm_core_utils.thread_pool_executor import executor


def case(name):
    return nullcontext()


def options(name):
    """Session and user as LiteLLM's guide sets them."""
    if not name.endswith("session"):
        return {}
    return {"user": material.USER, "metadata": {"session_id": material.SESSION}}


litellm.callbacks = ["otel"]
# Outside LiteLLM's proxy its second version hears of asynchronous calls only.
only = ("plain litellm-async",) if os.environ["SPANWISE_VARIANT"] == "v2" else ()
litellm_calls.run_all(case, case, only=only, options=options)
# Callbacks run in threads of this pool; the exporter sends what is left when the program ends.
executor.shutdown(wait=True)
