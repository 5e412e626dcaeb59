"""Silences: when nobody is told, of what, by whom and why."""

from datetime import UTC, datetime
from typing import Final

import streamlit as st

from spanwise_dashboard.alerts_api import AlertsApi
from spanwise_dashboard.components.table import Badge, Cell, Column, Row, table
from spanwise_dashboard.context import Context
from spanwise_dashboard.format import minute
from spanwise_dashboard.views.alert_actions import DURATIONS, done, name_input, remember
from spanwise_dashboard.views.alerts_words import lasted, series_words
from spanwise_schemas.api_alerts import RulePage, Silence

_COLUMNS: Final = (
    Column("What", width="26%", wrap=True),
    Column("State", width="98px"),
    Column("From", width="118px", hide=620),
    Column("Until", width="118px"),
    Column("Why", wrap=True, hide=460),
    Column("By", width="110px", hide=820),
    Column("", "right", width="82px"),
)


def silences(context: Context) -> None:
    """Draws the list and the form for a new one."""
    api = AlertsApi(context.client, context.project)
    with st.spinner("Reading the silences …", show_time=False):
        found, rules = api.silences(), api.rules()
    now = context.now()
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption("Alerts of what is silenced go on and stay visible; nobody is told of them.", width="stretch")
        with st.popover("New silence", icon=":material/notifications_paused:", type="primary", key="new-silence"):
            _form(context, api, rules)
    names = {rule.rule_id: rule.name for rule in rules.items}
    rows = [row(context, one, names.get(one.rule_id, one.rule_id), now) for one in found.items]
    clicked = table("Silences", _COLUMNS, rows, key="silences", empty="Nothing is silenced: everything is told.")
    if clicked is not None and clicked.action == "lift":
        done("The silence is lifted.", lambda: api.lift(clicked.value))


def state_of(silence: Silence, now: datetime) -> Badge:
    """Whether it holds."""
    if silence.ends_at <= now:
        return Badge("over")
    return Badge("holds", "warn") if silence.starts_at <= now else Badge("to come", "good")


def row(context: Context, silence: Silence, rule: str, now: datetime) -> Row:
    """A silence in one line."""
    over = silence.ends_at <= now
    cells = (
        Cell(rule or "All rules", sub=series_words(silence.series)),
        Cell(badges=(state_of(silence, now),)),
        Cell(minute(silence.starts_at, context.zone, now)),
        Cell(minute(silence.ends_at, context.zone, now), title=f"for {lasted(silence.starts_at, silence.ends_at)}"),
        Cell(silence.reason),
        Cell(silence.by),
        Cell("" if over else "Lift", action="" if over else "lift", value=silence.silence_id, title=""),
    )
    return Row(silence.silence_id, cells)


def _form(context: Context, api: AlertsApi, rules: RulePage) -> None:
    names = {rule.rule_id: rule.name for rule in rules.items}
    with st.form("silence-new", border=False):
        rule_id = st.selectbox(
            "Rule", ["", *names], key="silence-new-rule", format_func=lambda each: names.get(each, "All rules")
        )
        here = context.now().astimezone(context.zone).replace(tzinfo=None, second=0, microsecond=0)
        st.session_state.setdefault("silence-new-from", here)
        start = st.datetime_input(
            "From", key="silence-new-from", step=300, help="In your time zone; a time that is over means now."
        )
        length = st.selectbox("For", list(DURATIONS), index=1, key="silence-new-for")
        reason = st.text_input("Reason", key="silence-new-reason", max_chars=2000)
        by = name_input("silence-new-by")
        if st.form_submit_button("Silence", type="primary", width="stretch"):
            now = context.now()
            wanted = start.replace(tzinfo=context.zone).astimezone(UTC) if start else now
            begins = max(wanted, now)
            silence = Silence(
                project=context.project,
                rule_id=rule_id,
                starts_at=begins,
                ends_at=begins + DURATIONS[length],
                reason=reason,
                by=remember(by),
            )
            done("Silenced.", lambda: api.silence(silence))
