"""Evaluators that are one SQL expression: trying, storing, comparing versions, scoring history."""

import threading
from datetime import datetime, timedelta
from typing import Annotated, Final

from fastapi import Path, Query, Request, Response

from spanwise_collector.api.answers import json_answer
from spanwise_collector.api.context import Context, In
from spanwise_collector.api.guard import guarded_router, needs, of_no_project
from spanwise_collector.api.parameters import From, Project, To, problems
from spanwise_collector.api.problems import NotFoundError, problem
from spanwise_collector.api.sql_evaluating import (
    SqlEvaluating,
    SqlEvaluatingIn,
    backfill_of,
    diff_of,
    info_of,
    outcome_of,
    preview_of,
    version_of,
)
from spanwise_collector.query.values import micros
from spanwise_collector.query.window import EARLIEST, LATEST, Window, WindowError
from spanwise_collector.sql_evals.checking import RefusedError, check
from spanwise_collector.sql_evals.columns import COLUMNS
from spanwise_collector.sql_evals.definitions import Definition, Owned
from spanwise_collector.sql_evals.examples import EXAMPLES
from spanwise_collector.sql_evals.functions import GROUPS
from spanwise_collector.sql_evals.jobs import BusyError, Job
from spanwise_collector.sql_evals.lexer import ExpressionError
from spanwise_collector.sql_evals.previews import difference, preview
from spanwise_collector.sql_evals.scoring import Scorer
from spanwise_schemas.api_sql_evals import (
    NAME_PATTERN,
    SqlBackfill,
    SqlBackfillPage,
    SqlBackfillRequest,
    SqlEvalAdded,
    SqlEvalColumn,
    SqlEvalDetail,
    SqlEvalDiff,
    SqlEvalDraft,
    SqlEvalInfo,
    SqlEvalPage,
    SqlEvalPreview,
    SqlEvalReference,
    SqlEvalRequest,
    SqlEvalSwitch,
)

router = guarded_router(prefix="/api/v1/evals", tags=["Evals"])

TRIED: Final = timedelta(days=14)
"""How far back the spans may lie on which an expression is tried, where no time is given."""
HEAVY: Final = threading.BoundedSemaphore(2)
"""So many previews and comparisons run at a time; each may read 100,000 texts."""
Name = Annotated[str, Path(description="Name of an evaluator.", pattern=NAME_PATTERN)]
JobId = Annotated[str, Path(description="As the start answered.", max_length=64)]
_BUSY: Final = "Other previews are under way; try again when they have ended."


@router.get("/sql", response_model=SqlEvalPage, responses=problems(422, 503, 504), summary="List SQL evaluators")
def listing(evaluating: SqlEvaluatingIn, project: Project = "default") -> Response:
    """All of a project, and how each stands."""
    items = [info_of(one) for one in evaluating.definitions.all(project)]
    return json_answer(SqlEvalPage(items=items, worker=evaluating.worker()))


@router.get("/sql-reference", response_model=SqlEvalReference, summary="What expressions are made of")
@of_no_project
def reference() -> Response:
    """Columns, functions and examples."""
    return json_answer(
        SqlEvalReference(
            columns=[SqlEvalColumn(name=one.name, type=one.type, help=one.help) for one in COLUMNS.values()],
            functions={group: [one.name for one in functions] for group, functions in GROUPS.items()},
            examples=[SqlEvalDraft(expression=one.expression, filter=one.filter) for one in EXAMPLES],
        )
    )


@router.post("/sql", response_model=SqlEvalAdded, status_code=201, responses=problems(400, 422, 503), summary="Add one")
def add(
    request: Request, context: In, evaluating: SqlEvaluatingIn, wanted: SqlEvalRequest, project: Project = "default"
) -> Response:
    """Store an evaluator, or another version of it, and keep it live on new spans; history is scored in the background.

    An expression that cannot be used is refused with the engine's message.
    """
    window = _window(None, None, context)
    try:
        checked = check(context.reader, window, project, wanted.expression, wanted.filter)
    except RefusedError as error:
        return _refused(request, error)
    definition = evaluating.definitions.add(
        project,
        wanted.name,
        expression=wanted.expression,
        condition=wanted.filter.strip(),
        description=wanted.description,
        kind=checked.scorer.kind,
        by=wanted.by,
    )
    job: Job | None = None
    if wanted.backfill:
        try:
            job = evaluating.jobs.start(definition, EARLIEST, LATEST, wanted.by)
        except BusyError:
            job = None
    added = SqlEvalAdded(
        info=info_of(_owned(evaluating, project, wanted.name)),
        tried=outcome_of(checked.tried),
        backfill=backfill_of(job) if job else None,
    )
    return json_answer(added, 201)


