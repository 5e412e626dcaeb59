"""What came out of an experiment, and how it reads."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import NormalDist, fmean, stdev
from typing import TYPE_CHECKING, Final

from spanwise._experiments_model import ExperimentError
from spanwise_schemas.api_experiments import ExperimentComparison, ItemResult

if TYPE_CHECKING:
    from spanwise._experiments_api import Api

_Z: Final = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True, slots=True)
class Metric:
    """One score over all items: the mean of the items' means over their repeats.

    Attributes:
        name: of the score.
        mean: over items.
        low: end of its 95 % interval, items taken to be independent: Wilson's for yes and no, else Student's t.
        high: the other end.
        items: that have the score.
        errors: times that the evaluator failed.
    """

    name: str
    mean: float
    low: float
    high: float
    items: int
    errors: int


@dataclass(frozen=True, slots=True)
class ExperimentResult:
    """What came out. `print(result)` shows the table.

    Attributes:
        experiment_id: to go on with it, and to compare it.
        name: of the experiment.
        project: in which it is stored.
        dataset: its name; "" where it was a list or a file.
        dataset_version: its number.
        results: one per item and repeat, those of an earlier run included.
        resumed: how many of them are of an earlier run.
        unsent: how many could not be sent to the collector; 0 where there is none.
        problem: why.
    """

    experiment_id: str
    name: str
    project: str
    dataset: str
    dataset_version: int
    results: tuple[ItemResult, ...]
    resumed: int = 0
    unsent: int = 0
    problem: str = ""
    _api: "Api | None" = None

    @property
    def errors(self) -> list[ItemResult]:
        """Runs in which the task failed."""
        return [one for one in self.results if one.error]

    @property
    def metrics(self) -> dict[str, Metric]:
        """Scores by name."""
        names = sorted({name for one in self.results for name in (*one.scores, *one.score_errors)})
        return {name: _metric(name, self.results) for name in names}

    def mean(self, metric: str) -> float:
        """The mean of a score over items.

        Raises:
            KeyError: no item has it.
        """
        return self.metrics[metric].mean

    def compare(
        self, baseline: str, *, metrics: Sequence[str] = (), margin: float | None = None
    ) -> ExperimentComparison:
        """Compare with another experiment, item by item; the collector does it.

        Args:
            baseline: id or name of an experiment, or `release:NAME`.
            metrics: only these; empty: all scores, and errors.
            margin: a smaller difference does not matter, in the metric's unit.

        Raises:
            ExperimentError: there is no collector, no such experiment, or nothing in common.
        """
        if self._api is None:
            raise ExperimentError("Comparing needs a collector: set SPANWISE_API_URL before the experiment.")
        if self.unsent:
            raise ExperimentError(f"{self.unsent} results are not stored ({self.problem}); run the experiment again.")
        found = self._api.get(
            "experiments",
            "compare",
            baseline=baseline,
            candidate=self.experiment_id,
            metric=list(metrics),
            margin=margin,
        )
        return ExperimentComparison.model_validate(found)

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterable[str]:
        of = f" over {self.dataset} v{self.dataset_version}" if self.dataset else ""
        items = len({one.item_id for one in self.results})
        repeats = f", {len(self.results)} runs" if len(self.results) != items else ""
        yield f"{self.name}{of}: {items} items{repeats}, {len(self.errors)} errors  ({self.experiment_id})"
        metrics = self.metrics.values()
        if metrics:
            rows = [("score", "mean", "95 % interval", "items", "errors")]
            rows += [
                (one.name, f"{one.mean:.3f}", f"{one.low:.3f} to {one.high:.3f}", str(one.items), str(one.errors or ""))
                if one.items
                else (one.name, "-", "-", "0", str(one.errors))
                for one in metrics
            ]
            widths = [max(len(row[at]) for row in rows) for at in range(5)]
            for row in rows:
                cells = [row[0].ljust(widths[0]), *(row[at].rjust(widths[at]) for at in range(1, 5))]
                yield "  " + "  ".join(cells).rstrip()
        if self.errors:
            first = self.errors[0]
            yield f"  first error: {first.item_id}: {first.error}"
        if self.unsent:
            yield f"  {self.unsent} results are not stored: {self.problem}"


def _metric(name: str, results: Sequence[ItemResult]) -> Metric:
    by_item: dict[str, list[float]] = {}
    for one in results:
        if name in one.scores:
            by_item.setdefault(one.item_id, []).append(one.scores[name])
    values = [fmean(found) for found in by_item.values()]
    errors = sum(name in one.score_errors for one in results)
    if not values:
        return Metric(name, math.nan, math.nan, math.nan, 0, errors)
    low, high = _wilson(values) if all(value in (0.0, 1.0) for value in values) else _student(values)
    return Metric(name, fmean(values), low, high, len(values), errors)


def _wilson(values: Sequence[float]) -> tuple[float, float]:
    """Wilson (1927): the interval of a share, also where it is 0 or 1."""
    n, share = len(values), fmean(values)
    middle = (share + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
    reach = _Z / (1 + _Z**2 / n) * math.sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2))
    return max(0.0, middle - reach), min(1.0, middle + reach)


def _student(values: Sequence[float]) -> tuple[float, float]:
    if len(values) < 2:
        return -math.inf, math.inf
    freedom = len(values) - 1
    # Cornish-Fisher expansion of Student's t (Abramowitz & Stegun 26.7.5), within 1 % from 3 degrees of freedom on.
    t = _Z + sum(
        term / freedom**power
        for power, term in enumerate(
            (
                (_Z**3 + _Z) / 4,
                (5 * _Z**5 + 16 * _Z**3 + 3 * _Z) / 96,
                (3 * _Z**7 + 19 * _Z**5 + 17 * _Z**3 - 15 * _Z) / 384,
            ),
            1,
        )
    )
    reach = t * stdev(values) / math.sqrt(len(values))
    return fmean(values) - reach, fmean(values) + reach
