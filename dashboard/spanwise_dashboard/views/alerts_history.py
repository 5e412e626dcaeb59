"""Alerts of the time range, newest first."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Final

import streamlit as st

from spanwise_dashboard.alerts_api import PAST, AlertsApi
from spanwise_dashboard.components.table import Badge, Cell, Column, Row, table
from spanwise_dashboard.context import Context, address, go, href
from spanwise_dashboard.format import clock, minute
from spanwise_dashboard.state import TimeRange
from spanwise_dashboard.views.alerts_firing import opened
from spanwise_dashboard.views.alerts_words import SEVERITIES, STATES, lasted, series_words
from spanwise_dashboard.views.pager import pager
from spanwise_schemas.api_alerts import Alert, RuleInfo

_COLUMNS: Final = (
    Column("Alert", wrap=True),
    Column("Fired", width="130px"),
    Column("Lasted", "right", width="90px", hide=560),
    Column("Most of it", width="20%", hide=820),
    Column("State", width="150px"),
)


def history(context: Context) -> None:
    """Draws the list."""
    api = AlertsApi(context.client, context.project)
    state = context.state()
    with st.spinner("Looking back …", show_time=False), ThreadPoolExecutor(2) as pool:
        later = pool.submit(api.rules)
        found = api.alerts(PAST, rule_id=state.alerts.rule_id, window=context.window(), cursor=state.cursor)
        rules = later.result()
    _choice(rules.items, state.alerts.rule_id)
    if not found.items:
        _nothing(state.time, state.alerts.rule_id)
        return
    rows = [row(context, alert) for alert in found.items]
    clicked = table("Alerts", _COLUMNS, rows, key="alert-history", empty="")
    pager(len(found.items), "alert", found.next_cursor)
    if clicked is not None and clicked.action == "row":
        context.switch("alerts", replace(opened(context.state(), clicked.value), cursor=""))


def row(context: Context, alert: Alert) -> Row:
    """An alert in one line."""
    now = context.now()
    fired = alert.fired_at or alert.since
    state = Badge("expected", "good", "The change was wanted.") if alert.is_expected else STATES[alert.state]
    where = series_words(alert.series)
    cells = (
        Cell(
            alert.sentence or alert.rule_name,
            sub=f"{alert.rule_name}{' · ' if where else ''}{where}",
            badges=(SEVERITIES[alert.severity],),
        ),
        Cell(minute(fired, context.zone, now), title=clock(fired, context.zone, now)),
        Cell(lasted(fired, alert.ended_at or now)),
        Cell(alert.top_cause),
        Cell(badges=(state,)),
    )
    return Row(alert.alert_id, cells, href=href("alerts", replace(opened(context.state(), alert.alert_id), cursor="")))


def _choice(rules: Sequence[RuleInfo], chosen: str) -> None:
    names = {rule.rule_id: rule.name for rule in rules}
    st.session_state["history-rule"] = chosen
    st.selectbox(
        "Rule",
        ["", *dict.fromkeys([*([chosen] if chosen else []), *names])],
        key="history-rule",
        format_func=lambda rule_id: names.get(rule_id, rule_id) if rule_id else "All rules",
        label_visibility="collapsed",
        width=280,
        on_change=_rule_changed,
    )


def _rule_changed() -> None:
    here = address()
    go(replace(here, alerts=replace(here.alerts, rule_id=st.session_state["history-rule"]), cursor=""))


def _nothing(time: TimeRange, rule_id: str) -> None:
    with st.container(border=True):
        st.subheader("No alert in this time range", anchor=False)
        st.markdown("Of this rule, none fired." if rule_id else "No rule fired.")
        wider = time.wider()
        if wider is not None:
            st.button("Widen the time range", icon=":material/zoom_out_map:", on_click=_widen, args=(wider,))


def _widen(time: TimeRange) -> None:
    go(replace(address(), time=time, cursor=""))