@router.post(
    "/sql-preview", response_model=SqlEvalPreview, responses=problems(400, 409, 422, 503, 504), summary="Try one"
)
@needs("read")
def try_out(
    request: Request,
    context: In,
    draft: SqlEvalDraft,
    project: Project = "default",
    start: From = None,
    end: To = None,
) -> Response:
    """What an expression gives on the newest 10,000 spans of a time range, by default two weeks; nothing is stored."""
    window = _window(start, end, context)
    if not HEAVY.acquire(blocking=False):
        return problem(request, 409, "busy", _BUSY)
    try:
        checked = check(context.reader, window, project, draft.expression, draft.filter)
        found = preview(context.reader, checked.scorer, project, window, timeout_s=context.timeout_s)
    except RefusedError as error:
        return _refused(request, error)
    finally:
        HEAVY.release()
    return json_answer(preview_of((checked.scorer.kind, checked.type), found))


@router.get(
    "/sql-backfills", response_model=SqlBackfillPage, responses=problems(422, 503, 504), summary="Scoring of history"
)
def backfills(evaluating: SqlEvaluatingIn, project: Project = "default") -> Response:
    """The last 50 of a project, newest first, with their progress."""
    return json_answer(SqlBackfillPage(items=[backfill_of(one) for one in evaluating.jobs.of(project)]))


@router.get(
    "/sql-backfills/{job}", response_model=SqlBackfill, responses=problems(404, 422, 503), summary="How far one is"
)
def backfill(evaluating: SqlEvaluatingIn, job: JobId, project: Project = "default") -> Response:
    """Its progress, and what became of the spans so far."""
    return json_answer(backfill_of(_job(evaluating.jobs.get(project, job), job)))


@router.delete(
    "/sql-backfills/{job}", response_model=SqlBackfill, responses=problems(404, 422, 503), summary="Cancel one"
)
def cancel(evaluating: SqlEvaluatingIn, job: JobId, project: Project = "default") -> Response:
    """Stop it after the slice that is under way. What was scored stays; one that is over stays as it is."""
    return json_answer(backfill_of(_job(evaluating.jobs.cancel(project, job), job)))


@router.get("/sql/{name}", response_model=SqlEvalDetail, responses=problems(404, 422, 503, 504), summary="Get one")
def show(evaluating: SqlEvaluatingIn, name: Name, project: Project = "default") -> Response:
    """An evaluator with all its versions and what was done about history."""
    owned = _owned(evaluating, project, name)
    return json_answer(
        SqlEvalDetail(
            info=info_of(owned),
            versions=[version_of(one) for one in evaluating.definitions.versions(project, name)],
            backfills=[backfill_of(one) for one in evaluating.jobs.of(project) if one.name == name],
        )
    )


@router.delete("/sql/{name}", status_code=204, responses=problems(404, 422, 503), summary="Remove one")
def remove(evaluating: SqlEvaluatingIn, name: Name, project: Project = "default") -> Response:
    """End it. Its scores stay; its versions, too, so that one of the same name goes on with the next number."""
    _owned(evaluating, project, name)
    evaluating.definitions.switch(project, name, "removed", "")
    return Response(status_code=204)


@router.post(
    "/sql/{name}/state", response_model=SqlEvalInfo, responses=problems(404, 422, 503), summary="Turn on or off"
)
def switch(evaluating: SqlEvaluatingIn, name: Name, wanted: SqlEvalSwitch, project: Project = "default") -> Response:
    """One that failed is tried again when it is turned on. What was stored while it was off is scored then."""
    _owned(evaluating, project, name)
    evaluating.definitions.switch(project, name, "on" if wanted.on else "off", wanted.by)
    return json_answer(info_of(_owned(evaluating, project, name)))


