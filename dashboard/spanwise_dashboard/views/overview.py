"""How the application does: totals, charts over time, models and names, against the window before."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime

import streamlit as st

from spanwise_dashboard import remembered
from spanwise_dashboard.components import charts
from spanwise_dashboard.context import Context, address, go
from spanwise_dashboard.controls import refresh_seconds, title_bar
from spanwise_dashboard.format import (
    NO_CHANGE,
    Change,
    change,
    compact,
    count,
    duration,
    money,
    percent,
    plural,
    points,
    ratio,
)
from spanwise_dashboard.notices import explained, first_trace
from spanwise_dashboard.state import Filters, State, TimeRange
from spanwise_dashboard.views.overview_groups import by_model, by_name, comparable
from spanwise_schemas.api import GroupBy, Metric, MetricSeries, Overview, Totals

_PARALLEL = 4
"""Requests to the collector at a time: its readers."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One number at the top of the page."""

    label: str
    value: str
    change: Change
    help: str


def page(context: Context) -> None:
    """Draws the page."""
    with explained():
        known = remembered.projects(context.client)
        environments = remembered.facets(context.client, context.project, context.state().time, context.now())
        title_bar(context, "Overview", environments=environments.environments)
        if not known.items:
            first_trace()
            return
        st.fragment(_body, run_every=refresh_seconds())(context)


def figures(overview: Overview) -> list[Figure]:
    """The numbers at the top, with their change against the window before where that can be compared."""
    found = _figures_compared(overview)
    if comparable(overview.current.requests, overview.previous.requests):
        return found
    return [replace(figure, change=NO_CHANGE) for figure in found]


def not_compared(overview: Overview) -> str:
    """Says why there are no changes to see; empty where there are."""
    now, before = overview.current.requests, overview.previous.requests
    if comparable(now, before):
        return ""
    held = f"holds {plural(before, 'request')}" if before else "holds no requests"
    return f"The window before {held}: too little to compare with."


def _figures_compared(overview: Overview) -> list[Figure]:
    now, before = overview.current, overview.previous
    rate, rate_before = ratio(now.errors, now.requests), ratio(before.errors, before.requests)
    tokens, tokens_before = (totals.usage.input + totals.usage.output for totals in (now, before))
    cost = change(now.cost_nanousd, before.cost_nanousd, "down")
    return [
        Figure("Requests", compact(now.requests), change(now.requests, before.requests), _requests_help(now)),
        Figure("Error rate", percent(rate), points(rate, rate_before, "down"), f"{count(now.errors)} requests failed."),
        *(_latency(now, before, name) for name in ("p50", "p95", "p99")),
        Figure("Tokens", compact(tokens), change(tokens, tokens_before), _tokens_help(now)),
        Figure("Cost", money(now.cost_nanousd), cost, _cost_help(now)),
        Figure("Users", compact(now.users), change(now.users, before.users, "up"), "Distinct users, within about 2%."),
    ]


def unpriced(totals: Totals) -> str:
    """Says that the cost is not the whole cost; empty when it is."""
    if not totals.unpriced_calls:
        return ""
    calls = plural(totals.unpriced_calls, "model call")
    verb = "has" if totals.unpriced_calls == 1 else "have"
    return (
        f"{calls} of {count(totals.llm_calls)} {verb} no known price and are left out of the cost. "
        "Add the model to the file that SPANWISE_PRICES_FILE names."
    )


def _requests_help(totals: Totals) -> str:
    return f"{count(totals.requests)} traces started, with {count(totals.llm_calls)} model calls."


def _tokens_help(totals: Totals) -> str:
    usage = totals.usage
    return f"{count(usage.input)} input (of which {count(usage.cache_read)} from cache), {count(usage.output)} output."


def _cost_help(totals: Totals) -> str:
    if totals.cost_nanousd is None:
        return "No model call in this window has a known price."
    return "Sum over the model calls whose price is known."


def _latency(now: Totals, before: Totals, name: str) -> Figure:
    current, previous = getattr(now, f"latency_ms_{name}"), getattr(before, f"latency_ms_{name}")
    text = f"{name[1:]}% of the requests took at most this long, within 1%."
    return Figure(f"{name} latency", duration(current), change(current, previous, "down"), text)


def _body(context: Context) -> None:
    with explained():
        state = context.state()
        start, end = context.window()
        with st.spinner("Adding up …", show_time=False), ThreadPoolExecutor(2) as pool:
            later = pool.submit(context.client.costs_by, context.project, start, end, state.filters, "request")
            overview = context.client.overview(context.project, start, end, state.filters)
            by_request = later.result()
        figures_row(figures(overview))
        if note := unpriced(overview.current):
            st.caption(f":material/info: {note}")
        if note := not_compared(overview):
            st.caption(f":material/info: {note}")
        if not overview.current.requests and not overview.current.llm_calls:
            _quiet(state)
        else:
            _charts(context, state.filters, start, end)
        with st.container():
            compared = not not_compared(overview)
            by_model(context, overview.by_model, compared)
            by_name(context, overview.by_name, {group.key: group for group in by_request.groups}, compared)


def figures_row(found: Sequence[Figure]) -> None:
    """Draws numbers side by side."""
    colours = {"good": "green", "bad": "red", "neutral": "gray"}
    with st.container(key="kpis"):
        for figure in found:
            st.metric(
                figure.label,
                figure.value,
                figure.change.text or None,
                delta_color=colours[figure.change.tone],  # type: ignore[arg-type]
                delta_arrow="up" if figure.change.rising else "down",
                help=figure.help,
                border=True,
            )


def _quiet(state: State) -> None:
    with st.container(border=True):
        st.subheader("No requests in this time range", anchor=False)
        st.markdown("Data arrived at other times, or the filters leave nothing over.")
        wider = state.time.wider()
        if wider is not None:
            st.button("Widen the time range", icon=":material/zoom_out_map:", on_click=_go, args=(wider,))


def _go(time: TimeRange) -> None:
    go(replace(address(), time=time, cursor=""))


def _charts(context: Context, filters: Filters, start: datetime, end: datetime) -> None:
    wanted: tuple[tuple[Metric, GroupBy], ...] = (
        *(("requests", "none"), ("errors", "none"), ("latency_p50", "none"), ("latency_p95", "none")),
        *(("latency_p99", "none"), ("cost_nanousd", "model"), ("input_tokens", "none")),
        *(("cache_read_tokens", "none"), ("output_tokens", "none")),
    )
    step = charts.step_for(start, end)

    def ask(item: tuple[Metric, GroupBy]) -> MetricSeries:
        metric, group_by = item
        return context.client.metrics(
            context.project, start, end, metric, filters, group_by=group_by, step_seconds=step
        )

    with ThreadPoolExecutor(_PARALLEL) as pool:
        requests, errors, p50, p95, p99, cost, input_, cached, output = pool.map(ask, wanted)
    window = (start, end)
    with st.container(key="charts"):
        for chart in (
            charts.requests_chart(requests, errors, window),
            charts.latency_chart({"p50": p50, "p95": p95, "p99": p99}, window),
            charts.cost_chart(cost, window),
            charts.tokens_chart(input_, cached, output, window),
        ):
            _chart(chart)


def _chart(chart: charts.Chart) -> None:
    with st.container(border=True, gap="xsmall"):
        st.markdown(f"**{chart.title}**", help="Drag over the chart to zoom into a time range.")
        window = charts.draw(chart)
    if window is not None:
        _go(TimeRange(start=window[0], end=window[1]))
        st.rerun()
