"""Erasing what is stored of a user, a session or a trace."""

from typing import Annotated, Final, cast

from fastapi import Path, Request, Response

from spanwise_collector.api.answers import json_answer
from spanwise_collector.api.guard import AccessIn, guarded_router, needs
from spanwise_collector.api.parameters import Project, problems
from spanwise_collector.api.problems import NotFoundError
from spanwise_collector.erase.book import Erasure, Kind
from spanwise_collector.erase.tables import trace_digest
from spanwise_collector.erasing import ForApi
from spanwise_collector.query.values import micros, time_of
from spanwise_schemas.api_erasures import Erasure as Shown
from spanwise_schemas.api_erasures import ErasureRequest, Erasures

router = guarded_router(prefix="/api/v1/erasures", tags=["Erasures"])
NOT_REACHED: Final = (
    "Kafka: the records are in otlp_spans, otlp_logs and spanwise_rejects until these topics' retention deletes them. "
    "What is read again from there is left out.",
    "The disk: the parts that held the rows are inactive, and ClickHouse deletes their files within minutes.",
    "Backups and snapshots of ClickHouse and of its disks, until they expire. Erase again after a restore.",
    "Files of `spanwise exports`, and datasets that were downloaded.",
    "What applications, proxies and model providers keep themselves, and messages that alerts have sent.",
)


@router.post(
    "",
    response_model=Shown,
    status_code=202,
    responses={**problems(400, 422, 503, 504), 200: {"model": Shown, "description": "A dry run: what would go."}},
    summary="Erase a user's data",
)
def erase(request: Request, access: AccessIn, wanted: ErasureRequest, project: Project = "default") -> Response:
    """Erase everything of a user, a session or a trace that started before now, or count it.

    Whole traces are erased. It runs in the background and is remembered, so that a replay does not bring it back; ask
    for it by its `id`. A dry run answers at once with the state `counted` and changes nothing.
    """
    erasing = _erasing(request)
    now = erasing.now()
    kind, value = next((name, value) for name in ("user", "session", "trace") if (value := getattr(wanted, name)))
    erasure = Erasure(
        id="" if wanted.dry_run else erasing.new_id(),
        project=project,
        kind=cast("Kind", kind),
        digest=trace_digest(kind, project, value),
        before_us=micros(now),
        state="asked",
        by=access.who,
        asked_at=now,
        changed_at=now,
    )
    if wanted.dry_run:
        traces, rows = erasing.eraser.counted(erasure)
        return json_answer(_shown(erasure, 0).model_copy(update={"state": "counted", "traces": traces, "rows": rows}))
    return json_answer(_shown(erasing.book.save(erasure), 0), 202)


@router.get("", response_model=Erasures, responses=problems(422, 503, 504), summary="List erasures")
@needs("admin")
def erasures(request: Request, project: Project = "default") -> Response:
    """Erasures, how far they are and what came of them; and what Spanwise cannot reach."""
    book = _erasing(request).book
    kept_out = book.kept_out(project)
    items = [_shown(one, kept_out.get(one.id, 0)) for one in book.all(project)]
    return json_answer(Erasures(items=items, not_reached=list(NOT_REACHED)))


@router.get("/{erasure}", response_model=Shown, responses=problems(404, 422, 503, 504), summary="Show an erasure")
@needs("admin")
def show(
    request: Request,
    erasure: Annotated[str, Path(description="As the start answered.", max_length=64)],
    project: Project = "default",
) -> Response:
    """How far it is and what came of it."""
    book = _erasing(request).book
    found = book.get(project, erasure)
    if found is None:
        raise NotFoundError(f"There is no erasure {erasure} in the project {project}.")
    return json_answer(_shown(found, book.kept_out(project).get(found.id, 0)))


def _shown(one: Erasure, kept_out: int) -> Shown:
    return Shown(
        id=one.id,
        project=one.project,
        kind=one.kind,
        trace_id=one.digest if one.kind == "trace" else "",
        state=one.state,
        before=time_of(one.before_us),
        by=one.by,
        asked_at=one.asked_at,
        changed_at=one.changed_at,
        traces=one.progress.traces,
        rows=one.progress.counts,
        rolled_up=one.progress.rolled_up,
        kept_in_rollups=one.progress.kept,
        days_left=len(one.progress.days),
        passes=one.progress.passes,
        kept_out=kept_out,
        failure=one.progress.failure,
    )


def _erasing(request: Request) -> ForApi:
    erasing: ForApi = request.app.state.erasing
    return erasing
