"""Tables rebuilt from Kafka."""

from fastapi import Request, Response

from spanwise_collector.api.answers import json_answer
from spanwise_collector.api.context import In
from spanwise_collector.api.guard import guarded_router, needs, of_all_projects
from spanwise_collector.api.parameters import problems
from spanwise_collector.api.problems import NotFoundError, problem
from spanwise_collector.ingest.price_file import PriceFileError, parse_price_file
from spanwise_collector.query.window import Window
from spanwise_collector.replay.jobs import ReplayBusyError, ReplayJobs
from spanwise_collector.replay.spec import ReplayError, ReplaySpec
from spanwise_schemas.api_replay import Replay, ReplayRequest
from spanwise_schemas.masking import Masks

router = guarded_router(prefix="/api/v1", tags=["Operation"])


@router.post(
    "/replay",
    response_model=Replay,
    status_code=202,
    responses=problems(400, 404, 409, 422, 503, 504),
    summary="Rebuild tables from Kafka",
)
@of_all_projects
def start(request: Request, context: In, wanted: ReplayRequest) -> Response:
    """Begin to rebuild what Kafka holds of a time range beside the tables in use; or go on, when it was interrupted.

    Nothing in use changes before the swap. One at a time; ask how far it is with `GET`.
    """
    window = Window.of(wanted.start, wanted.end, context.clock())
    try:
        if wanted.prices is not None:
            parse_price_file(wanted.prices)
        Masks.of(wanted.mask_patterns or "", wanted.mask_keys or "")
    except (PriceFileError, ValueError) as error:
        return problem(request, 400, "bad-request", str(error))
    spec = ReplaySpec(window.start, window.end, wanted.prices, wanted.mask_patterns, wanted.mask_keys)
    try:
        answer = json_answer(_jobs(request).start(spec))
    except ReplayBusyError as error:
        return problem(request, 409, "busy", str(error))
    answer.status_code = 202
    return answer


@router.get("/replay", response_model=Replay, responses=problems(404, 503, 504), summary="How far the replay is")
@needs("admin")
@of_all_projects
def show(request: Request) -> Response:
    """The replay that is there, and from the phase `ready` on what it would change."""
    try:
        return json_answer(_jobs(request).get())
    except ReplayBusyError as error:
        raise NotFoundError(str(error)) from error


@router.post(
    "/replay/swap",
    response_model=Replay,
    status_code=202,
    responses=problems(404, 409, 503, 504),
    summary="Put the rebuilt tables in place",
)
@of_all_projects
def swap(request: Request) -> Response:
    """Begin to replace the days in use by those that were rebuilt. Ingest and questions wait for some seconds."""
    try:
        answer = json_answer(_jobs(request).swap())
    except ReplayBusyError as error:
        return problem(request, 409, "busy", str(error))
    answer.status_code = 202
    return answer


@router.delete("/replay", status_code=204, responses=problems(404, 409, 503, 504), summary="Discard the replay")
@of_all_projects
def discard(request: Request) -> Response:
    """Drop what was rebuilt. Nothing in use changes."""
    try:
        _jobs(request).discard()
    except (ReplayBusyError, ReplayError) as error:
        return problem(request, 409, "busy", str(error))
    return Response(status_code=204)


def _jobs(request: Request) -> ReplayJobs:
    jobs: ReplayJobs | None = request.app.state.replay
    if jobs is None:
        raise NotFoundError(
            "This collector does not read Kafka: a replay runs where ingest runs. Ask a collector whose SPANWISE_ROLE "
            "has `ingest` and `api`."
        )
    return jobs
