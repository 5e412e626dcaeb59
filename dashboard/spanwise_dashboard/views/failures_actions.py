"""What a person says of an issue: someone looks at it, it is fixed, it does not matter, it is another one's."""

from collections.abc import Sequence
from typing import Final, Literal

import streamlit as st

from spanwise_dashboard.context import Context, go
from spanwise_dashboard.failures_api import FailuresApi
from spanwise_dashboard.failures_place import FailuresPlace
from spanwise_dashboard.notices import explained
from spanwise_dashboard.views.alert_actions import done, name_input, remember
from spanwise_dashboard.views.failures_list import opened
from spanwise_dashboard.views.failures_words import choice, print_choice
from spanwise_schemas.api_failures import Fingerprint, Issue, IssueChange, IssueMerge, IssueSplit, IssueState

_NEXT: Final[dict[IssueState, tuple[IssueState, ...]]] = {
    "open": ("acknowledged", "resolved", "ignored"),
    "acknowledged": ("resolved", "ignored", "open"),
    "resolved": ("open",),
    "ignored": ("open",),
}
"""What can be said of an issue in a state, the likeliest first."""
_WORDS: Final[dict[IssueState, tuple[str, str, str, str]]] = {
    "acknowledged": ("Acknowledge", "front_hand", "Someone looks at it. It stays in the list.", "Acknowledged."),
    "resolved": (
        *("Resolve", "check_circle", "It is fixed. Should it fail again, it is open again and marked as reopened."),
        "Resolved.",
    ),
    "ignored": (
        *("Ignore", "visibility_off", "It does not matter. It leaves the list of what is to do; it is still counted."),
        "Ignored.",
    ),
    "open": ("Reopen", "undo", "It is to be done after all.", "Open again."),
}
"""Button, icon, meaning, and what is said when it is done."""
_FOUND: Final = 20
"""Issues that a search offers to merge."""


def actions(context: Context, issue: Issue) -> None:
    """Draws the buttons."""
    api = FailuresApi(context.client, context.project)
    with st.container(horizontal=True, key="issue-actions"):
        for number, state in enumerate(_NEXT[issue.state]):
            label, icon, meaning, _ = _WORDS[state]
            look: Literal["primary", "secondary"] = "primary" if number == 0 else "secondary"
            with st.popover(label, icon=f":material/{icon}:", type=look, key=f"issue-{state}"):
                st.markdown(meaning)
                _state_form(api, issue, state)
        with st.popover("Merge", icon=":material/merge:", key="issue-merge"):
            _merge(context, api, issue)


def split(context: Context, issue: Issue, prints: Sequence[Fingerprint]) -> None:
    """Draws the button that makes fingerprints an issue of their own; none where there is but one."""
    if len(prints) < 2:
        return
    api = FailuresApi(context.client, context.project)
    known = {one.fingerprint: print_choice(one) for one in prints}
    with st.popover("Split", icon=":material/call_split:", key="issue-split"):
        st.markdown("What you choose becomes an issue of its own. What comes later follows.")
        with st.form("split-form", border=False):
            chosen = st.multiselect("Fingerprints", list(known), key="split-prints", format_func=known.__getitem__)
            by = name_input("split-by")
            if st.form_submit_button("Split", type="primary", width="stretch"):
                if not 0 < len(chosen) < len(prints):
                    st.warning("Choose some of them, and not all.")
                    return
                said = IssueSplit(fingerprints=chosen, by=remember(by))
                done("Split.", lambda: go(opened(context.state(), api.split(issue.issue_id, said))))


def _state_form(api: FailuresApi, issue: Issue, state: IssueState) -> None:
    label, _, _, said = _WORDS[state]
    with st.form(f"issue-{state}-form", border=False):
        by = name_input(f"issue-{state}-by")
        note = st.text_area("Note", key=f"issue-{state}-note", max_chars=2000, height=80)
        if st.form_submit_button(label, type="primary", width="stretch"):
            change = IssueChange(state=state, note=note.strip(), by=remember(by))
            done(said, lambda: api.change(issue.issue_id, change))


def _merge(context: Context, api: FailuresApi, issue: Issue) -> None:
    st.markdown("The others become a part of this one: their failures are counted here, now and later.")
    text = st.text_input("Search by title", key="merge-q", placeholder="Part of a title").strip()
    if not text:
        return
    with explained():
        found = api.issues(context.window(), FailuresPlace(shown="all"), text=text, limit=_FOUND).items
        known = {one.issue_id: choice(one) for one in found if one.issue_id != issue.issue_id}
        if not known:
            st.caption("No other issue of this time range has that in its title.")
            return
        with st.form("merge-form", border=False):
            chosen = st.multiselect("Issues", list(known), key="merge-issues", format_func=known.__getitem__)
            by = name_input("merge-by")
            if st.form_submit_button("Merge into this one", type="primary", width="stretch"):
                if not chosen:
                    st.warning("Choose at least one.")
                    return
                said = IssueMerge(issues=chosen, by=remember(by))
                done("Merged.", lambda: api.merge(issue.issue_id, said))
