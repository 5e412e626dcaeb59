"""Drift: what is different from the days before, as the digest of a day."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Final

import streamlit as st

from spanwise_dashboard import remembered
from spanwise_dashboard.alerts_api import AlertsApi
from spanwise_dashboard.components.lines import lines
from spanwise_dashboard.components.table import Badge, Cell, Column, Row, table
from spanwise_dashboard.context import Context, address, go
from spanwise_dashboard.controls import refresh_seconds
from spanwise_dashboard.format import count, plural
from spanwise_dashboard.notices import explained, first_trace
from spanwise_dashboard.values import value
from spanwise_dashboard.views.alerts_words import series_words
from spanwise_dashboard.views.drift_finding import finding
from spanwise_schemas.api_drift import DriftReport, Watched

NEEDED_DAYS: Final = 7
"""Days of data before anything can be compared."""
_VERDICTS: Final = {
    "usual": Badge("as usual", "good"),
    "too_few": Badge("too few", "", "Too little data on that day to say anything."),
    "too_new": Badge("too new", "", "Too few days before to compare with."),
}
_USUAL_COLUMNS: Final = (
    Column("What"),
    Column("Before", "right", width="110px"),
    Column("That day", "right", width="110px"),
    Column("Verdict", width="110px"),
)
_UNTOLD_COLUMNS: Final = (Column("What", width="34%"), Column("Verdict", width="104px"), Column("Why", wrap=True))


def page(context: Context) -> None:
    """Draws the page."""
    with explained():
        if not remembered.projects(context.client).items:
            st.title("Drift", anchor=False)
            first_trace()
            return
        st.fragment(_body, run_every=refresh_seconds())(context)


def promise(rate: float) -> str:
    """What the false-discovery rate means, in plain words."""
    if rate <= 0:
        return ""
    for number in (10, 20, 100):
        if rate * number >= 1:
            return f"Of {number} findings like these at most {round(rate * number)} is false, on average."
    return "Of 100 findings like these fewer than one is false, on average."


def headline(report: DriftReport) -> str:
    """The day in one sentence."""
    if not report.tested:
        return "Nothing was compared on this day: there was too little data."
    tested = plural(report.tested, "series", "series")
    if not report.findings:
        return f"All {tested} were as usual." if report.tested > 1 else "The one series that was compared was as usual."
    number = len(report.findings)
    verb = "is" if number == 1 else "are"
    return f"{count(number)} of {tested} {verb} different from the days before."


def _body(context: Context) -> None:
    with explained():
        with st.spinner("Comparing …", show_time=False):
            report = AlertsApi(context.client, context.project).drift(context.state().alerts.day)
        _toolbar(report)
        if report.history_days < NEEDED_DAYS and not report.findings:
            _young(report)
            return
        lines([headline(report)], key="drift-headline", tone="large")
        if report.findings and (words := promise(report.false_discovery_rate)):
            st.caption(words, help="They are tested together, so that many tests do not make many false findings.")
        for number, one in enumerate(report.findings):
            finding(context, report, number, one)
        _watched(report)
        _texts(report)


def _toolbar(report: DriftReport) -> None:
    with st.container(horizontal=True, key="toolbar", vertical_alignment="center"):
        st.title("Drift", width="stretch", anchor=False)
        days = list(dict.fromkeys(sorted({report.day, *report.days}, reverse=True))) if report.days else []
        if days:
            st.session_state["drift-day"] = report.day
            st.selectbox(
                "Day",
                days,
                key="drift-day",
                format_func=day_words,
                label_visibility="collapsed",
                width=190,
                on_change=_day_changed,
            )


def day_words(day: date) -> str:
    """A day for people: `Tue 24 Nov 2026`."""
    return f"{day:%a} {day.day} {day:%b %Y}"


def _day_changed() -> None:
    here = address()
    go(replace(here, alerts=replace(here.alerts, day=st.session_state["drift-day"])))


def _young(report: DriftReport) -> None:
    with st.container(border=True):
        st.subheader("Too early to tell what is usual", anchor=False)
        have = f"{report.history_days:.1f}".removesuffix(".0")
        left = timedelta(days=max(0.0, NEEDED_DAYS - report.history_days))
        first = day_words((report.end + left).date())
        st.markdown(
            f"A day is compared with the days before it, and that takes {NEEDED_DAYS} of them; this project has "
            f"{have}. The first digest comes about {first}. It covers latency, cost, errors, models and tools, and the "
            "texts of inputs and outputs."
        )
        st.markdown("**Alerts** watches from the first hours on.")


def _watched(report: DriftReport) -> None:
    usual = [one for one in report.watched if one.verdict == "usual"]
    untold = [one for one in report.watched if one.verdict != "usual"]
    if usual:
        st.subheader("As usual", anchor=False)
        table("As usual", _USUAL_COLUMNS, [row(one) for one in usual], key="drift-usual", empty="")
    if untold:
        st.subheader("Not compared", anchor=False)
        table("Not compared", _UNTOLD_COLUMNS, [row(one) for one in untold], key="drift-untold", empty="")


def row(one: Watched) -> Row:
    """A series that has not drifted, with its values; one that could not be compared, with the reason."""
    what, verdict = Cell(one.title, sub=series_words(one.series)), Cell(badges=(_VERDICTS[one.verdict],))
    values = (Cell(value(one.before, one.unit)), Cell(value(one.value, one.unit)))
    cells = (what, *values, verdict) if one.verdict == "usual" else (what, verdict, Cell(one.detail))
    return Row(f"{one.signal}/{series_words(one.series)}", cells)


def _texts(report: DriftReport) -> None:
    if not report.texts:
        return
    st.subheader("How texts are compared", anchor=False)
    names = {"input": "Inputs", "output": "Outputs"}
    lines(
        [f"{names.get(name, name)}: {words}" for name, words in report.texts.items()], key="drift-texts", tone="muted"
    )
