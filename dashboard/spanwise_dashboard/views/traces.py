"""The list of traces with its filters."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import streamlit as st

from spanwise_dashboard import remembered
from spanwise_dashboard.components.table import Badge, Cell, Column, Row, table
from spanwise_dashboard.context import Context, address, go, href
from spanwise_dashboard.controls import refresh_seconds, title_bar
from spanwise_dashboard.format import clock, compact, count, duration, money, money_in_brief, plural
from spanwise_dashboard.messages import gist
from spanwise_dashboard.notices import explained, first_trace
from spanwise_dashboard.state import Filters, TimeRange
from spanwise_dashboard.views.filters import filter_bar, reset
from spanwise_dashboard.views.pager import pager
from spanwise_schemas.api import TraceSummary

PAGE_SIZE = 50
COLUMNS = (
    Column("Trace"),
    Column("Started", width="126px"),
    Column("Duration", "right", width="88px"),
    Column("Cost", "right", width="100px"),
    Column("Tokens", "right", width="84px", hide=640),
    Column("Spans", "right", width="68px", hide=760),
    Column("Model", width="150px", hide=740),
    Column("User", width="130px", hide=880),
    Column("Environment", width="104px", hide=1000),
    Column("Tags", width="140px", hide=1240),
)


def page(context: Context) -> None:
    """Draws the page."""
    with explained():
        state = context.state()
        known = remembered.projects(context.client)
        facets = remembered.facets(context.client, context.project, state.time, context.now())
        title_bar(context, "Traces")
        if not known.items:
            first_trace()
            return
        filter_bar(state.filters, facets)
        st.fragment(_body, run_every=refresh_seconds())(context)


def rows(context: Context, traces: Sequence[TraceSummary], now: datetime) -> list[Row]:
    """Lines of the table."""
    return [_row(context, trace, now) for trace in traces]


def _body(context: Context) -> None:
    with explained():
        state = context.state()
        start, end = context.window()
        with st.spinner("Searching …"):
            found = context.client.traces(
                context.project, start, end, state.filters, limit=PAGE_SIZE, cursor=state.cursor
            )
        if not found.items:
            _nothing(state.filters, state.time)
            return
        clicked = table("Traces", COLUMNS, rows(context, found.items, context.now()), key="table-traces", empty="")
        pager(len(found.items), "trace", found.next_cursor)
    if clicked is not None:
        match clicked.action:
            case "row":
                context.switch("trace", replace(context.state().on_trace(clicked.value), cursor=""))
            case "user" | "session":
                go(replace(address(), cursor="").filtered(**{clicked.action: clicked.value}))
                st.rerun()


def _row(context: Context, trace: TraceSummary, now: datetime) -> Row:
    state = context.state()
    failed = trace.status == "error"
    badges = (Badge("failed", "bad"),) if failed else ()
    if trace.errors and not failed:
        badges = (
            Badge(plural(trace.errors, "error"), "warn", f"{plural(trace.errors, 'span')} failed, the trace did not"),
        )
    models = trace.models[0] + (f" +{len(trace.models) - 1}" if len(trace.models) > 1 else "") if trace.models else ""
    partial = f", {plural(trace.unpriced_calls, 'call')} without a known price left out" if trace.unpriced_calls else ""
    cost = money_in_brief(trace.cost_nanousd) + ("+" if trace.unpriced_calls and trace.cost_nanousd is not None else "")
    by_user = href("traces", state.filtered(user=trace.user_id)) if trace.user_id else ""
    cells = (
        Cell(
            trace.name or "(root has not arrived)",
            sub=gist(trace.input_preview) or trace.trace_id,
            dot="bad" if failed else "good" if trace.name else "",
            title=trace.input_preview or trace.trace_id,
            badges=badges,
        ),
        Cell(clock(trace.start_time, context.zone, now), title=trace.start_time.isoformat()),
        Cell(duration(trace.duration_ms)),
        Cell(cost, title=money(trace.cost_nanousd) + partial),
        Cell(compact(trace.input_tokens + trace.output_tokens), title=_tokens(trace)),
        Cell(compact(trace.spans), title=f"{plural(trace.spans, 'span')}, {plural(trace.llm_calls, 'model call')}"),
        Cell(models, title=", ".join(trace.models)),
        Cell(trace.user_id, href=by_user, action="user", value=trace.user_id),
        Cell(trace.environment),
        Cell(badges=tuple(Badge(tag) for tag in trace.tags)),
    )
    target = replace(state.on_trace(trace.trace_id), cursor="")
    return Row(trace.trace_id, cells, href=href("trace", target))


def _tokens(trace: TraceSummary) -> str:
    return f"{count(trace.input_tokens)} input, {count(trace.output_tokens)} output"


def _nothing(filters: Filters, time: TimeRange) -> None:
    with st.container(border=True):
        st.subheader("No trace matches", anchor=False)
        wider = time.wider()
        if filters.active:
            st.markdown(f"{plural(len(filters.active), 'filter')} and the time range leave nothing over.")
        else:
            st.markdown("Nothing started in this time range.")
        with st.container(horizontal=True):
            if wider is not None:
                st.button("Widen the time range", icon=":material/zoom_out_map:", on_click=_widen, args=(wider,))
            if filters.active:
                st.button("Reset the filters", icon=":material/filter_alt_off:", on_click=reset)


def _widen(time: TimeRange) -> None:
    go(replace(address(), time=time, cursor=""))
