"""Drift: the digest of a day."""

from collections.abc import Callable
from datetime import date
from typing import Annotated, Final

from fastapi import Query, Request, Response

from spanwise_collector.api.answers import json_answer
from spanwise_collector.api.context import In
from spanwise_collector.api.guard import guarded_router
from spanwise_collector.api.parameters import Project, problems
from spanwise_collector.drift.digest import Texts, days_with_data, digest, last_whole_day
from spanwise_collector.drift.digests import SETTLED_AFTER
from spanwise_collector.drift.reports import stored_report
from spanwise_schemas.api_drift import DriftReport

FIRST_DAY: Final = date(2000, 1, 2)
LAST_DAY: Final = date(2099, 12, 31)
"""What ClickHouse and the time ranges of questions can hold."""
router = guarded_router(prefix="/api/v1", tags=["Drift"])


@router.get(
    "/drift", response_model=DriftReport, responses=problems(400, 422, 503, 504), summary="Get the digest of a day"
)
def drift(
    request: Request,
    context: In,
    project: Project = "default",
    day: Annotated[
        date | None, Query(description="A day, UTC. Default: the last that is over.", ge=FIRST_DAY, le=LAST_DAY)
    ] = None,
) -> Response:
    """What is different from the weeks before, tested as a whole so that few findings are false.

    The digest of a day that has none yet is made now, which takes some seconds, and is kept once the day is over.
    """
    now = context.clock()
    wanted = day or last_whole_day(now)
    found = stored_report(context.reader, project, wanted, timeout_s=context.timeout_s)
    if found is None:
        texts: Texts | None = getattr(request.app.state, "texts", None)
        found = digest(context.reader, project, wanted, texts)
        keep: Callable[[DriftReport], None] | None = getattr(request.app.state, "keep_report", None)
        if keep is not None and wanted <= last_whole_day(now - SETTLED_AFTER):
            keep(found)
    days = days_with_data(context.reader, project, int(now.timestamp()) // 86_400 * 86_400)
    return json_answer(found.model_copy(update={"days": days}))
