"""One trace: its totals, its tree and waterfall, and the span that is selected."""

from dataclasses import replace

import streamlit as st

from spanwise_dashboard import remembered
from spanwise_dashboard.components.facts import Fact, heading
from spanwise_dashboard.components.table import Badge
from spanwise_dashboard.components.waterfall import waterfall
from spanwise_dashboard.context import Context, address, go, href, shared
from spanwise_dashboard.controls import refresh_seconds
from spanwise_dashboard.format import compact, count, duration, money, plural, timestamp
from spanwise_dashboard.notices import explained
from spanwise_dashboard.state import State, query
from spanwise_dashboard.tree import Row, first_error, rows
from spanwise_dashboard.views.scores import scores_table
from spanwise_dashboard.views.span import span_panel
from spanwise_schemas.api import TraceDetail, TraceSummary


def page(context: Context) -> None:
    """Draws the page."""
    state = context.state()
    back = query(replace(state, trace_id="", span_id=""))
    st.page_link(context.pages["traces"], label="Traces", icon=":material/arrow_back:", query_params=back)
    if not state.trace_id:
        st.subheader("No trace is chosen", anchor=False)
        st.markdown("Open one from the list of traces.")
        return
    st.fragment(_body, run_every=refresh_seconds())(context, state.trace_id)


def badges(summary: TraceSummary) -> list[Badge]:
    """The trace's state in words."""
    found = [Badge("failed", "bad")] if summary.status == "error" else []
    if summary.status != "error" and summary.name:
        found = [Badge("succeeded", "good")]
    if summary.errors:
        found = [*found, Badge(plural(summary.errors, "failed span"), "bad" if summary.status == "error" else "warn")]
    return [*found, *(Badge(tag) for tag in summary.tags)]


def facts(context: Context, summary: TraceSummary) -> list[Fact]:
    """What is to be known at a glance."""
    place = shared(context.state())
    tokens = f"{compact(summary.input_tokens)} in, {compact(summary.output_tokens)} out"
    exact = f"{count(summary.input_tokens)} input, {count(summary.output_tokens)} output"
    unpriced = plural(summary.unpriced_calls, "call") + " without a known price left out"
    return [
        Fact("Started", timestamp(summary.start_time, context.zone)),
        Fact("Duration", duration(summary.duration_ms)),
        Fact("Cost", money(summary.cost_nanousd), title=unpriced if summary.unpriced_calls else ""),
        *([Fact("", unpriced, tone="warn")] if summary.unpriced_calls else []),
        Fact("Tokens", tokens, title=exact),
        Fact("Spans", count(summary.spans)),
        Fact("Model calls", count(summary.llm_calls)),
        *(
            Fact(label, value, href=href("traces", place.only(**{name: value})), action=name, value=value)
            for label, name, value in (("User", "user", summary.user_id), ("Session", "session", summary.session_id))
            if value
        ),
        *([Fact("Environment", summary.environment)] if summary.environment else []),
        *([Fact("Release", summary.release)] if summary.release else []),
        Fact("Trace", summary.trace_id, mono=True),
    ]


def first_selected(tree: list[Row], wanted: str) -> str:
    """The span to open with: the one in the address, else the first failure, else the root."""
    if any(row.span.span_id == wanted for row in tree):
        return wanted
    found = first_error(tree) or (tree[0] if tree else None)
    return found.span.span_id if found else ""


def _heading(context: Context, summary: TraceSummary) -> None:
    title = summary.name or "(the root span has not arrived)"
    clicked = heading(title, badges(summary), facts(context, summary), key="trace-heading")
    if clicked is not None:
        context.switch("traces", shared(context.state()).only(**{clicked.action: clicked.value}))


def _body(context: Context, trace_id: str) -> None:
    with explained():
        with st.spinner("Reading the trace …"):
            detail = remembered.trace(context.client, context.project, trace_id)
        _heading(context, detail.summary)
        if detail.truncated:
            st.warning(
                f"The trace is larger than what one page shows: these are its first {count(len(detail.spans))} spans."
            )
        _tree_and_span(context, detail)


def _tree_and_span(context: Context, detail: TraceDetail) -> None:
    summary = detail.summary
    tree = rows(detail.spans)
    # What the page opened with stays, so that the tree is sent to the browser once and not on every click.
    opened: dict[str, str] = st.session_state.setdefault("opened-with", {})
    first = opened.get(summary.trace_id) or first_selected(tree, context.state().span_id)
    opened.clear()
    opened[summary.trace_id] = first
    with st.container(key="trace-grid"):
        with st.container(key="trace-tree"):
            selected = waterfall(summary.trace_id, tree, summary.duration_ms, first) or first
            own = [score for score in detail.scores if score.target != "span"]
            if own:
                st.subheader("Scores of the trace", anchor=False)
                scores_table(own, context.zone, key="trace-scores")
        _remember(address(), selected)
        with st.container(key="trace-span"), explained():
            if selected:
                with st.spinner("Reading the span …"):
                    span = remembered.span(context.client, context.project, summary.trace_id, selected)
                span_panel(context, span)
            else:
                st.markdown("This trace has no spans yet.")


def _remember(state: State, selected: str) -> None:
    if state.span_id != selected:
        go(replace(state, span_id=selected))
