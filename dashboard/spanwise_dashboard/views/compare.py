"""Compare: two time ranges, releases, prompt versions or models beside each other, and what is to be made of it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import streamlit as st

from spanwise_dashboard import remembered
from spanwise_dashboard.compare_api import CompareApi
from spanwise_dashboard.components.differences import differences
from spanwise_dashboard.components.lines import lines
from spanwise_dashboard.context import Context, address, go, href
from spanwise_dashboard.controls import refresh_seconds, title_bar
from spanwise_dashboard.notices import explained, first_trace
from spanwise_dashboard.state import State
from spanwise_dashboard.views.compare_change import change
from spanwise_dashboard.views.compare_failures import failures_table
from spanwise_dashboard.views.compare_sides import by_choice, sides, too_few_values, value_choice, window_choice
from spanwise_dashboard.views.compare_words import line, ordered, sentence, side_names
from spanwise_schemas.api_compare import Compared, Comparison, Side

HOW_TO_READ: Final = (
    "The bar is where the true difference lies, in 95 of 100 comparisons like this one, all lines together; the mark "
    "on it is what was measured. A bar across the line in the middle: the two sides may well be the same."
)


def page(context: Context) -> None:
    """Draws the page."""
    with explained():
        known = remembered.projects(context.client)
        facets = remembered.facets(context.client, context.project, context.state().time, context.now())
        title_bar(context, "Compare", environments=facets.environments)
        if not known.items:
            first_trace()
            return
        by_choice(context.state().compare)
        st.fragment(_body, run_every=refresh_seconds())(context)


def _body(context: Context) -> None:
    with explained():
        state = context.state()
        if state.compare.by == "window":
            _windows(context, state)
        else:
            _values(context, state)


def _windows(context: Context, state: State) -> None:
    place, second = state.compare, context.window()
    window_choice(context, place)
    with st.spinner("Comparing …", show_time=False):
        api = CompareApi(context.client, context.project)
        found = api.windows(place.first(second), second, state.filters.environment)
    _draw(context, found)
    if found.metrics or found.scores:
        change(context, found)


def _values(context: Context, state: State) -> None:
    api, place, window = CompareApi(context.client, context.project), state.compare, context.window()
    with st.spinner("Looking for what can be compared …", show_time=False):
        known = api.candidates(place.by, window)
    if len({one.value for one in known.items} | {value for value in (place.a, place.b) if value}) < 2:
        too_few_values(place.by, state, known)
        return
    a, b = value_choice(context, place, known)
    if a == b:
        st.info("Both sides are the same. Choose two that differ.")
        return
    with st.spinner("Comparing …", show_time=False):
        found = api.values(place.by, a, b, window, state.filters.environment)
    _draw(context, found, known.items)


def _draw(context: Context, found: Comparison, seen: Sequence[Side] = ()) -> None:
    sides(context, found, seen)
    if not found.metrics and not found.scores and not found.failures:
        _nothing(context.state())
        return
    lines([words] if (words := sentence(found)) else [], key="compare-sentence", tone="large")
    lines(found.notes, key="compare-notes", tone="warn")
    _rows(context, found, "Metrics", found.metrics)
    _rows(context, found, "Scores", found.scores)
    if any(row.difference is not None for row in (*found.metrics, *found.scores)):
        st.caption(HOW_TO_READ)
    st.subheader("Failures", anchor=False)
    failures_table(context, found)


def _rows(context: Context, found: Comparison, label: str, rows: Sequence[Compared]) -> None:
    if not rows:
        return
    explains = found.by == "window"
    shown = [
        line(row, href("compare", _with(context.state(), row.signal)) if explains else "") for row in ordered(rows)
    ]
    clicked = differences(label, side_names(found), shown, key=f"compare-{label}")
    if clicked is not None:
        go(_with(address(), clicked.value))
        st.toast("What changed is explained below.", icon=":material/arrow_downward:")
        st.rerun()


def _with(state: State, signal: str) -> State:
    return replace(state, compare=replace(state.compare, signal=signal))


def _nothing(state: State) -> None:
    with st.container(border=True):
        st.subheader("There is nothing to compare", anchor=False)
        st.markdown("Neither side has requests, model calls or scores. **Pipeline** says whether data arrives.")
        wider = state.time.wider()
        if wider is not None:
            st.button(
                "Widen the time range",
                icon=":material/zoom_out_map:",
                on_click=lambda: go(replace(address(), time=wider)),
            )
