"""Filters of the list of issues: a text, what people said of them, their order, their class."""

from collections.abc import Mapping
from dataclasses import replace

import streamlit as st

from spanwise_dashboard.context import address, go
from spanwise_dashboard.failures_place import ORDERS, SHOWN, FailuresPlace
from spanwise_dashboard.format import compact
from spanwise_dashboard.state import State
from spanwise_dashboard.views.failures_words import ORDER_LABELS, SHOWN_LABELS, class_words


def filter_bar(state: State) -> None:
    """Draws text, state and order; a change goes into the address."""
    with st.container(horizontal=True, vertical_alignment="center", key="filter-bar"):
        st.session_state["failures-q"] = state.filters.q
        st.text_input(
            "Text",
            key="failures-q",
            placeholder="Search in titles",
            icon=":material/search:",
            label_visibility="collapsed",
            width="stretch",
            on_change=_search,
        )
        st.session_state["failures-state"] = state.failures.shown
        st.segmented_control(
            "State",
            SHOWN,
            key="failures-state",
            required=True,
            format_func=SHOWN_LABELS.__getitem__,
            label_visibility="collapsed",
            on_change=_state_changed,
        )
        st.session_state["failures-order"] = state.failures.order
        st.selectbox(
            "Order",
            ORDERS,
            key="failures-order",
            format_func=ORDER_LABELS.__getitem__,
            label_visibility="collapsed",
            width=160,
            on_change=_order_changed,
        )


def classes_filter(chosen: tuple[str, ...], by_class: Mapping[str, int]) -> None:
    """Draws a chip for each class with how many failures it has; nothing where there is no choice."""
    names = list(dict.fromkeys([*by_class, *chosen]))
    if not names or (len(names) == 1 and not chosen):
        return
    st.session_state["failures-class"] = list(chosen)
    st.pills(
        "Class",
        names,
        key="failures-class",
        selection_mode="multi",
        format_func=lambda name: f"{class_words(name)} {compact(by_class.get(name, 0))}",
        label_visibility="collapsed",
        on_change=_class_changed,
    )


def reset() -> None:
    """Takes all filters away; order and time stay."""
    here = address()
    go(replace(here.filtered(q="", environment=()), failures=FailuresPlace(shown="all", order=here.failures.order)))


def _search() -> None:
    go(address().filtered(q=st.session_state["failures-q"].strip()))


def _state_changed() -> None:
    here = address()
    go(replace(here, failures=replace(here.failures, shown=st.session_state["failures-state"])))


def _order_changed() -> None:
    here = address()
    go(replace(here, failures=replace(here.failures, order=st.session_state["failures-order"])))


def _class_changed() -> None:
    here = address()
    go(replace(here, failures=replace(here.failures, classes=tuple(st.session_state["failures-class"]))))