@router.post(
    "/sql/{name}/backfill",
    response_model=SqlBackfill,
    status_code=202,
    responses=problems(400, 404, 409, 422, 503),
    summary="Score history",
)
def start_backfill(
    request: Request, evaluating: SqlEvaluatingIn, name: Name, wanted: SqlBackfillRequest, project: Project = "default"
) -> Response:
    """Score what is stored, in the background. Doing it again replaces the same scores."""
    for field, time in (("from", wanted.start), ("to", wanted.end)):
        if time is not None and time.utcoffset() is None:
            raise WindowError(f"`{field}` has no time zone; send RFC 3339, for example 2026-01-31T12:00:00Z")
    start = max(micros(wanted.start), EARLIEST) if wanted.start else EARLIEST
    end = min(micros(wanted.end), LATEST) if wanted.end else LATEST
    if start >= end:
        raise WindowError("`from` must be before `to`")
    definition = _version(evaluating, project, name, wanted.version)
    try:
        job = evaluating.jobs.start(definition, start, end, wanted.by)
    except BusyError as error:
        return problem(request, 409, "busy", str(error))
    return json_answer(backfill_of(job), 202)


@router.get(
    "/sql/{name}/diff",
    response_model=SqlEvalDiff,
    responses=problems(400, 404, 409, 422, 503, 504),
    summary="Compare two",
)
def diff(
    request: Request,
    context: In,
    evaluating: SqlEvaluatingIn,
    name: Name,
    before: Annotated[int | None, Query(description="Version; default: the one before `after`.", ge=1)] = None,
    after: Annotated[int | None, Query(description="Version; default: the newest.", ge=1)] = None,
    project: Project = "default",
    start: From = None,
    end: To = None,
) -> Response:
    """How two versions differ on the newest 100,000 spans of a time range, by default of two weeks.

    Both are computed anew, so that neither needs to have scored anything.
    """
    window = _window(start, end, context)
    second = _version(evaluating, project, name, after)
    first = _version(evaluating, project, name, before if before is not None else max(1, second.version - 1))
    if not HEAVY.acquire(blocking=False):
        return problem(request, 409, "busy", _BUSY)
    try:
        found = difference(
            context.reader, _scorer(first), _scorer(second), project, window, timeout_s=context.timeout_s
        )
    except ExpressionError as error:
        return problem(request, 400, "bad-expression", f"A version is not admitted any more. {error}")
    finally:
        HEAVY.release()
    return json_answer(diff_of(first, second, found))


def _scorer(definition: Definition) -> Scorer:
    return Scorer.of(definition.expression, definition.filter, definition.kind)


def _owned(evaluating: SqlEvaluating, project: str, name: str) -> Owned:
    owned = evaluating.definitions.get(project, name)
    if owned is None:
        raise NotFoundError(f"There is no SQL evaluator {name} in the project {project}.")
    return owned


def _version(evaluating: SqlEvaluating, project: str, name: str, version: int | None) -> Definition:
    owned = _owned(evaluating, project, name)
    if version is None:
        return owned.definition
    found = next((one for one in evaluating.definitions.versions(project, name) if one.version == version), None)
    if found is None:
        raise NotFoundError(f"{name} has no version {version}; the newest is {owned.definition.version}.")
    return found


def _job(job: Job | None, job_id: str) -> Job:
    if job is None:
        raise NotFoundError(f"There is no scoring of history {job_id} in this project.")
    return job


def _window(start: datetime | None, end: datetime | None, context: Context) -> Window:
    now = context.clock()
    return Window.of(start or (end or now) - TRIED, end, now)


def _refused(request: Request, error: RefusedError) -> Response:
    lines = [{"parameter": error.field, "detail": str(error), "position": str(error.position or "")}]
    return problem(request, 400, "bad-expression", f"{error.field}: {error}", lines)
