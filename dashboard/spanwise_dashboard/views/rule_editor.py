"""Writing a rule, as a form or as TOML: check it, preview it on history, store or delete it."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import streamlit as st

from spanwise_dashboard.alerts_api import AlertsApi
from spanwise_dashboard.alerts_place import AlertsPlace
from spanwise_dashboard.components.lines import lines
from spanwise_dashboard.context import Context, address, go
from spanwise_dashboard.notices import explained
from spanwise_dashboard.rule_fields import Rule, place_of, type_of
from spanwise_dashboard.toml_text import rule_toml
from spanwise_dashboard.views.alert_actions import done, name_input, remember
from spanwise_dashboard.views.rule_form import forget, rule_form
from spanwise_dashboard.views.rule_preview import preview
from spanwise_schemas.api_alerts import RuleDraft, RuleProblem

_DRAFT: Final = "rule-draft"
_TOML: Final = "rule-toml"
_TRIED: Final = "draft"


@dataclass
class Draft:
    """A rule that is being written, kept in the session.

    Attributes:
        of: id of the rule that it will replace, or what stands for a new one.
        rule: as it reads now.
        unread: TOML text that does not read as one rule; empty where it does.
        problems: of the last check.
        checked: what they are about.
    """

    of: str
    rule: dict[str, Any]
    unread: str = ""
    problems: Sequence[RuleProblem] = ()
    checked: object = field(default=None)

    @property
    def subject(self) -> object:
        """What is checked and previewed."""
        return self.unread or self.rule

    def tried(self) -> RuleDraft:
        """As the collector tries it on history, for which it needs no id of its own yet."""
        return (
            RuleDraft(toml=self.unread)
            if self.unread
            else RuleDraft(rule={**self.rule, "id": self.rule.get("id") or _TRIED})
        )

    def sent(self, by: str = "") -> RuleDraft:
        """As the collector takes it."""
        return RuleDraft(toml=self.unread, by=by) if self.unread else RuleDraft(rule=self.rule, by=by)


def editor(context: Context, of: str, start: Rule, *, stored: bool) -> None:
    """Draws the editor.

    Args:
        context: the page's.
        of: id of the rule, or what stands for a new one.
        start: the rule to begin with.
        stored: whether the rule exists, so that its id is settled and it can be deleted.
    """
    api = AlertsApi(context.client, context.project)
    draft = _draft(context, of, start)
    with st.container(border=True):
        view = st.segmented_control(
            "As", ("Form", "TOML"), key="rule-view", default="Form", required=True, label_visibility="collapsed"
        )
        before = draft.subject
        by_field, others = sorted_problems(draft)
        if view == "TOML":
            _toml(draft)
            others = [*others, *(f"{path}: {text}" for path, texts in by_field.items() for text in texts)]
        else:
            draft.rule, draft.unread = rule_form(draft.rule, by_field, fixed_id=stored), ""
            st.session_state.pop(_TOML, None)
        if draft.problems and draft.subject != before:
            draft.problems, draft.checked = (), None
            st.rerun()
        lines(others, key="rule-problems", tone="bad")
        if draft.checked == draft.subject and not draft.problems:
            st.success("The rule can be used.")
        _buttons(api, draft, stored=stored)
    preview(context, draft.tried(), draft.rule)


def parsed(text: str) -> tuple[dict[str, Any], str]:
    """The one rule in a TOML text, and what speaks against it; the rule is empty where there is not just one."""
    try:
        found = tomllib.loads(text).get("rules", [])
    except tomllib.TOMLDecodeError as error:
        return {}, f"This is not TOML: {error}"
    if not isinstance(found, list) or len(found) != 1 or not isinstance(found[0], dict):
        return {}, "Write one rule here, below [[rules]]; several go into a file in your repository."
    return found[0], ""


def sorted_problems(draft: Draft) -> tuple[Mapping[str, Sequence[str]], list[str]]:
    """Problems by the field they are about, and those that are about none."""
    by_field: dict[str, list[str]] = {}
    others: list[str] = []
    for problem in draft.problems:
        place = place_of(problem.field, type_of(draft.rule)) if problem.field else ""
        if place:
            by_field.setdefault(place, []).append(problem.detail)
        else:
            others.append(f"{problem.field}: {problem.detail}" if problem.field else problem.detail)
    return by_field, others


def _draft(context: Context, of: str, start: Rule) -> Draft:
    draft: Draft | None = st.session_state.get(_DRAFT)
    if draft is None or draft.of != of:
        draft = Draft(of, dict(start))
        st.session_state[_DRAFT] = draft
        st.session_state.pop(_TOML, None)
        forget()
    return draft


def _toml(draft: Draft) -> None:
    st.session_state.setdefault(_TOML, rule_toml(draft.rule))
    text = st.text_area("TOML", key=_TOML, height=260, label_visibility="collapsed")
    rule, why = parsed(text)
    draft.unread = text if why else ""
    if rule:
        draft.rule = rule
    forget()
    if why:
        lines([why], key="rule-toml-problem", tone="bad")


def _buttons(api: AlertsApi, draft: Draft, *, stored: bool) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", key="rule-buttons"):
        by = name_input("rule-by", 240)
        if st.button("Check", icon=":material/rule:", key="rule-check"):
            with explained():
                _check(api, draft)
                st.rerun()
        if st.button("Save", icon=":material/save:", key="rule-save", type="primary"):
            with explained():
                _check(api, draft)
                if draft.problems or draft.unread:
                    st.rerun()
                rule_id = str(draft.rule["id"])
                api.save(rule_id, draft.sent(remember(by)))
                close()
                done("The rule is stored.", lambda: None)
        if stored:
            with st.popover("Delete", icon=":material/delete:", key="rule-delete"):
                st.markdown("Its open alerts end. What it once found stays in the history.")
                if st.button("Delete the rule", key="rule-delete-sure", type="primary"):
                    with explained():
                        api.delete(draft.of)
                        close()
                        done("The rule is deleted.", lambda: None)


def close() -> None:
    """Back to the list of rules; what was written is forgotten."""
    st.session_state.pop(_DRAFT, None)
    go(replace(address(), alerts=AlertsPlace("rules")))


def _check(api: AlertsApi, draft: Draft) -> None:
    draft.problems = api.check(draft.sent()).problems
    draft.checked = draft.unread or dict(draft.rule)
