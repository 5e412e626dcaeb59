"""The packages `openai` and `anthropic` under MLflow's autologging, which exports OTLP."""

from contextlib import contextmanager

import anthropic_calls
import material
import mlflow
import openai_calls

mlflow.openai.autolog()
mlflow.anthropic.autolog()


@contextmanager
def session(name):
    with mlflow.start_span(name):
        mlflow.update_current_trace(
            metadata={"mlflow.trace.session": material.SESSION, "mlflow.trace.user": material.USER}
        )
        yield


openai_calls.run_all(mlflow.start_span, session)
anthropic_calls.run_all(mlflow.start_span, session)
mlflow.flush_trace_async_logging()
