"""One issue: what it means, how it went, where it happens, examples, and what is grouped in it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

import streamlit as st

from spanwise_dashboard.components import charts
from spanwise_dashboard.components.facts import Fact, heading
from spanwise_dashboard.components.lines import lines
from spanwise_dashboard.components.table import Badge, Cell, Column, Row, table
from spanwise_dashboard.context import Context, address, go, href, shared
from spanwise_dashboard.failures_api import FailuresApi
from spanwise_dashboard.format import ago, clock, compact, count, duration, minute, money, percent, ratio
from spanwise_dashboard.messages import gist
from spanwise_dashboard.notices import explained
from spanwise_dashboard.state import TimeRange
from spanwise_dashboard.views.failures_actions import actions, split
from spanwise_dashboard.views.failures_words import (
    HOW,
    class_badge,
    class_words,
    moved,
    news,
    said_of,
    several,
    state_badge,
)
from spanwise_dashboard.views.what_changed_rows import DIMENSIONS
from spanwise_schemas.api_failures import Counted, FailureExample, Fingerprint, Issue, IssueDetail

_EXAMPLE_COLUMNS: Final = (
    Column("Failure"),
    Column("Model", width="150px", hide=640),
    Column("Release", width="110px", hide=760),
    Column("Environment", width="108px", hide=900),
    Column("User", width="120px", hide=900),
    Column("Took", "right", width="84px", hide=560),
    Column("Time", "right", width="130px"),
)
_PRINT_COLUMNS: Final = (
    Column("What", wrap=True),
    Column("Why it is here", width="170px", hide=640),
    Column("Count", "right", width="80px", help="In 90 days"),
    Column("First seen", "right", width="120px", hide=760),
    Column("Last seen", "right", width="120px", hide=480),
)
_DAY: Final = timedelta(days=1)


def open_issue(context: Context, issue_id: str) -> None:
    """Draws the issue."""
    with explained():
        api = FailuresApi(context.client, context.project)
        with st.spinner("Reading the failures …", show_time=False):
            found = api.issue(issue_id, context.window())
        issue, now = found.issue, context.now()
        badges = (class_badge(issue.failure_class, issue.failure_sub), *news(issue))
        heading(
            issue.title,
            (*badges, *state_badge(issue, context.zone, now), *_back(issue)),
            facts(context, issue),
            key="issue-heading",
        )
        lines([found.explanation] if found.explanation else [], key="issue-meaning")
        lines([said] if (said := said_of(issue, context.zone, now)) else [], key="issue-said", tone="muted")
        actions(context, issue)
        if not issue.count:
            _elsewhere(context, issue)
        else:
            _course(found)
            _where(found)
            _examples(context, issue, found.examples)
        _prints(context, issue, found.fingerprints)


def facts(context: Context, issue: Issue) -> list[Fact]:
    """How often, for whom, since when."""
    now, zone = context.now(), context.zone
    off = moved(issue)
    against = f" ({off.text})" if off.text else ""
    tone = off.tone if off.tone != "neutral" else ""
    return [
        Fact("Failures", f"{count(issue.count)}{against}", title=f"{count(issue.previous_count)} before", tone=tone),
        Fact("Traces", count(issue.traces)),
        Fact("Users", count(issue.users)),
        Fact("Cost", money(issue.cost_nanousd), title="What the failing calls cost"),
        Fact("First seen", minute(issue.first_seen, zone, now), title=ago(issue.first_seen, now)),
        Fact("Last seen", minute(issue.last_seen, zone, now), title=ago(issue.last_seen, now)),
        *([Fact("Span", issue.name, title=issue.kind)] if issue.name else []),
        *([Fact("Releases", several(issue.releases), title=", ".join(issue.releases))] if issue.releases else []),
    ]


def shares(found: Sequence[Counted]) -> list[Row]:
    """Values of a dimension with their part of the failures."""
    whole = sum(one.count for one in found)
    return [
        Row(
            one.value,
            (
                Cell(one.value or "(none)", tone="" if one.value else "muted"),
                Cell(compact(one.count), sub=percent(ratio(one.count, whole)), bar=one.count / whole if whole else 0.0),
            ),
        )
        for one in found
    ]


def example_row(context: Context, one: FailureExample) -> Row:
    """A failure; it opens its span."""
    text = one.message or one.title
    cells = (
        Cell(one.name or one.span_id, sub=gist(text), title=text),
        Cell(one.model),
        Cell(one.release),
        Cell(one.environment),
        Cell(one.user_id),
        Cell(duration(one.duration_ms)),
        Cell(clock(one.time, context.zone, context.now())),
    )
    place = shared(context.state()).on_trace(one.trace_id, one.span_id)
    return Row(f"{one.trace_id}/{one.span_id}", cells, href=href("trace", place))


def print_row(context: Context, one: Fingerprint) -> Row:
    """One of the fingerprints of an issue."""
    now = context.now()
    cells = (
        Cell(one.title, title=one.fingerprint),
        Cell(HOW[one.how]),
        Cell(compact(one.count), title=count(one.count)),
        Cell(minute(one.first_seen, context.zone, now)),
        Cell(minute(one.last_seen, context.zone, now)),
    )
    return Row(one.fingerprint, cells)


def _back(issue: Issue) -> tuple[Badge, ...]:
    return (Badge("open"),) if issue.state == "open" and not issue.reopened else ()


def _elsewhere(context: Context, issue: Issue) -> None:
    with st.container(border=True):
        st.subheader("It did not happen in this time range", anchor=False)
        st.markdown(f"It was last seen {ago(issue.last_seen, context.now())}.")
        time = TimeRange(start=issue.last_seen - _DAY, end=issue.last_seen + timedelta(minutes=1))
        st.button("Show the day before that", icon=":material/history:", on_click=_go, args=(time,))


def _go(time: TimeRange) -> None:
    go(replace(address(), time=time))


def _course(found: IssueDetail) -> None:
    if not found.times:
        return
    window = (found.times[0], found.times[-1] + timedelta(seconds=found.step_seconds))
    line = charts.Line("failures", charts.RED, [float(each) for each in found.counts])
    chart = charts.Chart("Failures", "bars", "count", found.times, found.step_seconds, window, [line])
    with st.container(border=True, gap="xsmall"):
        st.markdown("**How often**", help="Drag over the chart to zoom into a time range.")
        zoomed = charts.draw(chart)
    if zoomed is not None:
        _go(TimeRange(start=zoomed[0], end=zoomed[1]))
        st.rerun()


def _where(found: IssueDetail) -> None:
    known = {name: values for name, values in found.by.items() if any(one.value for one in values)}
    if not known:
        return
    st.subheader("Where it happens", anchor=False)
    with st.container(key="issue-grid"):
        for name, values in known.items():
            label = DIMENSIONS.get(name, "Span" if name == "name" else name)
            columns = (Column(label), Column("Failures", "right", width="96px"))
            with st.container():
                table(label, columns, shares(values), key=f"issue-by-{name}", empty="")


def _examples(context: Context, issue: Issue, found: Sequence[FailureExample]) -> None:
    st.subheader("Examples", anchor=False, help="Spread over the time range, the newest first.")
    rows = [example_row(context, one) for one in found]
    clicked = table("Examples", _EXAMPLE_COLUMNS, rows, key="issue-examples", empty="Its spans have expired.")
    if clicked is not None and clicked.action == "row":
        trace_id, _, span_id = clicked.value.partition("/")
        context.switch("trace", shared(context.state()).on_trace(trace_id, span_id))
    words = f"Open all traces with a failure of the class {class_words(issue.failure_class)}"
    if st.button(words, icon=":material/account_tree:", key="issue-traces"):
        context.switch("traces", shared(context.state()).filtered(failure=(issue.failure_class,)))


def _prints(context: Context, issue: Issue, prints: Sequence[Fingerprint]) -> None:
    if not prints:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader("What is grouped in it", anchor=False, width="stretch")
        split(context, issue, prints)
    rows = [print_row(context, one) for one in prints]
    table("Fingerprints", _PRINT_COLUMNS, rows, key="issue-prints", empty="")
