"""What scheduled exports wrote."""

from typing import Annotated

from fastapi import Query, Response

from spanwise_collector.api.answers import json_answer
from spanwise_collector.api.context import In
from spanwise_collector.api.guard import guarded_router
from spanwise_collector.api.parameters import Project, problems
from spanwise_collector.exports.runs import listed
from spanwise_schemas.api_exports import ExportRunPage

router = guarded_router(prefix="/api/v1/exports", tags=["Datasets"])


@router.get("", response_model=ExportRunPage, responses=problems(422, 503, 504), summary="List exported files")
def exports(
    context: In,
    project: Project = "default",
    name: Annotated[str, Query(description="Of this export only.", max_length=64)] = "",
    limit: Annotated[int, Query(description="At most so many, the newest first.", ge=1, le=1_000)] = 100,
) -> Response:
    """Files that scheduled exports have written or could not write, the newest first."""
    return json_answer(ExportRunPage(items=listed(context.reader, project, name, limit=limit)))
