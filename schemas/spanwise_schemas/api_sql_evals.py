"""API models of evaluators that are one SQL expression."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from spanwise_schemas.api import Model

SqlEvalKind = Literal["numeric", "boolean", "categorical"]
SqlEvalState = Literal["on", "off", "failing", "failed"]
SqlBackfillState = Literal["waiting", "running", "done", "failed", "cancelled"]
NAME_PATTERN = r"^[A-Za-z][A-Za-z0-9_.-]{0,99}$"


class SqlEvalDraft(Model):
    """An evaluator as it is written."""

    expression: str = Field(
        description="One SQL expression over a span: a number, yes or no, or a word.", min_length=1, max_length=4000
    )
    filter: str = Field("", description="Which spans it is for: an expression that says yes or no.", max_length=4000)


class SqlEvalRequest(SqlEvalDraft):
    """A new evaluator, or another version of one."""

    name: str = Field(description="Of the evaluator and of its scores.", pattern=NAME_PATTERN)
    description: str = Field("", max_length=1000)
    by: str = Field("", description="Who makes it.", max_length=200)
    backfill: bool = Field(True, description="Score everything that is stored, too.")


class SqlEvalOutcome(Model):
    """What became of spans."""

    spans: int = Field(description="That the filter admits.")
    scored: int
    null: int = Field(description="The expression gives NULL, or an empty word: no score.")
    not_finite: int = Field(description="It gives infinity or no number (a division by zero): no score.")
    without_text: int = Field(description="It needs texts that are not stored (any more): no score.")
    mean: float | None = Field(None, description="Of the values; of yes and no the share of yes. Null without values.")


class SqlBackfill(Model):
    """Scoring of history by one version of an evaluator."""

    id: str
    name: str
    version: int
    state: SqlBackfillState
    start: datetime
    end: datetime
    progress: float = Field(description="Share that is done, 0 to 1.")
    spans_done: int
    spans_planned: int = Field(description="0 before it has begun.")
    seconds: float = Field(description="How long it was worked on.")
    outcome: SqlEvalOutcome
    reason: str = Field("", description="Why it failed, or what hinders it.")
    by: str = ""
    created: datetime


class SqlBackfillPage(Model):
    """The last 50 of a project, newest first."""

    items: list[SqlBackfill]


class SqlBackfillRequest(Model):
    """What to score."""

    version: int | None = Field(None, description="Of the evaluator; null: the newest.", ge=1)
    start: datetime | None = Field(None, alias="from", description="Spans that start here or later; null: all.")
    end: datetime | None = Field(None, alias="to", description="Spans that start before this; null: all.")
    by: str = Field("", max_length=200)


class SqlEvalVersion(Model):
    """One version."""

    version: int
    expression: str
    filter: str
    description: str
    kind: SqlEvalKind
    by: str
    created: datetime


class SqlEvalInfo(Model):
    """An evaluator as it stands."""

    name: str
    project: str
    newest: SqlEvalVersion
    state: SqlEvalState = Field(
        description="`failing`: the last try failed, it is tried again. `failed`: it is off; turn it on, or add a "
        "version."
    )
    reason: str = Field("", description="What hinders it.")
    evaluator: str = Field(description="As its scores have it.")
    live: SqlEvalOutcome = Field(description="Of spans that came since this version was made.")
    scored_to: datetime | None = Field(None, description="What was stored up to here is scored. Null before it began.")


class SqlEvalDetail(Model):
    """An evaluator with its versions and what was done about history."""

    info: SqlEvalInfo
    versions: list[SqlEvalVersion] = Field(description="Newest first.")
    backfills: list[SqlBackfill] = Field(description="Newest first.")


class SqlEvalPage(Model):
    """The evaluators of a project, by name."""

    items: list[SqlEvalInfo]
    worker: str = Field("", description="The collector that scores; empty where none with the role `evals` runs.")


class SqlEvalAdded(Model):
    """What was stored."""

    info: SqlEvalInfo
    tried: SqlEvalOutcome = Field(description="Of the newest thousand spans.")
    backfill: SqlBackfill | None = None


class SqlEvalSwitch(Model):
    """Turning one on or off."""

    on: bool
    by: str = Field("", max_length=200)


class SqlEvalGiven(Model):
    """What a span is given; both empty for no score."""

    value: float | None = None
    label: str = ""


class SqlEvalExample(Model):
    """A span and what it is given."""

    time: datetime
    trace_id: str
    span_id: str
    name: str
    given: SqlEvalGiven
    after: SqlEvalGiven | None = Field(None, description="By the second of two.")


class SqlEvalPreview(Model):
    """What an expression gives on the newest spans."""

    kind: SqlEvalKind
    type: str = Field(description="As ClickHouse names it.")
    outcome: SqlEvalOutcome
    quantiles: dict[str, float] = Field(default_factory=dict, description="min, p5, p25, p50, p75, p95, max.")
    labels: dict[str, int] = Field(default_factory=dict, description="The most frequent words with how often.")
    examples: list[SqlEvalExample]


class SqlEvalDiff(Model):
    """How two versions differ on the same spans."""

    before: SqlEvalVersion
    after: SqlEvalVersion
    spans: int = Field(description="That were looked at: the newest of the time range, at most 100,000.")
    is_cut: bool = Field(description="There were more.")
    both: int = Field(description="Scored by both.")
    changed: int = Field(description="Of these, with another value or label.")
    only_before: int
    only_after: int
    mean_before: float | None
    mean_after: float | None
    examples: list[SqlEvalExample] = Field(description="Spans that changed, the largest changes first.")


class SqlEvalColumn(Model):
    """What an expression may read."""

    name: str
    type: str
    help: str


class SqlEvalReference(Model):
    """What expressions are made of."""

    columns: list[SqlEvalColumn]
    functions: dict[str, list[str]] = Field(description="By what they are for.")
    examples: list[SqlEvalDraft]
