"""When a rule would have fired on the history that is stored."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import streamlit as st

from spanwise_dashboard.alerts_api import AlertsApi
from spanwise_dashboard.components.band import band_chart
from spanwise_dashboard.components.lines import lines
from spanwise_dashboard.components.table import Cell, Column, Row, table
from spanwise_dashboard.context import Context
from spanwise_dashboard.errors import RequestRefusedError
from spanwise_dashboard.format import clock, count, plural
from spanwise_dashboard.notices import explained
from spanwise_dashboard.rule_fields import Rule, read, type_of
from spanwise_dashboard.values import AnyUnit, value
from spanwise_dashboard.views.alerts_words import compared_with, lasted, sentence_case, series_words
from spanwise_schemas.api_alerts import BackTest, Firing, RuleDraft
from spanwise_schemas.rules import watched_signal

_DONE: Final = "rule-preview"
_COLUMNS: Final = (
    Column("Would have fired", width="150px"),
    Column("Lasted", "right", width="118px"),
    Column("Why", wrap=True),
    Column("Value", "right", width="90px", hide=560),
)


@dataclass(frozen=True, slots=True)
class _Preview:
    """An answer, and the draft that it is about."""

    about: RuleDraft
    answer: BackTest


def preview(context: Context, draft: RuleDraft, rule: Rule) -> None:
    """Draws the choice of how far back, the button, and the newest answer.

    Args:
        context: the page's.
        draft: what is tried.
        rule: the same, as far as it reads.
    """
    with st.container(border=True):
        st.markdown("**Preview on history**", help="Runs the rule over what is stored, as if it had watched then.")
        with st.container(horizontal=True, vertical_alignment="center"):
            days = st.segmented_control(
                "How far back",
                (14, 28),
                key="preview-days",
                default=14,
                required=True,
                format_func=lambda number: f"{number} days",
                label_visibility="collapsed",
            )
            asked = st.button("Preview", icon=":material/history:", key="preview")
        if asked:
            st.session_state.pop(_DONE, None)
            _ask(context, draft, days or 14)
        shown: _Preview | None = st.session_state.get(_DONE)
        if shown is None:
            st.caption("Says when it would have fired, before anyone is woken by it.")
        elif shown.about != draft:
            st.caption("The rule has changed since the last preview.")
        else:
            _answer(context, shown.answer, rule)


def summary(answer: BackTest) -> str:
    """How often it would have fired."""
    days = plural(round((answer.end - answer.start) / timedelta(days=1)), "day")
    looked = f"{count(answer.evaluations)} evaluations of {plural(answer.series, 'series', 'series')}"
    if not answer.firings:
        return f"It would not have fired in the last {days}: {looked}."
    times = {1: "once", 2: "twice"}.get(len(answer.firings), f"{count(len(answer.firings))} times")
    hours = f"{answer.firing_hours:.1f}".removesuffix(".0")
    return f"It would have fired {times} in the last {days}, for {hours} h in all: {looked}."


def _ask(context: Context, draft: RuleDraft, days: int) -> None:
    now = context.now()
    with explained(), st.spinner("Trying the rule on history …", show_time=False):
        try:
            answer = AlertsApi(context.client, context.project).back_test(draft, now - timedelta(days=days), now)
        except RequestRefusedError as error:
            lines([f"It cannot be tried: {error}"], key="preview-refused", tone="bad")
        else:
            st.session_state[_DONE] = _Preview(draft, answer)


def _answer(context: Context, answer: BackTest, rule: Rule) -> None:
    lines([summary(answer)], key="preview-summary", tone="large")
    if answer.promise:
        lines([f"Its promise: {answer.promise}."], key="preview-promise", tone="muted")
    if answer.note:
        lines([answer.note], key="preview-note", tone="warn")
    name, unit = _subject(rule)
    spans = [(one.fired_at, one.ended_at or answer.end) for one in answer.firings]
    band_chart(name, answer.band, unit, key="preview-band", spans=spans, span_label="would have fired")
    if answer.firings:
        rows = [_row(context, answer, number, one, unit) for number, one in enumerate(answer.firings)]
        against = Column(compared_with(type_of(rule)), "right", width="90px", hide=560)
        table("Would have fired", (*_COLUMNS, against), rows, key="preview-firings", empty="")


def _subject(rule: Rule) -> tuple[str, AnyUnit]:
    known = read({**rule, "id": rule.get("id") or "draft"})
    signal = None if known is None else watched_signal(known)  # type: ignore[arg-type]
    return ("measured", "") if signal is None else (signal.title, signal.unit)


def _row(context: Context, answer: BackTest, number: int, one: Firing, unit: AnyUnit) -> Row:
    lasting = lasted(one.fired_at, one.ended_at or answer.end)
    cells: tuple[Any, ...] = (
        Cell(clock(one.fired_at, context.zone, context.now())),
        Cell(lasting if one.ended_at else f"{lasting}, still"),
        Cell(sentence_case(one.sentence) or "(no words)", sub=series_words(one.series)),
        Cell(value(one.value, unit)),
        Cell(value(one.expected, unit)),
    )
    return Row(str(number), cells)
