"""Scores as the HTTP API takes and gives them."""

from datetime import UTC, datetime
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, ConfigDict, Field, StrictBool, model_validator

from spanwise_schemas.api import Model, Score

MAX_SCORES = 1_000
"""In one request."""
ScoreSource = Literal["code", "llm", "judge", "human", "person", "user"]


EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(2100, 1, 1, tzinfo=UTC)
"""What a record of the log can hold, and ClickHouse."""


def _with_zone(time: datetime) -> datetime:
    if time.utcoffset() is None:
        raise ValueError("a time zone is needed, for example 2026-01-31T12:00:00Z")
    if not EARLIEST <= time < LATEST:
        raise ValueError("it is before 1970 or after 2099")
    return time.astimezone(UTC)


class NewScore(Model):
    """A score to store: the same fields as the SDK's `spanwise.score`."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=1_000, description="What is scored, `helpfulness` for example.")
    value: StrictBool | Annotated[float, Field(allow_inf_nan=False)] | str | None = Field(
        None, description="A number, true or false (1 or 0), or a label."
    )
    trace_id: str = Field(
        "", pattern="^([0-9a-fA-F]{32})?$", description="Of the target, 32 hex digits; it may arrive later."
    )
    span_id: str = Field(
        "", pattern="^([0-9a-fA-F]{16})?$", description="Of the span in it, 16 hex digits; empty for the whole trace."
    )
    session_id: str = Field("", max_length=1_000, description="Of the session to score instead.")
    label: str = Field("", max_length=1_000, description="A word beside a number.")
    explanation: str = Field("", max_length=100_000, description="Why; a user's or reviewer's comment.")
    source: ScoreSource = Field(
        "code",
        description="Who says so: `code`, `llm` or `judge` (a model), `human` or `person` (a reviewer), `user` (of the "
        "application).",
    )
    evaluator: str = Field("", max_length=1_000, description="Name of the check, the judge or the reviewer.")
    evaluator_version: str = Field("", max_length=1_000, description="Its version.")
    score_id: str = Field(
        "",
        pattern="^([0-9a-fA-F]{32})?$",
        description="32 hex digits; the same id sent again replaces the score. Empty: a new one.",
    )
    time: Annotated[datetime, AfterValidator(_with_zone)] | None = Field(
        None, description="When it was given, RFC 3339; now where it is left out."
    )
    inclusion_probability: float = Field(
        1.0, gt=0, le=1, description="With which the target was chosen to be scored; means are weighted by its inverse."
    )
    stratum: str = Field("", max_length=1_000, description="Out of which the target was chosen.")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if not self.trace_id.strip("0") and not self.session_id:
            raise ValueError("`trace_id` or `session_id` is needed: a score belongs to a span, a trace or a session")
        if self.trace_id.strip("0") and self.session_id:
            raise ValueError("`trace_id` and `session_id` are two targets; send two scores")
        if self.span_id and not self.trace_id:
            raise ValueError("`span_id` needs the `trace_id` of its trace")
        if self.value in (None, "") and not self.label:
            raise ValueError("`value` or `label` is needed")
        return self


class ScoresTaken(Model):
    """Scores that the log holds; they can be read a moment later."""

    score_ids: list[str] = Field(description="In the order in which they were sent.")


class ScorePage(Model):
    """Scores, newest first."""

    items: list[Score]
    next_cursor: str | None = Field(None, description="For the next page; null on the last one.")
