"""The list of issues."""

from dataclasses import replace
from typing import Final

from spanwise_dashboard.components.table import Cell, Column, Row, table
from spanwise_dashboard.context import Context, href
from spanwise_dashboard.format import ago, clock, compact, count, money, money_in_brief
from spanwise_dashboard.state import State
from spanwise_dashboard.views.failures_words import class_badge, moved, news, several, state_badge
from spanwise_schemas.api_failures import Issue, IssuePage

COLUMNS: Final = (
    Column("Failure", wrap=True),
    Column("Course", width="118px", hide=420, help="Failures over the time range, oldest at the left"),
    Column("Count", "right", width="112px", help="Failures; against the time range before where that is beyond chance"),
    Column("Users", "right", width="66px", hide=620, help="Users who had it"),
    Column("Cost", "right", width="86px", hide=860, help="What the failing calls cost"),
    Column("Last seen", "right", width="118px", hide=600),
)


def issues_table(context: Context, found: IssuePage) -> None:
    """Draws the list; a line opens its issue."""
    rows = [row(context, issue) for issue in found.items]
    clicked = table("Issues", COLUMNS, rows, key="issues", empty="")
    if clicked is not None and clicked.action == "row":
        context.switch("failures", opened(context.state(), clicked.value))


def opened(state: State, issue_id: str) -> State:
    """The page with an issue open."""
    return replace(state, failures=replace(state.failures, issue_id=issue_id))


def row(context: Context, issue: Issue) -> Row:
    """An issue in one line."""
    now = context.now()
    seen = f"{clock(issue.first_seen, context.zone, now)} to {clock(issue.last_seen, context.zone, now)}"
    badges = (
        class_badge(issue.failure_class, issue.failure_sub),
        *news(issue),
        *state_badge(issue, context.zone, now),
    )
    cells = (
        Cell(issue.title, sub=where(issue), badges=badges),
        Cell(trend=tuple(issue.trend), title=f"{count(issue.count)}, {count(issue.previous_count)} before"),
        Cell(compact(issue.count), change=moved(issue), title=count(issue.count)),
        Cell(count(issue.users)),
        Cell(money_in_brief(issue.cost_nanousd), title=money(issue.cost_nanousd)),
        Cell(ago(issue.last_seen, now), sub=f"first {ago(issue.first_seen, now)}", title=seen),
    )
    return Row(issue.issue_id, cells, href=href("failures", opened(context.state(), issue.issue_id)))


def where(issue: Issue) -> str:
    """Which spans, models and releases: `answer_question · gpt-4o · releases 2026.11.3, 2026.11.4`."""
    releases = several(issue.releases)
    label = "release" if len(issue.releases) == 1 else "releases"
    parts = (issue.name, several(issue.models), f"{label} {releases}" if releases else "")
    return " · ".join(part for part in parts if part)
