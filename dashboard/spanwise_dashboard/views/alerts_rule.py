"""One rule: how it stands, and its text; what is written here or through the API can be changed here."""

from dataclasses import replace
from typing import Final

import streamlit as st

from spanwise_dashboard.alerts_place import NEW_RULE, AlertsPlace
from spanwise_dashboard.components.facts import Fact, heading
from spanwise_dashboard.components.lines import lines
from spanwise_dashboard.components.table import Badge
from spanwise_dashboard.context import Context, address, go, href
from spanwise_dashboard.format import ago, count
from spanwise_dashboard.rule_fields import Rule
from spanwise_dashboard.state import State
from spanwise_dashboard.toml_text import rule_toml
from spanwise_dashboard.views.alerts_words import SEVERITIES, SOURCES, TYPES, sentence_case
from spanwise_dashboard.views.rule_editor import editor
from spanwise_dashboard.views.rule_preview import preview
from spanwise_schemas.api_alerts import RuleDraft, RuleInfo

_COPY: Final = "rule-copy"
_START: Final[Rule] = {"id": "", "type": "anomaly", "signal": "error_rate"}
_WHY_FIXED: Final = {
    "file": "This rule is written in the collector's file of rules: change it there, and it holds within a minute.",
    "built_in": "This rule comes with Spanwise. Use it as a start for one of your own.",
}


def open_rule(context: Context, rule: RuleInfo | None, rule_id: str) -> None:
    """Draws the rule; a new one where the id stands for that."""
    st.button("All rules", icon=":material/arrow_back:", key="all-rules", type="tertiary", on_click=_list)
    if rule_id == NEW_RULE:
        st.subheader("New rule", anchor=False)
        copied: Rule = st.session_state.get(_COPY, _START)
        editor(context, f"{NEW_RULE}{copied.get('type')}{len(copied)}", copied, stored=False)
        return
    if rule is None:
        st.subheader("There is no such rule", anchor=False)
        st.markdown("It may have been deleted, or belong to another project.")
        return
    _heading(context, rule)
    if rule.source == "api":
        editor(context, rule.rule_id, rule.rule, stored=True)
        return
    with st.container(border=True):
        st.info(_WHY_FIXED[rule.source], icon=":material/lock:")
        st.code(rule_toml(rule.rule), language="toml")
        start = {**rule.rule, "id": f"{rule.rule_id}-2"}
        st.button("Use as a start for a new rule", icon=":material/content_copy:", on_click=_copy, args=(start,))
    preview(context, RuleDraft(rule=rule.rule), rule.rule)


def _heading(context: Context, rule: RuleInfo) -> None:
    state, now = context.state(), context.now()
    badges = (SEVERITIES[rule.severity], SOURCES[rule.source], *(() if rule.enabled else (Badge("off", "warn"),)))
    past = replace(state, alerts=AlertsPlace("history", rule_id=rule.rule_id))
    clicked = heading(
        rule.name,
        badges,
        [
            Fact("Kind", TYPES[rule.type]),
            Fact("Series", count(rule.series)),
            Fact("Firing", count(rule.firing), tone="bad" if rule.firing else ""),
            Fact(
                "Last fired",
                ago(rule.last_fired, now) if rule.last_fired else "never",
                href=href("alerts", past),
                action="history",
            ),
            *([Fact("Looked at", ago(rule.last_evaluated, now))] if rule.last_evaluated else []),
        ],
        key="rule-heading",
        level=2,
    )
    with st.container(gap="xsmall"):
        lines([rule.sentence], key="rule-sentence")
        lines([f"{sentence_case(rule.promise)}."] if rule.promise else [], key="rule-promise", tone="muted")
        lines([f"It cannot be evaluated: {rule.problem}"] if rule.problem else [], key="rule-problem", tone="bad")
        lines([rule.note] if rule.note else [], key="rule-note", tone="warn")
    if clicked is not None and clicked.action == "history":
        context.switch("alerts", past)


def _list() -> None:
    go(_at(""))


def _copy(rule: Rule) -> None:
    st.session_state[_COPY] = rule
    go(_at(NEW_RULE))


def _at(rule_id: str) -> State:
    return replace(address(), alerts=AlertsPlace("rules", rule_id=rule_id))
