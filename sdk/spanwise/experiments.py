"""Types of `spanwise.experiment`: what a task is given, what comes out, what is raised."""

from spanwise._experiments_model import ExperimentError, Item
from spanwise._experiments_result import ExperimentResult, Metric
from spanwise_evaluators.model import Document, Evaluator, Sample, ToolCall, Verdict
from spanwise_schemas.api_experiments import ExperimentComparison, ItemResult

__all__ = [
    "Document",
    "Evaluator",
    "ExperimentComparison",
    "ExperimentError",
    "ExperimentResult",
    "Item",
    "ItemResult",
    "Metric",
    "Sample",
    "ToolCall",
    "Verdict",
]
