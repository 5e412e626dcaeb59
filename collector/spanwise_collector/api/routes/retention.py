"""How long what is kept of a project."""

from datetime import UTC, datetime
from typing import Any, Final

from fastapi import Request, Response

from spanwise_collector.api.answers import json_answer
from spanwise_collector.api.context import In
from spanwise_collector.api.guard import guarded_router
from spanwise_collector.api.parameters import Project, problems
from spanwise_collector.retention.policy import OWN_DAYS, TABLES, WHAT, Policy, What, days_of
from spanwise_schemas.api_retention import Kept, Retention

router = guarded_router(prefix="/api/v1/retention", tags=["Erasures"])
_EPOCH: Final = datetime(1970, 1, 2, tzinfo=UTC)


@router.get("", response_model=Retention, responses=problems(422, 503, 504), summary="Show how long what is kept")
def retention(request: Request, context: In, project: Project = "default") -> Response:
    """Days by part of what is stored, what says so, and how old the oldest row is."""
    policies: tuple[Policy, ...] = request.app.state.retention()
    items = []
    for what in WHAT:
        said, own = days_of(policies, project, what), _own(what, context.retention_days)
        days = min((one for one in (said, own) if one), default=None)
        set_by: Any = "file" if said and days == said else "setting" if what == "spans" else "tables"
        oldest = min(filter(None, (_oldest(context, project, *one) for one in TABLES[what].items())), default=None)
        items.append(Kept(what=what, days=days, set_by=set_by, tables=list(TABLES[what]), oldest=oldest))
    return json_answer(Retention(project=project, items=items))


def _own(what: What, retention_days: int) -> int | None:
    return retention_days if what == "spans" else OWN_DAYS[what]


def _oldest(context: In, project: str, table: str, column: str) -> datetime | None:
    found = context.reader.query(
        f"SELECT min({column}) FROM {table} WHERE project_id = {{project:String}}",  # noqa: S608 - names of ours
        {"project": project},
        timeout_s=context.timeout_s,
    ).rows[0][0]
    time: datetime = found.replace(tzinfo=UTC)
    return time if time >= _EPOCH else None
