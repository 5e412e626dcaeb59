"""Alert rules: what there is and how it stands, storing, checking, and trying them on history."""

import threading
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Final

from fastapi import Path, Query, Request, Response

from spanwise_collector.alerts.drafts import Drafted, DraftError, one_rule, read_draft
from spanwise_collector.alerts.evaluate.base import RuleError
from spanwise_collector.alerts.rules_query import NEVER, rule_info, standings
from spanwise_collector.alerts.rules_store import InFileError
from spanwise_collector.api.alerting import AlertingIn
from spanwise_collector.api.answers import json_answer
from spanwise_collector.api.context import In
from spanwise_collector.api.guard import guarded_router, needs
from spanwise_collector.api.parameters import From, Project, To, problems
from spanwise_collector.api.problems import NotFoundError, problem
from spanwise_collector.query.values import time_of
from spanwise_collector.query.window import Window, WindowError, micros_of
from spanwise_schemas.api_alerts import BackTest, RuleCheck, RuleDraft, RuleInfo, RulePage, RuleProblem

router = guarded_router(prefix="/api/v1/rules", tags=["Alerts"])

LONGEST_BACK_TEST: Final = timedelta(days=90)
BACK_TESTS: Final = threading.BoundedSemaphore(2)
"""So many back-tests run at a time; each may read months of history."""
RuleId = Annotated[str, Path(description="Id of a rule.", max_length=100)]


@router.get("", response_model=RulePage, responses=problems(422, 503, 504), summary="List rules")
def rules(context: In, alerting: AlertingIn, project: Project = "default") -> Response:
    """All rules of a project: of the alerts file, of this API, and built in; how each stands, and who evaluates."""
    stand = standings(context.reader, project, timeout_s=context.timeout_s)
    items = [rule_info(owned, stand.get(owned.rule.id, NEVER)) for owned in alerting.rules.of(project)]
    times = [item.last_evaluated for item in items if item.last_evaluated]
    return json_answer(RulePage(items=items, evaluator=alerting.evaluator(), last_round=max(times, default=None)))


@router.get("/{rule_id}", response_model=RuleInfo, responses=problems(404, 422, 503, 504), summary="Get a rule")
def rule(context: In, alerting: AlertingIn, rule_id: RuleId, project: Project = "default") -> Response:
    """One rule and how it stands."""
    owned = alerting.rules.get(project, rule_id)
    if owned is None:
        raise NotFoundError(f"There is no rule {rule_id} in the project {project}.")
    stand = standings(context.reader, project, timeout_s=context.timeout_s)
    return json_answer(rule_info(owned, stand.get(rule_id, NEVER)))


@router.put("/{rule_id}", response_model=RuleInfo, responses=problems(400, 409, 422, 503), summary="Store a rule")
def put(
    request: Request, context: In, alerting: AlertingIn, rule_id: RuleId, draft: RuleDraft, project: Project = "default"
) -> Response:
    """Store a rule or another version of it; it holds from the next evaluation on.

    Rules of the alerts file are changed there: 409. A rule with the id of a built-in one takes its place.
    """
    if draft.rule is not None:
        draft = draft.model_copy(update={"rule": {"id": rule_id, **draft.rule}})
    try:
        wanted = one_rule(draft, project, alerting.channels)
        if (wanted.rule.project, wanted.rule.id) != (project, rule_id):
            detail = f"it is {wanted.rule.id} of {wanted.rule.project} here, and {rule_id} of {project} in the address"
            raise DraftError([RuleProblem(rule=wanted.rule.id, field="id", detail=detail)])
        stored = alerting.rules.put(wanted.rule, wanted.written, draft.by)
    except DraftError as error:
        return _refused(request, error)
    except InFileError as error:
        return problem(request, 409, "in-file", str(error))
    stand = standings(context.reader, project, timeout_s=context.timeout_s)
    return json_answer(rule_info(stored, stand.get(rule_id, NEVER)))


@router.delete("/{rule_id}", status_code=204, responses=problems(404, 409, 422, 503), summary="Delete a rule")
def delete(request: Request, alerting: AlertingIn, rule_id: RuleId, project: Project = "default") -> Response:
    """Delete a rule of this API; its alerts end. A built-in rule whose place it took holds again."""
    try:
        if not alerting.rules.delete(project, rule_id):
            raise NotFoundError(f"This API has stored no rule {rule_id} in the project {project}.")
    except InFileError as error:
        return problem(request, 409, "in-file", str(error))
    return Response(status_code=204)


@router.post("/check", response_model=RuleCheck, responses=problems(422), summary="Check rules")
@needs("read")
def check(alerting: AlertingIn, draft: RuleDraft, project: Project = "default") -> Response:
    """Whether rules can be used, and everything that is wrong with them; nothing is stored."""
    found, wrong = read_draft(draft, project, alerting.channels)
    return json_answer(RuleCheck(rules=len(found), problems=wrong))


@router.post(
    "/back-test", response_model=BackTest, responses=problems(400, 404, 409, 422, 503, 504), summary="Try a rule"
)
@needs("read")
def back_test(
    request: Request,
    context: In,
    alerting: AlertingIn,
    draft: RuleDraft,
    project: Project = "default",
    start: From = None,
    end: To = None,
    rule: Annotated[
        str, Query(description="Which rule of the draft; of the stored ones, where the draft is empty.", max_length=100)
    ] = "",
) -> Response:
    """When a rule would have fired in a time range of at most 90 days; nothing is stored and nobody is told."""
    window = _window(start, end, context.clock())
    try:
        wanted = _wanted(draft, project, rule, alerting)
        if not BACK_TESTS.acquire(blocking=False):
            return problem(request, 409, "busy", "Other back-tests are under way; try again when they have ended.")
        try:
            done = alerting.back_test(wanted.rule, time_of(window.start), time_of(window.end))
        finally:
            BACK_TESTS.release()
    except DraftError as error:
        return _refused(request, error)
    except RuleError as error:
        return problem(request, 400, "bad-request", f"{wanted.rule.id}: {error}")
    return json_answer(done)


def _window(start: datetime | None, end: datetime | None, now: datetime) -> Window:
    window = Window.of(start, end, now)
    if window.length > micros_of(LONGEST_BACK_TEST):
        raise WindowError(f"a back-test may cover {LONGEST_BACK_TEST.days} days; bring `from` and `to` closer")
    return window


def _wanted(draft: RuleDraft, project: str, rule_id: str, alerting: AlertingIn) -> Drafted:
    if draft.rule is not None or draft.toml:
        drafted = one_rule(draft, project, alerting.channels, rule_id)
        if drafted.rule.project != project:
            detail = f"it is {drafted.rule.project} in the draft, and {project} in the address"
            raise DraftError([RuleProblem(rule=drafted.rule.id, field="project", detail=detail)])
        return drafted
    stored = alerting.rules.get(project, rule_id)
    if stored is None:
        raise NotFoundError(f"There is no rule {rule_id or '(no id given)'} in the project {project}.")
    return Drafted(stored.rule, stored.written)


def _refused(request: Request, error: DraftError) -> Response:
    return problem(request, 400, "bad-rule", str(error), _lines(error.problems))


def _lines(found: Sequence[RuleProblem]) -> list[dict[str, str]]:
    return [{"parameter": ".".join(filter(None, (one.rule, one.field))), "detail": one.detail} for one in found]
