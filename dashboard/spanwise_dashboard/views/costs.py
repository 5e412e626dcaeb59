"""What the application costs: totals, over time, by what, what the sums leave out, and what would have been cheaper."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import streamlit as st

from spanwise_dashboard import remembered
from spanwise_dashboard.components import charts
from spanwise_dashboard.context import Context, address, go
from spanwise_dashboard.controls import refresh_seconds, title_bar
from spanwise_dashboard.format import NO_CHANGE, change, compact, count, money, percent, plural, points, ratio
from spanwise_dashboard.notices import explained, first_trace
from spanwise_dashboard.state import State, TimeRange
from spanwise_dashboard.views.costs_by import LABELS, breakdown, per_thousand
from spanwise_dashboard.views.costs_gaps import duplicates_table, unpriced_table
from spanwise_dashboard.views.overview import Figure, figures_row
from spanwise_dashboard.views.overview_groups import comparable
from spanwise_dashboard.views.what_if import what_if
from spanwise_schemas.api import GroupBy, MetricSeries
from spanwise_schemas.api_costs import (
    CostBreakdown,
    CostDimension,
    Costs,
    CostTotals,
    Duplicates,
    ReportedCosts,
    UnpricedModels,
)

_CHARTED: Final[dict[CostDimension, GroupBy]] = {"model": "model", "name": "name", "environment": "environment"}
"""What the chart can be drawn by; for the rest it stays by model."""


@dataclass(frozen=True, slots=True)
class _Answers:
    costs: Costs
    groups: CostBreakdown
    unpriced: UnpricedModels
    duplicates: Duplicates
    series: MetricSeries


def page(context: Context) -> None:
    """Draws the page."""
    with explained():
        known = remembered.projects(context.client)
        facets = remembered.facets(context.client, context.project, context.state().time, context.now())
        title_bar(context, "Costs", environments=facets.environments)
        if not known.items:
            first_trace()
            return
        st.fragment(_body, run_every=refresh_seconds())(context)


def figures(costs: Costs, duplicates: Duplicates) -> list[Figure]:
    """The numbers at the top, with their change against the window before where that can be compared."""
    now, before, caching = costs.current, costs.previous, costs.caching
    cached, cached_before = (ratio(each.usage.cache_read, each.usage.input) for each in (now, before))
    dearer = change(now.cost_nanousd, before.cost_nanousd, "down")
    dearer_calls = change(per_thousand(now), per_thousand(before), "down")
    more_in = change(now.usage.input, before.usage.input)
    more_out = change(now.usage.output, before.usage.output)
    from_cache = "Input tokens that came from the provider's prompt cache."
    found = [
        Figure("Cost", money(now.cost_nanousd), dearer, _cost_help(now)),
        Figure("Per 1k calls", money(per_thousand(now)), dearer_calls, "Cost of 1,000 calls whose price is known."),
        Figure("Model calls", compact(now.calls), change(now.calls, before.calls), _calls_help(now)),
        Figure("Tokens in", compact(now.usage.input), more_in, _input_help(now)),
        Figure("Tokens out", compact(now.usage.output), more_out, _output_help(now)),
        Figure("Cached input", percent(cached), points(cached, cached_before, "up"), from_cache),
        Figure("Cache saved", money(caching.saved_nanousd), NO_CHANGE, _caching_help(costs)),
        Figure("Repeats", compact(duplicates.spans), NO_CHANGE, _duplicates_help(duplicates)),
    ]
    if comparable(now.calls, before.calls):
        return found
    return [replace(figure, change=NO_CHANGE) for figure in found]


def reported_note(reported: ReportedCosts) -> str:
    """What clients reported beside what the price list says; empty where nothing was reported."""
    if reported.calls and reported.reported_nanousd is not None and reported.computed_nanousd is not None:
        off = change(reported.reported_nanousd, reported.computed_nanousd).text or "0%"
        return (
            f"{plural(reported.calls, 'call')} came with a cost from the client: {money(reported.reported_nanousd)} in "
            f"all, where the price list says {money(reported.computed_nanousd)} ({off}). What was reported counts."
        )
    if reported.only_reported_calls:
        return (
            f"{plural(reported.only_reported_calls, 'call')} came with a cost from the client; no list has their price."
        )
    return ""


def _cost_help(totals: CostTotals) -> str:
    if totals.cost_nanousd is None:
        return "No model call in this window has a known price."
    left_out = f" {plural(totals.unpriced_calls, 'call')} without one left out." if totals.unpriced_calls else ""
    return f"Sum over the calls whose price is known.{left_out}"


def _calls_help(totals: CostTotals) -> str:
    return f"{count(totals.calls)} calls, each counted once."


def _input_help(totals: CostTotals) -> str:
    usage = totals.usage
    return (
        f"{count(usage.input)}, of which {count(usage.cache_read)} read from and {count(usage.cache_write)} written to "
        "a cache."
    )


def _output_help(totals: CostTotals) -> str:
    return f"{count(totals.usage.output)}, of which {count(totals.usage.reasoning)} for reasoning."


def _caching_help(costs: Costs) -> str:
    caching = costs.caching
    apart = f" {plural(caching.unpriced_calls, 'call')} without a price left out." if caching.unpriced_calls else ""
    if not caching.calls:
        return f"No call with a known price used a prompt cache.{apart}"
    calls = plural(caching.calls, "call")
    return f"At list prices, over {calls}: all tokens at the input's price, minus their cost.{apart}"


def _duplicates_help(duplicates: Duplicates) -> str:
    if not duplicates.spans:
        return "No span repeats tokens that another one bears."
    tokens = duplicates.usage.input + duplicates.usage.output
    return f"Spans that repeat {count(tokens)} tokens which others bear. They are in no sum; see below."


def _body(context: Context) -> None:
    with explained():
        state = context.state()
        start, end = context.window()
        with st.spinner("Adding up …", show_time=False):
            answers = _ask(context, state, start, end)
        figures_row(figures(answers.costs, answers.duplicates))
        if note := reported_note(answers.costs.reported):
            st.caption(f":material/info: {_plain(note)}")
        if not answers.costs.current.calls:
            _quiet(state)
            return
        _chart(answers.series, state.by, (start, end))
        breakdown(context, answers.groups)
        unpriced_table(context, answers.unpriced)
        duplicates_table(context, answers.duplicates)
        what_if(context, start, end)


def _plain(text: str) -> str:
    """Two dollar signs in a line would be read as a formula."""
    return text.replace("$", "\\$")


def _ask(context: Context, state: State, start: datetime, end: datetime) -> _Answers:
    client, project, filters = context.client, context.project, state.filters
    step = charts.step_for(start, end)
    with ThreadPoolExecutor(4) as pool:
        costs = pool.submit(client.costs, project, start, end, filters)
        groups = pool.submit(client.costs_by, project, start, end, filters, state.by)
        unpriced = pool.submit(client.unpriced, project, start, end, filters)
        duplicates = pool.submit(client.duplicates, project, start, end, filters)
        series = client.metrics(
            project, start, end, "cost_nanousd", filters, group_by=_CHARTED.get(state.by, "model"), step_seconds=step
        )
        return _Answers(costs.result(), groups.result(), unpriced.result(), duplicates.result(), series)


def _quiet(state: State) -> None:
    with st.container(border=True):
        st.subheader("No model calls in this time range", anchor=False)
        st.markdown(
            "Calls show up here once spans of model calls arrive that say tokens or a model. The **Traces** page shows "
            "whether anything arrived; opening a span and choosing *Explain* says what was made of it."
        )
        wider = state.time.wider()
        if wider is not None:
            st.button("Widen the time range", icon=":material/zoom_out_map:", on_click=_go, args=(wider,))


def _go(time: TimeRange) -> None:
    go(replace(address(), time=time))


def _chart(series: MetricSeries, by: CostDimension, window: charts.Window) -> None:
    drawn = LABELS[by if by in _CHARTED else "model"].lower()
    chart = replace(charts.cost_chart(series, window), title=f"Cost by {drawn}")
    with st.container(border=True, gap="xsmall"):
        st.markdown(f"**{chart.title}**", help="Drag over the chart to zoom into a time range.")
        zoomed = charts.draw(chart)
    if zoomed is not None:
        _go(TimeRange(start=zoomed[0], end=zoomed[1]))
        st.rerun()
