"""Where the difference of one number comes from, between the two time ranges of a comparison."""

from dataclasses import replace
from typing import Final

import streamlit as st

from spanwise_dashboard import values
from spanwise_dashboard.compare_api import CompareApi
from spanwise_dashboard.context import Context, address, go
from spanwise_dashboard.notices import explained
from spanwise_dashboard.views.compare_words import differs, ordered
from spanwise_dashboard.views.what_changed import what_changed
from spanwise_schemas.api_compare import Comparison

TOTALS: Final = ("requests", "spend")
"""Numbers that are explained and not compared: they grow with the length of a time range."""


def signals(found: Comparison) -> list[str]:
    """Numbers whose change can be explained, those that moved first."""
    rows = ordered([*found.metrics, *found.scores])
    return [*(row.signal for row in rows if row.a is not None and row.b is not None), *TOTALS]


def first_choice(found: Comparison) -> str:
    """The number that is explained without being asked for: the first that moved; empty where none did."""
    rows = ordered([*found.metrics, *found.scores])
    return next((row.signal for row in rows if differs(row)), "")


def change(context: Context, found: Comparison) -> None:
    """Draws the choice of a number, and the answer."""
    first, second = (found.a.start, found.a.end), (found.b.start, found.b.end)
    place = context.state().compare
    chosen = place.signal or first_choice(found)
    with st.container(horizontal=True, vertical_alignment="center", key="compare-choice"):
        st.subheader("Where a difference comes from", anchor=False, width="stretch")
        st.session_state["compare-signal"] = chosen or None
        st.selectbox(
            "Number",
            list(dict.fromkeys([*signals(found), *([chosen] if chosen else [])])),
            key="compare-signal",
            index=0 if chosen else None,
            placeholder="Choose a number",
            format_func=values.title,
            label_visibility="collapsed",
            width=240,
            on_change=_signal_changed,
        )
    if not chosen:
        st.caption("As far as can be told nothing differs beyond chance. Choose a number to look at it all the same.")
        return
    if first[1] > second[0] and second[1] > first[0]:
        st.caption("The two time ranges overlap. Choose ranges that do not to see where a difference comes from.")
        return
    with explained():
        with st.spinner("Looking for where it comes from …", show_time=False):
            environments = context.state().filters.environment
            before, after = (first, second) if first[0] < second[0] else (second, first)
            answer = CompareApi(context.client, context.project).what_changed(chosen, before, after, environments)
        with st.container(border=True):
            what_changed(context, answer, key="compare-changed")


def _signal_changed() -> None:
    here = address()
    go(replace(here, compare=replace(here.compare, signal=st.session_state["compare-signal"] or "")))
