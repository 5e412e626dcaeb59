"""Computing the costs of history anew."""

from typing import Annotated

from fastapi import Path, Request, Response

from spanwise_collector.api.answers import json_answer
from spanwise_collector.api.context import In
from spanwise_collector.api.guard import guarded_router, of_all_projects
from spanwise_collector.api.parameters import problems
from spanwise_collector.api.problems import NotFoundError, problem
from spanwise_collector.ingest.cost import PriceBook
from spanwise_collector.ingest.price_file import PriceFileError, parse_price_file
from spanwise_collector.query.window import Window
from spanwise_collector.reprice.jobs import BusyError, RepriceJobs
from spanwise_schemas.api_reprice import Reprice, RepriceRequest

router = guarded_router(prefix="/api/v1", tags=["Costs"])


@router.post(
    "/reprice",
    response_model=Reprice,
    status_code=202,
    responses=problems(400, 409, 422, 503),
    summary="Compute costs anew",
)
@of_all_projects
def start(request: Request, context: In, wanted: RepriceRequest) -> Response:
    """Begin to compute the costs of a time range under another price list, or to show what that would change.

    What spans reported themselves stays what holds. It runs in the background, one at a time; ask for it by its `id`.
    """
    window = Window.of(wanted.start, wanted.end, context.clock())
    try:
        prices = context.prices if wanted.prices is None else PriceBook(parse_price_file(wanted.prices))
    except PriceFileError as error:
        return problem(request, 400, "bad-request", str(error))
    try:
        job = _jobs(request).start(wanted.project, window, prices, apply=wanted.apply)
    except BusyError as error:
        return problem(request, 409, "busy", str(error))
    answer = json_answer(job)
    answer.status_code = 202
    return answer


@router.get("/reprice/{job}", response_model=Reprice, responses=problems(404), summary="How far a repricing is")
@of_all_projects
def show(request: Request, job: Annotated[str, Path(description="As the start answered.", max_length=64)]) -> Response:
    """What it found so far. The last 20 are known, until the collector stops."""
    found = _jobs(request).get(job)
    if found is None:
        raise NotFoundError(f"There is no repricing {job} here; a collector forgets them when it stops.")
    return json_answer(found)


def _jobs(request: Request) -> RepriceJobs:
    jobs: RepriceJobs = request.app.state.reprice
    return jobs
