"""One alert: how the number went, what changed, why it fired, and what happened since."""

from dataclasses import replace

import streamlit as st

from spanwise_dashboard.alerts_api import AlertsApi
from spanwise_dashboard.components.band import Mark, band_chart
from spanwise_dashboard.components.facts import Fact, heading
from spanwise_dashboard.components.lines import lines
from spanwise_dashboard.components.table import Cell, Column, Row, table
from spanwise_dashboard.context import Context, href
from spanwise_dashboard.format import clock, minute, timestamp
from spanwise_dashboard.notices import explained
from spanwise_dashboard.state import State
from spanwise_dashboard.values import difference, interval, title, value
from spanwise_dashboard.views.alert_actions import actions
from spanwise_dashboard.views.alerts_deliveries import deliveries_table
from spanwise_dashboard.views.alerts_firing import opened
from spanwise_dashboard.views.alerts_words import (
    STATES,
    TYPES,
    badges,
    compared_with,
    lasted,
    sentence_case,
    series_words,
)
from spanwise_dashboard.views.behind import traces_behind
from spanwise_dashboard.views.what_changed import what_changed
from spanwise_schemas.api_alerts import Alert, AlertDetail, AlertEvent, AlertState


def open_alert(context: Context, alert_id: str) -> None:
    """Draws the alert."""
    with explained():
        api = AlertsApi(context.client, context.project)
        with st.spinner("Reading the alert …", show_time=False):
            found = api.alert(alert_id)
        alert = found.alert
        _heading(context, alert)
        actions(context, alert)
        _chart(found)
        if found.runbook:
            with st.container(border=True, gap="xsmall"):
                st.markdown("**What to do**")
                lines([found.runbook], key="runbook")
        if found.what_changed is not None:
            with st.container(border=True):
                what_changed(context, found.what_changed)
        elif alert.rule_type == "missing_data":
            # What did not arrive is in no trace.
            if st.button("Open the pipeline", icon=":material/conversion_path:", key="alert-pipeline"):
                context.switch("pipeline", context.state())
        elif found.filters:
            place = traces_behind(context, found.filters, alert.began, alert.ended_at or context.now())
            if st.button("Open the traces in question", icon=":material/account_tree:", key="alert-traces"):
                context.switch("traces", place)
        with st.container(key="alert-grid"):
            _evidence(found)
            _events(context, found)
        if found.deliveries:
            st.subheader("Who was told", anchor=False)
            deliveries_table(context, found.deliveries, key="alert-deliveries")


def facts(context: Context, alert: Alert) -> list[Fact]:
    """What is to be known at a glance."""
    now = context.now()
    off = interval(alert.effect_low, alert.effect_high, alert.unit)
    wrong = None if alert.value is None or alert.expected is None else alert.value - alert.expected
    label = "Now" if alert.ended_at is None else "At the end"
    against = compared_with(alert.rule_type)
    end = alert.ended_at or now
    return [
        Fact("Since", minute(alert.began, context.zone, now), title="When the change began, as far as can be told"),
        Fact("For" if alert.ended_at is None else "Lasted", lasted(alert.began, end)),
        *([Fact(label, value(alert.value, alert.unit))] if alert.value is not None else []),
        *([Fact(against, value(alert.expected, alert.unit))] if alert.expected is not None else []),
        *([Fact("Off by", difference(wrong, alert.unit), title=f"95 % interval: {off}")] if wrong and off else []),
        *([Fact("Where", series_words(alert.series))] if alert.series else []),
        *([Fact("Most of it", alert.top_cause)] if alert.top_cause else []),
        Fact(
            "Rule",
            alert.rule_name,
            title=TYPES[alert.rule_type],
            href=href("alerts", _rule(context, alert)),
            action="rule",
            value=alert.rule_id,
        ),
    ]


def marks(alert: Alert) -> list[Mark]:
    """When it began, fired and ended."""
    found = [Mark(alert.began, "began")]
    if alert.fired_at is not None:
        found.append(Mark(alert.fired_at, "fired", "bad"))
    if alert.ended_at is not None:
        found.append(Mark(alert.ended_at, "ended", "good"))
    return found


def event_words(event: AlertEvent) -> str:
    """What happened, for people."""
    words: dict[str, str] = {
        "pending": "It looked wrong",
        "firing": "It fired",
        "recovering": "It looked better",
        "resolved": "It ended",
        "no_data": "Data stayed away",
        "error": "It could not be checked",
        "inactive": "It was nothing",
    }
    said = words.get(event.to_state, event.to_state.replace("_", " "))
    if event.to_state == event.from_state:
        return "Someone took it" if event.by else f"Still {_state(event.to_state)}"
    return said


def _state(name: str) -> str:
    known: dict[str, AlertState] = {str(state): state for state in STATES}
    return STATES[known[name]].text if name in known else name


def _rule(context: Context, alert: Alert) -> State:
    state = opened(context.state(), "")
    return replace(state, alerts=replace(state.alerts, tab="rules", rule_id=alert.rule_id))


def _heading(context: Context, alert: Alert) -> None:
    clicked = heading(
        alert.sentence or alert.rule_name,
        badges(alert, context.zone, context.now()),
        facts(context, alert),
        key="alert-heading",
    )
    if alert.promise:
        st.caption(
            f"{sentence_case(alert.promise)}: so often a rule like this fires though nothing changed.",
            help="The limit is set so that this holds however often the rule looks.",
        )
    if clicked is not None and clicked.action == "rule":
        context.switch("alerts", _rule(context, alert))


def _chart(found: AlertDetail) -> None:
    alert = found.alert
    if found.band is None or not found.band.times:
        return
    shown = title(alert.signal) if alert.signal else alert.rule_name
    with st.container(border=True, gap="xsmall"):
        band_chart(shown, found.band, alert.unit, key="alert-band", marks=marks(alert))


def _evidence(found: AlertDetail) -> None:
    if not found.evidence:
        return
    with st.container():
        st.subheader("Why it fired", anchor=False)
        rows = [Row(label, (Cell(label), Cell(words))) for label, words in found.evidence.items()]
        columns = (Column("Evidence", width="38%", wrap=True), Column("", wrap=True))
        table("Why it fired", columns, rows, key="alert-evidence", empty="")


def _events(context: Context, found: AlertDetail) -> None:
    alert = found.alert
    with st.container():
        st.subheader("What happened", anchor=False)
        columns = (Column("When", width="130px"), Column("What", wrap=True), Column("Value", "right", width="90px"))
        rows = [
            Row(
                str(number),
                (
                    Cell(clock(event.time, context.zone, context.now()), title=timestamp(event.time, context.zone)),
                    Cell(event_words(event), sub=" · ".join(part for part in (event.by, event.note) if part)),
                    Cell("" if event.value is None else value(event.value, alert.unit)),
                ),
            )
            for number, event in enumerate(found.events)
        ]
        table("What happened", columns, rows, key="alert-events", empty="Nothing is recorded.")
