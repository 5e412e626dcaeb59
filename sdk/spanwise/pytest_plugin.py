"""The pytest fixtures `spanwise_capture` and `spanwise_experiment`, and the marker of the latter.

Loaded in every pytest run where Spanwise is installed, so it imports nothing by itself.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from spanwise._experiments_pytest import ExperimentRunner
    from spanwise.testing import Capture


def pytest_configure(config: pytest.Config) -> None:
    """Declares the marker, for `--strict-markers`."""
    config.addinivalue_line(
        "markers",
        "spanwise_experiment(**options): what the fixture of this name is called with where a test does not say: "
        "dataset, evaluators, at_least, baseline, metrics, margin, repeats, ...",
    )


@pytest.fixture
def spanwise_capture() -> "Iterator[Capture]":
    """What the test's code records: `spanwise_capture.spans` and `.scores`, with fixed ids and times."""
    from spanwise.testing import capture

    with capture() as captured:
        yield captured


@pytest.fixture
def spanwise_experiment(request: pytest.FixtureRequest) -> "ExperimentRunner":
    """Runs an experiment and fails the test below a limit, on errors, or on a proven regression.

    `spanwise_experiment(task, dataset="faq", evaluators=[exact], at_least={"exact": 0.8}, baseline="main")`
    """
    from spanwise._experiments_pytest import ExperimentRunner

    marker = request.node.get_closest_marker("spanwise_experiment")
    return ExperimentRunner(request.node.name, dict(marker.kwargs) if marker is not None else {})
