"""What the fixture `spanwise_experiment` does: run, compare, fail with a table."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from spanwise._experiments import experiment
from spanwise._experiments_model import ExperimentError, Item
from spanwise._experiments_result import ExperimentResult
from spanwise_schemas.api_experiments import ExperimentComparison


class ExperimentRunner:
    """Runs experiments for one test.

    Args:
        name: of the test; of the experiment where none is given.
        options: by default, from the marker.

    Attributes:
        comparison: with the baseline, of the last call; None without one.
    """

    def __init__(self, name: str, options: Mapping[str, Any]) -> None:
        self._name = name
        self._options = dict(options)
        self.comparison: ExperimentComparison | None = None

    def __call__(self, task: Callable[[Item], Any], **given: Any) -> ExperimentResult:
        """Run the task over a dataset.

        Args:
            task: as `spanwise.experiment` takes it.
            given: its other arguments (`dataset` and `evaluators` among them), and:
                `at_least`: score to the lowest mean that passes;
                `max_errors`: share of runs that may fail, 0 by default;
                `baseline`: id or name of an experiment, which must not be proven better;
                `metrics`, `margin`: of that comparison;
                `fail_on_inconclusive`: fail where the comparison cannot tell.

        Returns:
            The result, where the test goes on.

        Raises:
            pytest.fail.Exception: a limit is missed or a regression is proven; the message has the table.
            ExperimentError: the experiment cannot begin or be compared.
        """
        options = {"name": self._name, **self._options, **given}
        if "dataset" not in options:
            raise ExperimentError("spanwise_experiment needs a dataset: give dataset=... here or in the marker.")
        at_least: Mapping[str, float] = options.pop("at_least", None) or {}
        max_errors = float(options.pop("max_errors", 0.0))
        baseline = str(options.pop("baseline", None) or "")
        metrics: Sequence[str] = options.pop("metrics", None) or ()
        margin = options.pop("margin", None)
        fail_on_inconclusive = bool(options.pop("fail_on_inconclusive", False))
        result = experiment(options.pop("dataset"), task, **options)
        problems = _limits(result, at_least, max_errors)
        self.comparison = None
        if baseline:
            self.comparison = result.compare(baseline, metrics=metrics, margin=margin)
            problems += [
                f"{one.metric}: {one.words}: {one.baseline:.3f} to {one.candidate:.3f} ({one.difference:+.3f})"
                for one in self.comparison.metrics
                if one.verdict == "worse" or (fail_on_inconclusive and one.verdict == "inconclusive")
            ]
        if problems:
            pytest.fail("\n".join([*problems, "", str(result)]), pytrace=False)
        return result


def _limits(result: ExperimentResult, at_least: Mapping[str, float], max_errors: float) -> list[str]:
    problems = []
    share = len(result.errors) / len(result.results)
    if share > max_errors:
        problems.append(f"errors: {len(result.errors)} of {len(result.results)} runs failed")
    metrics = result.metrics
    for name, limit in at_least.items():
        if name not in metrics or not metrics[name].items:
            problems.append(f"{name}: no item has this score")
        elif metrics[name].mean < limit:
            problems.append(f"{name}: {metrics[name].mean:.3f} is below {limit:g}")
    return problems
