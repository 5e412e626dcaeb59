"""Failures: what fails for the same reason, as issues; one of them opened by its address."""

from dataclasses import replace
from typing import Final

import streamlit as st

from spanwise_dashboard import remembered
from spanwise_dashboard.context import Context, address, go
from spanwise_dashboard.controls import refresh_seconds, title_bar
from spanwise_dashboard.failures_api import FailuresApi
from spanwise_dashboard.failures_place import FailuresPlace
from spanwise_dashboard.format import plural
from spanwise_dashboard.notices import explained, first_trace
from spanwise_dashboard.state import State, TimeRange, query
from spanwise_dashboard.views.failures_filters import classes_filter, filter_bar, reset
from spanwise_dashboard.views.failures_issue import open_issue
from spanwise_dashboard.views.failures_list import issues_table
from spanwise_dashboard.views.failures_words import standing
from spanwise_schemas.api_failures import IssuePage

MOST: Final = 200
"""Issues that are listed at once."""


def page(context: Context) -> None:
    """Draws the page."""
    with explained():
        state = context.state()
        known = remembered.projects(context.client)
        if state.failures.issue_id and known.items:
            back = query(replace(state, failures=replace(state.failures, issue_id="")))
            st.page_link(context.pages["failures"], label="Failures", icon=":material/arrow_back:", query_params=back)
            title_bar(context, "Failure")
            st.fragment(open_issue, run_every=refresh_seconds())(context, state.failures.issue_id)
            return
        facets = remembered.facets(context.client, context.project, state.time, context.now())
        title_bar(context, "Failures", environments=facets.environments)
        if not known.items:
            first_trace()
            return
        filter_bar(state)
        st.fragment(_body, run_every=refresh_seconds())(context)


def _body(context: Context) -> None:
    with explained():
        state = context.state()
        with st.spinner("Looking …", show_time=False):
            found, by_class = _ask(context, state)
        classes_filter(state.failures.classes, by_class)
        if not found.items:
            _nothing(state, found, by_class)
            return
        whole = not (state.failures.classes or state.filters.q or state.filters.environment)
        st.caption(standing(found, whole=whole))
        issues_table(context, found)
        if found.total > len(found.items):
            st.caption(
                f"The first {len(found.items)} of {plural(found.total, 'issue')}; a class or a text leaves fewer."
            )


def _ask(context: Context, state: State) -> tuple[IssuePage, dict[str, int]]:
    """The issues, and failures by class whatever class is chosen."""
    api, window, place = FailuresApi(context.client, context.project), context.window(), state.failures
    environments = state.filters.environment
    found = api.issues(window, place, text=state.filters.q, environments=environments, limit=MOST)
    if not place.classes:
        return found, found.by_class
    # With a class chosen the answer has no counts of the others.
    return found, api.issues(window, FailuresPlace(), environments=environments, limit=1).by_class


def _nothing(state: State, found: IssuePage, by_class: dict[str, int]) -> None:
    failures = sum(by_class.values())
    wider = state.time.wider()
    with st.container(border=True):
        if failures and state.failures == FailuresPlace() and not state.filters.q:
            st.subheader("Nothing is left to do", anchor=False)
            st.markdown(
                f"There were {plural(failures, 'failure')} in this time range, all in issues that someone resolved or "
                "ignored."
            )
            st.button("Show all", icon=":material/visibility:", on_click=_show_all)
            return
        if failures:
            st.subheader("No issue matches", anchor=False)
            st.markdown(f"There were {plural(failures, 'failure')} in this time range, none that fits these filters.")
            st.button("Reset the filters", icon=":material/filter_alt_off:", on_click=reset)
            return
        if not found.spans:
            st.subheader("Nothing arrived in this time range", anchor=False)
            st.markdown("Where nothing runs, nothing fails. **Pipeline** says whether data arrives.")
        else:
            st.subheader("Nothing failed in this time range", anchor=False)
            st.markdown(
                "Errors and time-outs would be here, and answers that are cut off, empty, refused or no valid JSON, "
                "tool calls that do not fit, retrievals that find nothing, and loops."
            )
        if wider is not None:
            st.button("Widen the time range", icon=":material/zoom_out_map:", on_click=_widen, args=(wider,))


def _show_all() -> None:
    here = address()
    go(replace(here, failures=replace(here.failures, shown="all")))


def _widen(time: TimeRange) -> None:
    go(replace(address(), time=time))
