"""LiteLLM with its own OpenTelemetry callback, which makes a trace of each call."""

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
litellm_calls.run_all(case, case, options=options)
# Callbacks run in threads of this pool; the exporter sends what is left when the program ends.
executor.shutdown(wait=True)
