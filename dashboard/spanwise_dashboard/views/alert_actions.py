"""What a person does about an alert: take it, say that the change is wanted, or have peace for a while."""

from collections.abc import Callable
from datetime import timedelta
from typing import Final, Literal

import streamlit as st

from spanwise_dashboard.alerts_api import AlertsApi
from spanwise_dashboard.context import Context
from spanwise_dashboard.notices import explained
from spanwise_schemas.api_alerts import Acknowledge, Alert, Silence

DURATIONS: Final = {
    "1 hour": timedelta(hours=1),
    "4 hours": timedelta(hours=4),
    "1 day": timedelta(days=1),
    "3 days": timedelta(days=3),
    "1 week": timedelta(days=7),
}
WHO: Final = "who"
"""Session state: the name that was last given, for the next form."""


def actions(context: Context, alert: Alert) -> None:
    """Draws the buttons; none for what has ended."""
    if alert.ended_at is not None or alert.state in ("resolved", "inactive"):
        return
    api = AlertsApi(context.client, context.project)
    with st.container(horizontal=True, key="alert-actions"):
        if alert.acknowledged_at is None:
            with st.popover("Acknowledge", icon=":material/front_hand:", type="primary", key="acknowledge"):
                _acknowledge(api, alert)
        with st.popover("This is expected", icon=":material/published_with_changes:", key="expected"):
            _expected(api, alert)
        with st.popover("Silence", icon=":material/notifications_paused:", key="silence"):
            _silence(context, api, alert)


def _acknowledge(api: AlertsApi, alert: Alert) -> None:
    st.markdown("You look at it: the alert stays, and it is not repeated to anyone.")
    with st.form("acknowledge-form", border=False):
        by = name_input("acknowledge-by")
        note = st.text_area("Note", key="acknowledge-note", max_chars=2000, height=80)
        if st.form_submit_button("Acknowledge", type="primary", width="stretch"):
            done("Acknowledged.", lambda: api.acknowledge(alert.alert_id, Acknowledge(by=remember(by), note=note)))


def _expected(api: AlertsApi, alert: Alert) -> None:
    st.markdown(
        "The change is wanted, such as a new model that answers at more length. The alert ends, and what is usual is "
        "learned anew from when the change began."
    )
    with st.form("expected-form", border=False):
        by = name_input("expected-by")
        note = st.text_area("Why", key="expected-note", max_chars=2000, height=80)
        if st.form_submit_button("It is expected", type="primary", width="stretch"):
            taken = Acknowledge(by=remember(by), note=note, expected=True)
            done("What is usual begins anew.", lambda: api.acknowledge(alert.alert_id, taken))


def _silence(context: Context, api: AlertsApi, alert: Alert) -> None:
    st.markdown("Nobody is told for a while. The alert itself goes on, and stays visible here.")
    whole: dict[str, dict[str, str]] = {"The whole rule": {}}
    scopes = {"Only where this alert is": alert.series, **whole} if alert.series else whole
    with st.form("silence-form", border=False):
        length = st.selectbox("For", list(DURATIONS), index=1, key="silence-for")
        scope = st.radio("What", list(scopes), key="silence-scope") if len(scopes) > 1 else None
        reason = st.text_input("Reason", key="silence-reason", max_chars=2000)
        by = name_input("silence-by")
        if st.form_submit_button("Silence", type="primary", width="stretch"):
            now = context.now()
            wanted = Silence(
                project=api.project,
                rule_id=alert.rule_id,
                series=scopes[scope or "The whole rule"],
                starts_at=now,
                ends_at=now + DURATIONS[length],
                reason=reason,
                by=remember(by),
            )
            done("Silenced.", lambda: api.silence(wanted))


def name_input(key: str, width: Literal["stretch"] | int = "stretch") -> str:
    """A field for who does it, with the name that was last given; the width in pixels."""
    who, seeded = st.session_state.get(WHO, ""), f"{key}-seeded"
    if st.session_state.get(seeded) != who:
        st.session_state[key] = st.session_state[seeded] = who
    return st.text_input("Your name", key=key, max_chars=200, width=width)


def remember(by: str) -> str:
    """The name, remembered for the next form."""
    st.session_state[WHO] = by.strip()
    return by.strip()


def done(words: str, act: Callable[[], None]) -> None:
    """Does it and draws the page anew; what went wrong is said instead."""
    with explained():
        act()
        st.toast(words, icon=":material/check:")
        st.rerun()
