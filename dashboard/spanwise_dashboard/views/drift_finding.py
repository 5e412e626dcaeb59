"""One thing that drifted: its size, since when, and what a person can check it by."""

from collections.abc import Sequence
from typing import Final

import streamlit as st

from spanwise_dashboard.components.band import Mark, band_chart
from spanwise_dashboard.components.facts import Fact, heading
from spanwise_dashboard.components.lines import lines
from spanwise_dashboard.components.pairs import Example, Pair, pairs
from spanwise_dashboard.components.table import Badge, Cell, Column, Row, table
from spanwise_dashboard.context import Context, href, shared
from spanwise_dashboard.format import compact, minute, percent
from spanwise_dashboard.values import difference, interval, value, worse
from spanwise_dashboard.views.alerts_words import series_words
from spanwise_dashboard.views.behind import traces_behind
from spanwise_schemas.api_drift import DriftReport, Finding, ShareShift, TextCluster, WordShift

_WORD_COLUMNS: Final = (
    Column("Word"),
    Column("Before", "right", width="22%", help="In a thousand words"),
    Column("That day", "right", width="22%", help="In a thousand words"),
)


def finding(context: Context, report: DriftReport, number: int, found: Finding) -> None:
    """Draws the finding."""
    key = f"finding-{number}"
    with st.container(border=True, gap="small", key=key):
        heading(found.sentence, badges(found), facts(context, found), key=f"{key}-heading", level=2)
        if found.explanation:
            lines([found.explanation], key=f"{key}-explanation")
        began = [Mark(found.began, "began", "warn")] if found.began else []
        band_chart(found.title, found.band, found.unit, key=f"{key}-band", marks=began)
        if found.shares:
            pairs("Shares", shares(found.shares), before="before", after="that day", key=f"{key}-shares")
        _clusters(context, key, found.clusters)
        _words(key, found.words)
        if found.filters:
            place = traces_behind(context, found.filters, report.start, report.end)
            if st.button("Open these traces of the day", icon=":material/account_tree:", key=f"{key}-traces"):
                context.switch("traces", place)


def badges(found: Finding) -> tuple[Badge, ...]:
    """What drifted, where, and which way; red where that way is worse."""
    bad = found.direction == worse(found.signal)
    good = not bad and found.direction != "changed" and worse(found.signal) != "both"
    tone = "bad" if bad else "good" if good else "warn"
    where = series_words(found.series)
    return (
        Badge(found.title),
        *((Badge(where),) if where else ()),
        Badge(found.direction, tone),
    )


def facts(context: Context, found: Finding) -> list[Fact]:
    """Before and after, how sure, since when, on how much data."""
    sizes = [Fact("Before", value(found.before, found.unit))] if found.before is not None else []
    if found.after is not None:
        sizes.append(Fact("That day", value(found.after, found.unit)))
    counted = f"{compact(found.samples_before)} → {compact(found.samples_after)}"
    return [
        *sizes,
        *([Fact("Change", *change_words(found))] if found.change is not None else []),
        *([Fact("Since", minute(found.began, context.zone, context.now()))] if found.began else []),
        *([Fact("Counted", counted, title="Before → that day")] if found.samples_after else []),
        *([Fact("Evidence", *evidence(found))] if found.e_value or found.p_value is not None else []),
    ]


def change_words(found: Finding) -> tuple[str, str]:
    """The change with its interval, and what that means."""
    if found.relative:
        shown = f"{found.change:+.0%}"
        sure = "" if found.change_low is None or found.change_high is None else _relative(found)
    else:
        shown, sure = difference(found.change, found.unit), interval(found.change_low, found.change_high, found.unit)
    text = f"{shown} ({sure})" if sure else shown
    return text, "In brackets the 95 % interval: the true change lies in it, in 95 of 100 such cases"


def evidence(found: Finding) -> tuple[str, str]:
    """How strongly the data speaks for a change, and what that means."""
    if found.p_value is not None:
        days = percent(found.p_value)
        return (
            f"as different on {days} of usual days",
            "So often a day on which nothing changed looks as different as this one",
        )
    odds = f"{found.e_value:,.0f}" if found.e_value < 1e6 else "over a million"
    return f"{odds} to 1", "How many times better a change explains the data than chance does"


def shares(found: Sequence[ShareShift]) -> list[Pair]:
    """Values of a category, those that moved most first."""
    ranked = sorted(found, key=lambda one: -abs(one.after - one.before))
    return [Pair(one.value or "(none)", one.before, one.after, one.low, one.high) for one in ranked]


def clusters(context: Context, found: Sequence[TextCluster]) -> list[Pair]:
    """Clusters of texts with examples that lead to their traces."""
    place = shared(context.state())
    shown = []
    for one in found:
        traces = [*one.trace_ids, *[""] * (len(one.examples) - len(one.trace_ids))]
        examples = tuple(
            Example(text, href("trace", place.on_trace(trace)) if trace else "", trace)
            for text, trace in zip(one.examples, traces, strict=False)
        )
        new = (Badge("new", "warn"),) if one.is_new else ()
        shown.append(Pair(one.label, one.before, one.after, one.low, one.high, new, examples))
    return shown


def word_row(word: WordShift) -> Row:
    """A word and how often it occurs."""
    cells = (
        Cell(word.word, badges=(Badge("more", "warn") if word.z > 0 else Badge("less"),)),
        Cell(f"{word.before:.3g}"),
        Cell(f"{word.after:.3g}"),
    )
    return Row(word.word, cells)


def _relative(found: Finding) -> str:
    return f"{found.change_low:+.0%} to {found.change_high:+.0%}"


def _clusters(context: Context, key: str, found: Sequence[TextCluster]) -> None:
    if not found:
        return
    shown = clusters(context, found)
    clicked = pairs("Subjects", shown, before="before", after="that day", key=f"{key}-clusters")
    if clicked is not None and clicked.action == "trace":
        context.switch("trace", shared(context.state()).on_trace(clicked.value))


def _words(key: str, found: Sequence[WordShift]) -> None:
    if not found:
        return
    with st.expander("Words that moved", icon=":material/match_case:"):
        ranked = sorted(found, key=lambda word: -abs(word.z))
        table("Words that moved", _WORD_COLUMNS, [word_row(word) for word in ranked], key=f"{key}-words", empty="")
