"""Silences: stretches of time in which nobody is told."""

from typing import Annotated

from fastapi import Path, Request, Response

from spanwise_collector.alerts.silences import SilenceError
from spanwise_collector.api.alerting import AlertingIn
from spanwise_collector.api.answers import json_answer
from spanwise_collector.api.guard import guarded_router
from spanwise_collector.api.parameters import Project, problems
from spanwise_collector.api.problems import NotFoundError, problem
from spanwise_schemas.api_alerts import Silence, Silences

router = guarded_router(prefix="/api/v1/silences", tags=["Alerts"])


@router.get("", response_model=Silences, responses=problems(422, 503, 504), summary="List silences")
def silences(alerting: AlertingIn, project: Project = "default") -> Response:
    """Silences that hold or will hold, and those of the last seven days."""
    return json_answer(Silences(items=alerting.silences.shown(project)))


@router.post("", response_model=Silence, status_code=201, responses=problems(400, 422, 503), summary="Silence alerts")
def add(request: Request, alerting: AlertingIn, wanted: Silence, project: Project = "default") -> Response:
    """Keep alerts that fit, but tell nobody, from `starts_at` to `ends_at`; what still fires then is told then."""
    try:
        made = alerting.silences.add(wanted.model_copy(update={"project": project}))
    except SilenceError as error:
        return problem(request, 400, "bad-request", str(error))
    return json_answer(made, 201)


@router.delete("/{silence_id}", status_code=204, responses=problems(404, 422, 503), summary="End a silence")
def end(
    alerting: AlertingIn,
    silence_id: Annotated[str, Path(description="Id of a silence.", max_length=100)],
    project: Project = "default",
) -> Response:
    """End a silence before its time."""
    if alerting.silences.end(project, silence_id) is None:
        raise NotFoundError(f"There is no silence {silence_id} in the project {project}.")
    return Response(status_code=204)
