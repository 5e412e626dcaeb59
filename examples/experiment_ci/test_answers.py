"""The same experiment as a test: `pytest examples/experiment_ci`."""

from collections.abc import Callable
from typing import Any

from examples.experiment_ci.app import answer
from examples.experiment_ci.evaluators import exact, short
from examples.experiment_ci.run import QUESTIONS


def test_answers(spanwise_experiment: Callable[..., Any]) -> None:
    """At least 95 % of the answers are right, and all are short."""
    spanwise_experiment(
        lambda item: answer(item.input),
        dataset=QUESTIONS,
        evaluators=[exact, short],
        at_least={"exact": 0.95, "short": 1.0},
    )
