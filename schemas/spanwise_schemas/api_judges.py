"""Judges in the API: what they did, what they cost, what went wrong, and whether they have changed."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from spanwise_schemas.api import Model


class JudgeError(Model):
    """One class of errors of one judge. Errors are no scores: a target with one has none."""

    judge: str
    error: str = Field(description="Class, such as `timeout`; docs/judges.md lists them.")
    count: int
    last_at: datetime
    last_message: str


class JudgeErrors(Model):
    """Errors of a project's judges and evaluators, the most frequent first."""

    items: list[JudgeError]


class JudgeBudget(Model):
    """A judge's money today, UTC; nano-dollars."""

    day: str
    limit_nanousd: int
    granted_nanousd: int = Field(description="Taken out of the limit by processes, spent or still in their hands.")
    spent_nanousd: int = Field(description="What calls did cost, as far as processes have reported it.")
    is_exhausted: bool = Field(description="Whether targets were skipped today since the limit was reached.")


class JudgeStatus(Model):
    """What one judge or evaluator did in a time range."""

    judge: str
    outcomes: dict[str, int] = Field(
        description="Targets by outcome: `scored`, `cached`, `skipped_budget`, `error:...`, `order_disagreed`, anchors."
    )
    cost_nanousd: int
    last_at: datetime
    budget: JudgeBudget | None = Field(None, description="Of a judge that had money today; null for others.")


class EvalsProcess(Model):
    """The role `evals` in the process that answers."""

    running: bool
    waiting: str = Field(description="What hinders it; empty for nothing.")
    lag: int | None = Field(description="Records that wait to be scored; null where that is not known.")
    scores: int = Field(description="Sent since its start.")
    problem: str = Field(description="What is wrong with the evals file that is there now; empty for nothing.")


class JudgeStatuses(Model):
    """Judges and evaluators of a project that did something in a time range."""

    items: list[JudgeStatus]
    process: EvalsProcess | None = Field(
        description="Null where the process that answers does not have the role `evals`; another one may."
    )


class Measured(Model):
    """An estimate with its 95 % interval."""

    value: float
    low: float
    high: float
    n: int = Field(description="Items.")


class AnchorReport(Model):
    """Whether a judge has changed, by items that people have labelled and that it judges again and again."""

    judge: str
    version: str = Field(description="Of the judge; another version begins anew.")
    model: str
    n_items: int
    n_runs: int
    first_at: datetime
    last_at: datetime
    agreement: Measured | None = Field(
        description="Share of items on which it says what people say, since `since`; null for grades."
    )
    bias: Measured | None = Field(description="How much it is above people since `since`, on a scale of 0 to 1.")
    change: Measured | None = Field(description="How its verdicts since `since` differ from its first ones.")
    finding: Literal["changed", "steady", "not_enough"]
    sentence: str


class AnchorReports(Model):
    """Judges of a project that have anchors."""

    since: datetime
    items: list[AnchorReport]
