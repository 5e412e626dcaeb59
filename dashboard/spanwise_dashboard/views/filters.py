"""Filters of the list of traces: a search, a form, and a chip for each that is set."""

from collections.abc import Callable, Sequence
from dataclasses import fields, replace

import streamlit as st

from spanwise_dashboard.components.facts import Fact, chips
from spanwise_dashboard.context import address, go
from spanwise_dashboard.format import plural
from spanwise_dashboard.state import FORM_FILTERS, LIST_FILTERS, NUMBER_FILTERS, SUCCEEDED, TEXT_FILTERS, Filters
from spanwise_schemas.api import Facets

LABELS = {
    "environment": "Environment",
    "name": "Name",
    "kind": "Kind",
    "model": "Model",
    "status": "Status",
    "tag": "Tag",
    "release": "Release",
    "prompt": "Prompt",
    "provider": "Provider",
    "tool": "Tool",
    "user_group": "User group",
    "failure": "Failure",
    "user": "User",
    "session": "Session",
    "q": "Text",
    "min_cost_usd": "Cost from (USD)",
    "max_cost_usd": "Cost to (USD)",
    "min_duration_ms": "Duration from (ms)",
    "max_duration_ms": "Duration to (ms)",
}
OUTCOMES = {"Succeeded": SUCCEEDED, "Failed": ("error",)}
"""What people call the statuses."""


def filter_bar(filters: Filters, facets: Facets) -> None:
    """Draws the bar; a change goes into the address."""
    with st.container(horizontal=True, vertical_alignment="center", key="filter-bar"):
        st.session_state["filter-q"] = filters.q
        st.text_input(
            "Text",
            key="filter-q",
            placeholder="Search in inputs and outputs",
            icon=":material/search:",
            label_visibility="collapsed",
            width="stretch",
            on_change=_search,
        )
        _status(filters)
        active = len(filters.active)
        label = f"Filters ({active})" if active else "Filters"
        with st.popover(label, icon=":material/tune:", type="primary" if active else "secondary", key="filters"):
            _form(filters, facets)
    _chips(filters)


def reset() -> None:
    """Takes all filters away."""
    go(replace(address(), filters=Filters(), cursor=""))


def outcomes(statuses: Sequence[str]) -> list[str]:
    """Which of `OUTCOMES` are chosen."""
    return [outcome for outcome, meant in OUTCOMES.items() if set(meant) & set(statuses)]


def active_chips(filters: Filters) -> list[Fact]:
    """One chip per value that is set; its value says what to remove, as `filter=value`."""
    found = []
    for each in fields(filters):
        value = getattr(filters, each.name)
        if each.name == "status":
            texts: tuple[str, ...] = tuple(outcomes(value))
        elif isinstance(value, tuple):
            texts = value
        else:
            texts = () if value in ("", None) else (_plain(value),)
        found += [
            Fact(LABELS[each.name], text, action="remove", value=f"{each.name}={text}", removable=True)
            for text in texts
        ]
    return found


def without(filters: Filters, chip: str) -> Filters:
    """The filters without what a chip stands for."""
    name, _, text = chip.partition("=")
    if name == "status":
        return replace(filters, status=tuple(value for value in filters.status if value not in OUTCOMES.get(text, ())))
    if name in LIST_FILTERS:
        rest = tuple(value for value in getattr(filters, name) if value != text)
        return replace(filters, **{name: rest})  # type: ignore[arg-type]
    if name in TEXT_FILTERS:
        return replace(filters, **{name: ""})  # type: ignore[arg-type]
    return replace(filters, **{name: None}) if name in NUMBER_FILTERS else filters  # type: ignore[arg-type]


def _plain(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _chips(filters: Filters) -> None:
    shown = active_chips(filters)
    if not shown:
        return
    clicked = chips(shown, reset=f"Reset {plural(len(shown), 'filter')}", key="chips")
    if clicked is None:
        return
    if clicked.action == "reset":
        reset()
    else:
        go(replace(address(), filters=without(filters, clicked.value), cursor=""))
    st.rerun()


def _status(filters: Filters) -> None:
    st.session_state["filter-status"] = outcomes(filters.status)
    st.segmented_control(
        "Status",
        list(OUTCOMES),
        key="filter-status",
        selection_mode="multi",
        label_visibility="collapsed",
        on_change=_status_changed,
    )


def _form(filters: Filters, facets: Facets) -> None:
    known: dict[str, Sequence[str]] = {
        "environment": facets.environments,
        "name": facets.names,
        "model": facets.models,
        "kind": facets.kinds,
        "tag": facets.tags,
    }
    with st.form("filter-form", border=False):
        for name, options in known.items():
            chosen = getattr(filters, name)
            st.session_state[f"filter-{name}"] = list(chosen)
            st.multiselect(
                LABELS[name], list(dict.fromkeys([*chosen, *options])), key=f"filter-{name}", placeholder="Any"
            )
        _pair(("user", "session"), lambda name: _text(name, filters))
        _pair(("min_cost_usd", "max_cost_usd"), lambda name: _number(name, filters, step=0.01))
        _pair(("min_duration_ms", "max_duration_ms"), lambda name: _number(name, filters, step=100.0))
        st.form_submit_button("Apply", type="primary", width="stretch", on_click=_apply)


def _pair(names: tuple[str, str], draw: Callable[[str], None]) -> None:
    for column, name in zip(st.columns(2), names, strict=True):
        with column:
            draw(name)


def _text(name: str, filters: Filters) -> None:
    st.session_state[f"filter-{name}"] = getattr(filters, name)
    st.text_input(LABELS[name], key=f"filter-{name}")


def _number(name: str, filters: Filters, *, step: float) -> None:
    st.session_state[f"filter-{name}"] = getattr(filters, name)
    st.number_input(LABELS[name], key=f"filter-{name}", min_value=0.0, step=step, format="%g", value=None)


def _search() -> None:
    go(address().filtered(q=st.session_state["filter-q"].strip()))


def _status_changed() -> None:
    chosen = st.session_state["filter-status"]
    go(address().filtered(status=tuple(status for outcome in chosen for status in OUTCOMES[outcome])))


def _apply() -> None:
    lists = {name: tuple(st.session_state[f"filter-{name}"]) for name in FORM_FILTERS}
    texts = {name: st.session_state[f"filter-{name}"].strip() for name in ("user", "session")}
    numbers = {name: st.session_state[f"filter-{name}"] for name in NUMBER_FILTERS}
    go(address().filtered(**lists, **texts, **numbers))
