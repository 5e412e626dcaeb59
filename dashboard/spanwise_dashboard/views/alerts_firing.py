"""What is wrong now, the loudest first."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from typing import Final

import streamlit as st

from spanwise_dashboard.alerts_api import OPEN, AlertsApi
from spanwise_dashboard.components.cards import Card, cards
from spanwise_dashboard.components.facts import Fact
from spanwise_dashboard.context import Context, href
from spanwise_dashboard.format import ago, count, minute, plural
from spanwise_dashboard.state import State
from spanwise_dashboard.views.alerts_words import badges, lasted, sentence_case, series_words, tone_of
from spanwise_schemas.api_alerts import Alert, AlertPage, RulePage

_MOST: Final = 200
"""Alerts that are shown at once: what the collector gives on one page."""
_LOUDNESS: Final = {"page": 0, "ticket": 1, "info": 2}


def firing(context: Context) -> None:
    """Draws what fires, what may become an alert, and what cannot be judged."""
    api = AlertsApi(context.client, context.project)
    with st.spinner("Looking …", show_time=False), ThreadPoolExecutor(2) as pool:
        later = pool.submit(api.rules)
        found = api.alerts(OPEN, limit=_MOST)
        rules = later.result()
    now = context.now()
    loud = sorted(
        (alert for alert in found.items if alert.state in ("firing", "recovering")),
        key=lambda alert: (tone_of(alert, now) == "", _LOUDNESS[alert.severity], -alert.since.timestamp()),
    )
    if not loud:
        _nothing(rules, now)
    else:
        st.caption(watching(found, rules, now))
        _cards(context, "Firing", loud)
    pending = [alert for alert in found.items if alert.state == "pending"]
    blind = [alert for alert in found.items if alert.state in ("no_data", "error")]
    if pending:
        st.subheader("Not yet sure", anchor=False)
        st.caption("It looks wrong, and nobody is told until that lasts.")
        _cards(context, "Not yet sure", pending)
    if blind:
        st.subheader("Cannot be judged", anchor=False)
        _cards(context, "Cannot be judged", blind)


def opened(state: State, alert_id: str) -> State:
    """The page with an alert open."""
    return replace(state, alerts=replace(state.alerts, alert_id=alert_id))


def card(context: Context, alert: Alert) -> Card:
    """An alert at a glance."""
    now = context.now()
    since = f"{minute(alert.began, context.zone, now)}, for {lasted(alert.began, now)}"
    series = series_words(alert.series)
    return Card(
        alert.alert_id,
        alert.sentence or alert.rule_name,
        tone_of(alert, now),  # type: ignore[arg-type]
        badges(alert, context.zone, now),
        facts=(
            Fact("Since", since, title="When the change began, as far as can be told"),
            *([Fact("Where", series)] if series else []),
            *([Fact("Most of it", alert.top_cause, title="What moved it most")] if alert.top_cause else []),
            Fact("Rule", alert.rule_name),
            *([Fact("", sentence_case(alert.promise) + ".", tone="muted")] if alert.promise else []),
        ),
        href=href("alerts", opened(context.state(), alert.alert_id)),
    )


def watching(found: AlertPage, rules: RulePage, now: datetime) -> str:
    """What fires, and who looks how often."""
    fires = f"{plural(found.firing, 'alert')} {'fires' if found.firing == 1 else 'fire'}"
    unsure = f", {count(found.pending)} not yet sure" if found.pending else ""
    return f"{fires}{unsure}. {_looked(rules, now)}"


def _looked(rules: RulePage, now: datetime) -> str:
    active = [rule for rule in rules.items if rule.enabled]
    series = sum(rule.series for rule in active)
    verb = "watches" if len(active) == 1 else "watch"
    who = f"{plural(len(active), 'rule')} {verb} {plural(series, 'series', 'series')}"
    if rules.last_round is None:
        return f"{who}; no round of them has run yet."
    return f"{who}; looked {ago(rules.last_round, now)}."


def _nothing(rules: RulePage, now: datetime) -> None:
    if not rules.items:
        with st.container(border=True):
            st.subheader("No rule watches yet", anchor=False)
            st.markdown(
                "Built-in rules begin by themselves once a project has data. **Rules** is where you write your own; "
                "**Pipeline** says whether data arrives."
            )
        return
    st.success(f"Nothing fires. {_looked(rules, now)}")
    if all(rule.source == "built_in" for rule in rules.items):
        st.caption("These are built-in rules. Write your own under **Rules**, and say who is told under **Channels**.")


def _cards(context: Context, label: str, alerts: Sequence[Alert]) -> None:
    clicked = cards(label, [card(context, alert) for alert in alerts], key=f"cards-{label}")
    if clicked is not None:
        context.switch("alerts", opened(context.state(), clicked.value))
