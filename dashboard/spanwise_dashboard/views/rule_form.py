"""A rule as a form: a widget for each of its fields, and what is wrong with it below each."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import streamlit as st

from spanwise_dashboard import values
from spanwise_dashboard.components.lines import lines
from spanwise_dashboard.rule_fields import (
    COMMON,
    FIELDS,
    MODELS,
    SCOPE,
    Rule,
    RuleField,
    default,
    explanation,
    type_of,
    value_of,
    written,
)
from spanwise_dashboard.views.alerts_words import TYPES
from spanwise_schemas.rules import RuleType
from spanwise_schemas.signals import SIGNALS

_KEY: Final = "rule-field-"
_TYPE: Final = "rule-type"
_DURATIONS: Final = ("5m", "15m", "30m", "1h", "6h", "24h", "7d", "30d")
_WORDS: Final = {
    "up": "up",
    "down": "down",
    "both": "both ways",
    "keep": "keep the state",
    "alert": "alert",
    "ok": "be well",
    "user_group": "user group",
}


def forget() -> None:
    """Forgets what the form's widgets hold: they begin again with the rule's values."""
    _forget_fields()
    st.session_state.pop(_TYPE, None)


def _forget_fields() -> None:
    # Also when the type changes: what is by default for one type is not so for another.
    for key in [key for key in st.session_state if str(key).startswith(_KEY)]:
        del st.session_state[key]


def rule_form(rule: Rule, problems: Mapping[str, Sequence[str]], *, fixed_id: bool) -> dict[str, Any]:
    """Draws the form and returns the rule that it says.

    Args:
        rule: as it is now.
        problems: by the path of the field.
        fixed_id: whether the id is settled.
    """
    st.session_state.setdefault(_TYPE, type_of(rule))
    chosen: RuleType = st.selectbox(
        "Alert when", list(MODELS), key=_TYPE, format_func=TYPES.__getitem__, on_change=_forget_fields
    )
    found: dict[str, Any] = {}

    def draw(fields: Sequence[RuleField], key: str) -> None:
        with st.container(key=key):
            for field in fields:
                with st.container(gap="xsmall"):
                    found[field.path] = _widget(field, chosen, rule, disabled=fixed_id and field.path == "id")
                    lines(problems.get(field.path, ()), key=f"problem-{field.path}", tone="bad")

    draw(FIELDS[chosen], "rule-grid")
    draw(COMMON, "rule-common")
    amiss = any(field.path in problems for field in SCOPE)
    with st.expander("Which traffic, and who is told", icon=":material/filter_alt:", expanded=amiss):
        draw(SCOPE, "rule-scope")
    return written(chosen, found, rule)


def _widget(field: RuleField, rule_type: RuleType, rule: Rule, *, disabled: bool) -> Any:
    key = _KEY + field.path
    usual = default(rule_type, field.path)
    if key not in st.session_state:
        said = value_of(rule, field.path)
        st.session_state[key] = _fitting(field, usual if said is None else said)
    label = f"{field.label} *" if field.needed else field.label
    text = explanation(rule_type, field.path) or None
    return _DRAW[field.kind](field, label, key, text, disabled)


def _fitting(field: RuleField, value: Any) -> Any:
    """The value where a widget of this kind can show it, else nothing."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    match field.kind:
        case "switch":
            return bool(value)
        case "number":
            return float(value) if number else None
        case "whole":
            return int(value) if number else None
        case "many":
            return [item for item in _list(value) if item in field.options]
        case "words" | "signals":
            return [str(item) for item in _list(value)]
        case "choice":
            return value if value in field.options else None
        case "duration" | "signal":
            return str(value) if value else None
        case _:
            return "" if value is None else str(value)


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else []


Draw = Callable[[RuleField, str, str, str | None, bool], Any]


def _text(field: RuleField, label: str, key: str, text: str | None, disabled: bool) -> str:
    return st.text_input(label, key=key, help=text, disabled=disabled).strip()


def _number(field: RuleField, label: str, key: str, text: str | None, disabled: bool) -> float | None:
    return st.number_input(label, key=key, help=text, value=None, format="%g", step=0.01, placeholder="not set")


def _whole(field: RuleField, label: str, key: str, text: str | None, disabled: bool) -> int | None:
    return st.number_input(label, key=key, help=text, value=None, step=1, placeholder="not set")


def _choice(field: RuleField, label: str, key: str, text: str | None, disabled: bool) -> str | None:
    return st.selectbox(
        label,
        field.options,
        key=key,
        help=text,
        index=None if field.open else 0,
        placeholder=field.open,
        format_func=lambda option: _WORDS.get(option, option),
    )


def _many(field: RuleField, label: str, key: str, text: str | None, disabled: bool) -> list[str]:
    return st.multiselect(
        label,
        field.options,
        key=key,
        help=text,
        placeholder="none",
        format_func=lambda option: _WORDS.get(option, option),
    )


def _words(field: RuleField, label: str, key: str, text: str | None, disabled: bool) -> list[str]:
    options = st.session_state.get(key, [])
    return st.multiselect(label, options, key=key, help=text, placeholder="all", accept_new_options=True)


def _duration(field: RuleField, label: str, key: str, text: str | None, disabled: bool) -> str | None:
    options = list(dict.fromkeys([*_DURATIONS, *([now] if (now := st.session_state.get(key)) else [])]))
    return st.selectbox(label, options, key=key, help=text, index=None, accept_new_options=True)


def _switch(field: RuleField, label: str, key: str, text: str | None, disabled: bool) -> bool:
    return st.toggle(label, key=key, help=text)


def _signal(field: RuleField, label: str, key: str, text: str | None, disabled: bool) -> str | None:
    options = list(dict.fromkeys([*SIGNALS, *([now] if (now := st.session_state.get(key)) else [])]))
    return st.selectbox(
        label,
        options,
        key=key,
        help=text or "Or type score:<name> or failure:<class>.",
        index=None,
        placeholder="What to watch",
        accept_new_options=True,
        format_func=values.title,
    )


def _signals(field: RuleField, label: str, key: str, text: str | None, disabled: bool) -> list[str]:
    options = list(dict.fromkeys([*SIGNALS, *st.session_state.get(key, [])]))
    return st.multiselect(label, options, key=key, help=text, accept_new_options=True, format_func=values.title)


_DRAW: Final[dict[str, Draw]] = {
    "text": _text,
    "number": _number,
    "whole": _whole,
    "choice": _choice,
    "many": _many,
    "words": _words,
    "duration": _duration,
    "switch": _switch,
    "signal": _signal,
    "signals": _signals,
}
