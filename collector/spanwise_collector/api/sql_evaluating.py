"""What the endpoints about SQL evaluators work with, and their answers."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends, Request

from spanwise_collector.query.values import EPOCH, time_of
from spanwise_collector.sql_evals.definitions import Definition, Definitions, Owned
from spanwise_collector.sql_evals.jobs import Job, Jobs
from spanwise_collector.sql_evals.previews import Difference, Example, Given, Preview
from spanwise_collector.sql_evals.scoring import EVALUATOR, Outcome
from spanwise_schemas.api_sql_evals import (
    SqlBackfill,
    SqlEvalDiff,
    SqlEvalExample,
    SqlEvalGiven,
    SqlEvalInfo,
    SqlEvalOutcome,
    SqlEvalPreview,
    SqlEvalState,
    SqlEvalVersion,
)

_QUANTILES: Final = ("min", "p5", "p25", "p50", "p75", "p95", "max")


@dataclass(frozen=True, slots=True)
class SqlEvaluating:
    """SQL evaluators in the API.

    Attributes:
        definitions: of all projects.
        jobs: that score history.
        worker: who scores now; empty where nobody does.
    """

    definitions: Definitions
    jobs: Jobs
    worker: Callable[[], str]


def _sql_evaluating(request: Request) -> SqlEvaluating:
    found: SqlEvaluating = request.app.state.sql_evaluating
    return found


SqlEvaluatingIn = Annotated[SqlEvaluating, Depends(_sql_evaluating)]


def version_of(definition: Definition) -> SqlEvalVersion:
    """A version for the API."""
    return SqlEvalVersion(
        version=definition.version,
        expression=definition.expression,
        filter=definition.filter,
        description=definition.description,
        kind=definition.kind,
        by=definition.by,
        created=definition.created,
    )


def info_of(owned: Owned) -> SqlEvalInfo:
    """An evaluator for the API."""
    definition, progress = owned.definition, owned.progress
    is_current = progress.version == definition.version
    state: SqlEvalState = "on"
    if owned.switch != "on":
        state = "off"
    elif owned.has_failed:
        state = "failed"
    elif is_current and progress.state == "failing":
        state = "failing"
    return SqlEvalInfo(
        name=definition.name,
        project=definition.project,
        newest=version_of(definition),
        state=state,
        reason=progress.reason if state in ("failed", "failing") else "",
        evaluator=EVALUATOR + definition.name,
        live=outcome_of(progress.outcome if is_current else Outcome()),
        scored_to=time_of(progress.since_ms * 1000) if progress.since_ms else None,
    )


def outcome_of(outcome: Outcome) -> SqlEvalOutcome:
    """Counts for the API."""
    return SqlEvalOutcome(
        spans=outcome.spans,
        scored=outcome.scored,
        null=outcome.null,
        not_finite=outcome.not_finite,
        without_text=outcome.without_text,
        mean=outcome.mean,
    )


def backfill_of(job: Job) -> SqlBackfill:
    """A job for the API."""
    return SqlBackfill(
        id=job.id,
        name=job.name,
        version=job.version,
        state=job.state,
        start=time_of(job.start_us),
        end=time_of(job.end_us),
        progress=round(job.progress, 3),
        spans_done=job.done,
        spans_planned=job.planned,
        seconds=job.seconds,
        outcome=outcome_of(job.outcome),
        reason=job.reason,
        by=job.by,
        created=max(job.created, EPOCH),
    )


def preview_of(kind_and_type: tuple[str, str], found: Preview) -> SqlEvalPreview:
    """A preview for the API."""
    kind, type_name = kind_and_type
    return SqlEvalPreview.model_validate(
        {
            "kind": kind,
            "type": type_name,
            "outcome": outcome_of(found.outcome),
            "quantiles": dict(zip(_QUANTILES, found.quantiles, strict=False)),
            "labels": dict(found.labels),
            "examples": [_example(one) for one in found.examples],
        }
    )


def diff_of(before: Definition, after: Definition, found: Difference) -> SqlEvalDiff:
    """A difference for the API."""
    return SqlEvalDiff(
        before=version_of(before),
        after=version_of(after),
        spans=found.spans,
        is_cut=found.is_cut,
        both=found.both,
        changed=found.changed,
        only_before=found.only_before,
        only_after=found.only_after,
        mean_before=found.mean_before,
        mean_after=found.mean_after,
        examples=[_example(one) for one in found.examples],
    )


def _example(one: Example) -> SqlEvalExample:
    return SqlEvalExample(
        time=one.time,
        trace_id=one.trace_id,
        span_id=one.span_id,
        name=one.name,
        given=_given(one.given),
        after=_given(one.after) if one.after else None,
    )


def _given(given: Given) -> SqlEvalGiven:
    return SqlEvalGiven(value=given.value, label=given.label)
