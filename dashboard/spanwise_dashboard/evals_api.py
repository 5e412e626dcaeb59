"""Eval scores in the collector's API."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from spanwise_dashboard.client import Client, Parameter
from spanwise_schemas.api_evals import (
    Judges,
    ScoredExamples,
    ScoreDistribution,
    ScoreNames,
    ScoreSource,
    ScoreTrend,
    SplitBy,
    WorstOrder,
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whose scores of which name.

    Attributes:
        name: of the score.
        source: who gives it.
        evaluator: empty for all of the source.
        label: of words, whose share; empty for the most frequent.
    """

    name: str
    source: ScoreSource
    evaluator: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class EvalsApi:
    """Asks one collector about one project and time range. Every method raises an `ApiError` and nothing else."""

    client: Client
    project: str
    window: tuple[datetime, datetime]
    environments: Sequence[str] = ()

    def names(self) -> ScoreNames:
        """Names of scores with who gives them, most frequent first."""
        return self.client.get("/api/v1/evals/scores", ScoreNames, self._common())

    def trend(self, wanted: Wanted, split: SplitBy, step_seconds: int) -> ScoreTrend:
        """Means over time."""
        more: dict[str, Parameter] = {"split": split, "step_seconds": step_seconds}
        return self.client.get("/api/v1/evals/trend", ScoreTrend, self._of(wanted) | more)

    def distribution(self, wanted: Wanted) -> ScoreDistribution:
        """How values lie."""
        return self.client.get("/api/v1/evals/distribution", ScoreDistribution, self._of(wanted))

    def worst(self, wanted: Wanted, order: WorstOrder, limit: int) -> ScoredExamples:
        """The worst answers."""
        more: dict[str, Parameter] = {"order": order, "limit": limit}
        return self.client.get("/api/v1/evals/worst", ScoredExamples, self._of(wanted) | more)

    def judges(self) -> Judges:
        """How far judges are right."""
        return self.client.get("/api/v1/evals/judges", Judges, self._common())

    def _common(self) -> dict[str, Parameter]:
        start, end = self.window
        return {"project": self.project, "from": start, "to": end, "environment": self.environments}

    def _of(self, wanted: Wanted) -> dict[str, Parameter]:
        return self._common() | {
            "name": wanted.name,
            "source": wanted.source,
            "evaluator": wanted.evaluator,
            "label": wanted.label,
        }
