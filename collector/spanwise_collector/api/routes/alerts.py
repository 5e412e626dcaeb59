"""Alerts: what fires and what did, with evidence; people take them."""

from datetime import timedelta
from typing import Annotated, Final

from fastapi import Path, Query, Response

from spanwise_collector.alerts.acks import acknowledged_notice
from spanwise_collector.alerts.alerts_query import AlertFilter
from spanwise_collector.api.alerting import AlertingIn
from spanwise_collector.api.answers import json_answer
from spanwise_collector.api.context import In
from spanwise_collector.api.guard import guarded_router
from spanwise_collector.api.parameters import From, Project, To, problems
from spanwise_collector.api.problems import NotFoundError
from spanwise_collector.query.window import Window
from spanwise_schemas.api_alerts import Acknowledge, Alert, AlertDetail, AlertPage, AlertState

router = guarded_router(prefix="/api/v1/alerts", tags=["Alerts"])

DEFAULT_WINDOW: Final = timedelta(days=30)
AlertId = Annotated[str, Path(description="Id of an alert, 16 hex digits.", pattern="^[0-9a-fA-F]{16}$")]


@router.get("", response_model=AlertPage, responses=problems(400, 422, 503, 504), summary="List alerts")
def alerts(
    context: In,
    alerting: AlertingIn,
    project: Project = "default",
    state: Annotated[
        tuple[AlertState, ...],
        Query(description="State; repeat for alternatives. Default: all but `inactive`, which never fired."),
    ] = (),
    rule: Annotated[tuple[str, ...], Query(description="Id of a rule; repeat for alternatives.", max_length=100)] = (),
    start: From = None,
    end: To = None,
    limit: Annotated[int, Query(description="Alerts on a page.", ge=1, le=200)] = 50,
    cursor: Annotated[str, Query(description="`next_cursor` of the page before.", max_length=100)] = "",
) -> Response:
    """Alerts that were not over before the time range and had begun by its end, those that began last first.

    The range begins 30 days before `to` where `from` is not given. `firing` and `pending` count what stands so now.
    """
    now = context.clock()
    window = Window.of(start or (end or now) - DEFAULT_WINDOW, end, now)
    wanted = AlertFilter(project, state, tuple(filter(None, rule)), window.start, window.end)
    return json_answer(alerting.alerts.page(wanted, now, limit=limit, cursor=cursor))


@router.get("/{alert_id}", response_model=AlertDetail, responses=problems(404, 422, 503, 504), summary="Get an alert")
def alert(context: In, alerting: AlertingIn, alert_id: AlertId, project: Project = "default") -> Response:
    """One alert: evidence, chart, what changed, its history, and what was sent."""
    return json_answer(_found(context, alerting, alert_id, project))


@router.post(
    "/{alert_id}/acknowledge", response_model=Alert, responses=problems(404, 422, 503), summary="Acknowledge an alert"
)
def acknowledge(
    context: In, alerting: AlertingIn, alert_id: AlertId, said: Acknowledge, project: Project = "default"
) -> Response:
    """A person takes the alert: it is not repeated any more, and pagers are told.

    With `expected` the change is wanted: the alert ends at the next evaluation, and what is usual begins anew where the
    change began.
    """
    found = _found(context, alerting, alert_id, project).alert
    taken = alerting.acks.acknowledge(found, said)
    owned = alerting.rules.get(project, found.rule_id)
    alerting.outbox.enqueue(acknowledged_notice(taken, said, owned.rule.channels if owned else (), context.clock()))
    return json_answer(taken)


def _found(context: In, alerting: AlertingIn, alert_id: str, project: str) -> AlertDetail:
    found = alerting.alerts.detail(project, int(alert_id, 16), context.clock())
    if found is None:
        raise NotFoundError(f"There is no alert {alert_id} in the project {project}.")
    return found
