"""Spanwise: from function and model calls to traces.

    import spanwise

    spanwise.init(project="support-bot", kafka="localhost:9092")

    @spanwise.observe
    def answer(question: str) -> str: ...

Everything that raises, blocks or grows here is a defect: telemetry never harms the application. The guide is
docs/sdk.md.
"""

from spanwise._client import flush, init, shutdown, stats
from spanwise._context import metadata, prompt, session, tags, user
from spanwise._errors import ConfigurationError, SpanwiseError
from spanwise._evals import evaluator
from spanwise._experiments import experiment
from spanwise._observe import observe
from spanwise._scores import send_score as score
from spanwise._span import Span, current_span, span
from spanwise._stats import EvalStats, Stats
from spanwise_schemas.attributes import Kind

__all__ = [
    "ConfigurationError",
    "EvalStats",
    "Kind",
    "Span",
    "SpanwiseError",
    "Stats",
    "current_span",
    "evaluator",
    "experiment",
    "flush",
    "init",
    "metadata",
    "observe",
    "prompt",
    "score",
    "session",
    "shutdown",
    "span",
    "stats",
    "tags",
    "user",
]
