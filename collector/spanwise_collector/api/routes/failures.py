"""Failures: issues of a window, one issue, and what people say of them."""

from typing import Annotated

from fastapi import Path, Query, Request, Response

from spanwise_collector.api.answers import json_answer
from spanwise_collector.api.context import Context, In
from spanwise_collector.api.guard import guarded_router
from spanwise_collector.api.parameters import Environments, From, Models, Names, Project, To, problems
from spanwise_collector.api.problems import NotFoundError, problem
from spanwise_collector.failures.classes import CLASSES
from spanwise_collector.failures.issue_book import IssueBook, UnknownIssueError
from spanwise_collector.query.failure_detail import get_issue
from spanwise_collector.query.failures import get_issues
from spanwise_collector.query.failures_source import FailureFilter, issue_id, issue_number
from spanwise_collector.query.window import Window
from spanwise_schemas.api_failures import (
    IssueChange,
    IssueDetail,
    IssueMerge,
    IssueOrder,
    IssuePage,
    IssueSplit,
    IssueState,
)

router = guarded_router(prefix="/api/v1/failures", tags=["Failures"])
saying = guarded_router(prefix="/api/v1/failures", tags=["Failures"])
"""Endpoints that write down what people say."""
_MEANINGS = {name: one.meaning for name, one in CLASSES.items()}
IssueId = Annotated[str, Path(description="Id of an issue, 16 hex digits.", pattern="^[0-9a-fA-F]{1,16}$")]


@router.get("", response_model=IssuePage, responses=problems(400, 422, 503, 504), summary="List issues")
def issues(
    context: In,
    project: Project = "default",
    start: From = None,
    end: To = None,
    environment: Environments = (),
    name: Names = (),
    model: Models = (),
    release: Annotated[tuple[str, ...], Query(description="Release; repeat for alternatives.", max_length=100)] = (),
    failure_class: Annotated[
        tuple[str, ...], Query(alias="class", description="Class of failure; repeat for alternatives.", max_length=100)
    ] = (),
    state: Annotated[
        tuple[IssueState, ...], Query(description="State of the issue; repeat for alternatives. Default: all.")
    ] = (),
    q: Annotated[str, Query(description="Part of the title, in any case.", max_length=200)] = "",
    order: Annotated[IssueOrder, Query(description="What comes first: the newest, most, dearest.")] = "last_seen",
    limit: Annotated[int, Query(description="Issues at most.", ge=1, le=500)] = 100,
) -> Response:
    """What failed in a time range, grouped by reason: how often, for how many users, since when, in which releases.

    A resolved issue is open again, and `reopened`, as soon as it has a failure later than that.
    """
    wanted = FailureFilter(project, environment, name, model, release, failure_class)
    window = Window.of(start, end, context.clock())
    return json_answer(
        get_issues(
            context.reader,
            wanted,
            window,
            states=state,
            text=q,
            order=order,
            limit=limit,
            timeout_s=context.timeout_s,
        )
    )


@router.get("/{issue}", response_model=IssueDetail, responses=problems(400, 404, 422, 503, 504), summary="Get an issue")
def issue(context: In, issue: IssueId, project: Project = "default", start: From = None, end: To = None) -> Response:
    """One issue: its course, examples spread over the time range, fingerprints, and where it happens."""
    return _detail(context, project, issue_number(issue), Window.of(start, end, context.clock()))


@saying.post(
    "/{issue}", response_model=IssueDetail, responses=problems(400, 404, 422, 503, 504), summary="Set an issue's state"
)
def change(request: Request, context: In, issue: IssueId, said: IssueChange, project: Project = "default") -> Response:
    """Acknowledge, resolve, ignore or open an issue, with a note."""
    number = issue_number(issue)
    try:
        _book(request).set_state(project, number, said.state, note=said.note, by=said.by)
    except UnknownIssueError as error:
        raise NotFoundError(str(error)) from error
    return _detail(context, project, number, Window.of(None, None, context.clock()))


@saying.post(
    "/{issue}/merge", response_model=IssueDetail, responses=problems(400, 404, 422, 503, 504), summary="Merge issues"
)
def merge(request: Request, context: In, issue: IssueId, said: IssueMerge, project: Project = "default") -> Response:
    """Make other issues a part of this one. Failures stay as they are; to part them again, split."""
    number = issue_number(issue)
    try:
        _book(request).merge(project, number, [issue_number(one) for one in said.issues], by=said.by)
    except UnknownIssueError as error:
        raise NotFoundError(str(error)) from error
    return _detail(context, project, number, Window.of(None, None, context.clock()))


@saying.post(
    "/{issue}/split", response_model=IssueDetail, responses=problems(400, 404, 422, 503, 504), summary="Split an issue"
)
def split(request: Request, context: In, issue: IssueId, said: IssueSplit, project: Project = "default") -> Response:
    """Make fingerprints of an issue one of their own, which is the answer."""
    try:
        made = _book(request).split(project, [issue_number(one) for one in said.fingerprints], by=said.by)
    except UnknownIssueError as error:
        raise NotFoundError(str(error)) from error
    except ValueError as error:
        return problem(request, 400, "bad-request", str(error))
    return _detail(context, project, made, Window.of(None, None, context.clock()))


def _detail(context: Context, project: str, number: int, window: Window) -> Response:
    found = get_issue(context.reader, project, number, window, _MEANINGS, timeout_s=context.timeout_s)
    if found is None:
        raise NotFoundError(
            f"There is no issue {issue_id(number)} in project {project!r}: expired, or in another project."
        )
    return json_answer(found)


def _book(request: Request) -> IssueBook:
    book: IssueBook = request.app.state.issues
    return book
