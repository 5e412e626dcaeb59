"""Alerts: what is wrong now, what was, by which rules, and who is told."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import streamlit as st

from spanwise_dashboard import remembered
from spanwise_dashboard.alerts_place import TABS, AlertsPlace, Tab
from spanwise_dashboard.context import Context, address, go
from spanwise_dashboard.controls import refresh_seconds, title_bar
from spanwise_dashboard.notices import explained, first_trace
from spanwise_dashboard.state import query
from spanwise_dashboard.views.alert_open import open_alert
from spanwise_dashboard.views.alerts_channels import channels
from spanwise_dashboard.views.alerts_firing import firing
from spanwise_dashboard.views.alerts_history import history
from spanwise_dashboard.views.alerts_rules import rules
from spanwise_dashboard.views.alerts_silences import silences

_LABELS: Final[dict[Tab, str]] = {
    "firing": "Firing",
    "history": "History",
    "rules": "Rules",
    "silences": "Silences",
    "channels": "Channels",
}
_BODIES: Final[dict[Tab, Callable[[Context], None]]] = {
    "firing": firing,
    "history": history,
    "rules": rules,
    "silences": silences,
    "channels": channels,
}


def page(context: Context) -> None:
    """Draws the page."""
    with explained():
        place = context.state().alerts
        if place.alert_id:
            back = query(replace(context.state(), alerts=AlertsPlace(place.tab)))
            st.page_link(context.pages["alerts"], label="Alerts", icon=":material/arrow_back:", query_params=back)
            st.fragment(open_alert, run_every=refresh_seconds())(context, place.alert_id)
            return
        known = remembered.projects(context.client)
        if place.tab == "history" and known.items:
            title_bar(context, "Alerts")
        else:
            # Time is no matter of the other tabs: they show what is now.
            with st.container(horizontal=True, key="toolbar", vertical_alignment="center"):
                st.title("Alerts", width="stretch", anchor=False)
        if not known.items:
            first_trace()
            return
        _tabs(place.tab)
        st.fragment(_body, run_every=refresh_seconds())(context)


def _tabs(tab: Tab) -> None:
    st.session_state["alerts-tab"] = tab
    st.segmented_control(
        "Show",
        TABS,
        key="alerts-tab",
        required=True,
        format_func=_LABELS.__getitem__,
        label_visibility="collapsed",
        on_change=_tab_changed,
    )


def _tab_changed() -> None:
    go(replace(address(), alerts=AlertsPlace(st.session_state["alerts-tab"]), cursor=""))


def _body(context: Context) -> None:
    with explained():
        _BODIES[context.state().alerts.tab](context)
