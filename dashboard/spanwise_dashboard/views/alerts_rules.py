"""The rules: what each watches, how it stands, and the way to write one."""

from dataclasses import replace
from datetime import datetime
from typing import Final

import streamlit as st

from spanwise_dashboard.alerts_api import AlertsApi
from spanwise_dashboard.alerts_place import NEW_RULE
from spanwise_dashboard.components.table import Badge, Cell, Column, Row, table
from spanwise_dashboard.context import Context, address, go, href
from spanwise_dashboard.format import ago, clock, plural
from spanwise_dashboard.state import State
from spanwise_dashboard.views.alerts_rule import open_rule
from spanwise_dashboard.views.alerts_words import SEVERITIES, SOURCES, TYPES, sentence_case
from spanwise_schemas.api_alerts import RuleInfo, RulePage

_COLUMNS: Final = (
    Column("Rule", width="23%", wrap=True),
    Column("What it watches", wrap=True),
    Column("Now", width="136px"),
    Column("Last fired", "right", width="108px", hide=560),
    Column("Severity", width="86px", hide=760),
    Column("From", width="116px", hide=860),
)


def rules(context: Context) -> None:
    """Draws the list, or the rule that is open."""
    api = AlertsApi(context.client, context.project)
    with st.spinner("Reading the rules …", show_time=False):
        found = api.rules()
    chosen = context.state().alerts.rule_id
    if chosen:
        known = next((rule for rule in found.items if rule.rule_id == chosen), None)
        open_rule(context, known, chosen)
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(standing(found, context.now()), width="stretch")
        st.button("New rule", icon=":material/add:", key="new-rule", type="primary", on_click=_open, args=(NEW_RULE,))
    if found.items and all(rule.source == "built_in" for rule in found.items):
        st.info(
            "These rules come with Spanwise and watch by themselves. **New rule** writes one of your own, or put "
            "them into a file in your repository: the docs page on alerts has an example of each kind."
        )
    rows = [row(context, rule) for rule in found.items]
    empty = "No rule watches this project yet: built-in ones begin once it has data, New rule writes your own."
    clicked = table("Rules", _COLUMNS, rows, key="alert-rules", empty=empty)
    if clicked is not None and clicked.action == "row":
        context.switch("alerts", _at(context.state(), clicked.value))


def standing(found: RulePage, now: datetime) -> str:
    """How many rules, and when they were last evaluated."""
    if found.last_round is None:
        return "No round of evaluation has run yet: a collector with the role alerts does it."
    return f"{plural(len(found.items), 'rule')}, looked at {ago(found.last_round, now)}."


def row(context: Context, rule: RuleInfo) -> Row:
    """A rule in one line."""
    now = context.now()
    never = "never" if rule.enabled else ""
    cells = (
        Cell(rule.name, sub=TYPES[rule.type], badges=() if rule.enabled else (Badge("off", ""),)),
        Cell(rule.sentence, sub=f"{sentence_case(rule.promise)}." if rule.promise else ""),
        Cell(badges=_now(rule)),
        Cell(
            ago(rule.last_fired, now) if rule.last_fired else never,
            tone="" if rule.last_fired else "muted",
            title=clock(rule.last_fired, context.zone, now) if rule.last_fired else None,
        ),
        Cell(badges=(SEVERITIES[rule.severity],)),
        Cell(badges=(SOURCES[rule.source],)),
    )
    return Row(rule.rule_id, cells, href=href("alerts", _at(context.state(), rule.rule_id)))


def _now(rule: RuleInfo) -> tuple[Badge, ...]:
    if rule.problem:
        return (Badge("problem", "bad", rule.problem),)
    if not rule.enabled:
        return ()
    found = [Badge(f"{rule.firing} firing", "bad")] if rule.firing else []
    if rule.pending:
        found.append(Badge(f"{rule.pending} not yet sure"))
    if rule.note:
        found.append(Badge("limited", "warn", rule.note))
    watched = plural(rule.series, "series", "series")
    return tuple(found) or (Badge("quiet", "good", f"{watched} watched"),)


def _at(state: State, rule_id: str) -> State:
    return replace(state, alerts=replace(state.alerts, rule_id=rule_id))


def _open(rule_id: str) -> None:
    go(_at(address(), rule_id))
