"""Choosing the two sides of a comparison, and saying what they are."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, tzinfo
from typing import Final

import streamlit as st

from spanwise_dashboard.compare_place import SIDES, ComparePlace, choices
from spanwise_dashboard.components.facts import Fact, heading
from spanwise_dashboard.context import Context, address, go
from spanwise_dashboard.format import ago, compact, count, minute, plural
from spanwise_dashboard.state import State
from spanwise_dashboard.views.compare_words import AGAINST_LABELS, BY_LABELS
from spanwise_schemas.api_compare import Candidates, CompareBy, Comparison, Side

CUSTOM: Final = "custom"
_NONE: Final[dict[CompareBy, tuple[str, str]]] = {
    "release": (
        "Two releases are needed",
        "Say which release runs, with `SPANWISE_RELEASE` or `spanwise.init(release=...)`. As soon as two of them have "
        "sent traces, they can be compared here.",
    ),
    "prompt": (
        "Two prompt versions are needed",
        'Name the prompt and its version, with `spanwise.prompt("support-answer", version=3)`. As soon as two versions '
        "have sent traces, they can be compared here.",
    ),
    "model": (
        "Two models are needed",
        "Models are compared as soon as calls of two of them are in the time range.",
    ),
}


def by_choice(place: ComparePlace) -> None:
    """Draws the choice of what tells the sides apart."""
    st.session_state["compare-by"] = place.by
    st.segmented_control(
        "Compare",
        SIDES,
        key="compare-by",
        required=True,
        format_func=BY_LABELS.__getitem__,
        label_visibility="collapsed",
        on_change=_by_changed,
    )


def window_choice(context: Context, place: ComparePlace) -> None:
    """Draws the choice of the first time range; the second is that of the page."""
    window = context.window()
    chosen = CUSTOM if place.fixed else place.against
    st.session_state["compare-against"] = chosen
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox(
            "Compare the time range with",
            list(dict.fromkeys([*choices(window), *([] if place.fixed else [place.against]), CUSTOM])),
            key="compare-against",
            format_func=lambda name: AGAINST_LABELS.get(name, "another time range"),
            width=280,
            on_change=_against_changed,
            args=(context,),
        )
        if place.fixed is not None:
            st.session_state["compare-from"], st.session_state["compare-to"] = (
                moment.astimezone(context.zone).replace(tzinfo=None, microsecond=0) for moment in place.fixed
            )
            for label, key in (("From", "compare-from"), ("To", "compare-to")):
                st.datetime_input(label, key=key, width=200, step=60, on_change=_range_changed, args=(context,))


def chosen_values(place: ComparePlace, found: Candidates) -> tuple[str, str]:
    """The two values that are compared: as chosen, else the newest against the one before."""
    newest = [one.value for one in found.items]
    b = place.b or next((value for value in newest if value != place.a), "")
    a = place.a or next((value for value in newest if value != b), "")
    return a, b


def value_choice(context: Context, place: ComparePlace, found: Candidates) -> tuple[str, str]:
    """Draws the choice of two values, the most recently first seen first; returns them."""
    a, b = chosen_values(place, found)
    known = {one.value: candidate_words(context, one) for one in found.items}
    options = list(dict.fromkeys([*known, *(each for each in (a, b) if each)]))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        for label, key, value in (("A", "compare-a", a), ("B", "compare-b", b)):
            st.session_state[key] = value
            st.selectbox(
                label,
                options,
                key=key,
                format_func=lambda name: known.get(name, name),
                width="stretch",
                on_change=_values_changed,
            )
        st.button("Swap", icon=":material/swap_horiz:", key="compare-swap", on_click=_swap, args=(a, b))
    return a, b


def candidate_words(context: Context, one: Side) -> str:
    """A value with when it was first seen and how much of it there is."""
    amount = plural(one.calls, "call") if one.calls else plural(one.requests, "request")
    first = f"first seen {ago(one.first_seen, context.now())}, " if one.first_seen else ""
    return f"{one.label} · {first}{amount}"


def too_few_values(by: CompareBy, state: State, found: Candidates) -> None:
    """Says how two values come about, where there is none or one."""
    title, words = _NONE[by]
    with st.container(border=True):
        st.subheader(title, anchor=False)
        have = "There is one in this time range. " if found.items else "There is none in this time range. "
        st.markdown(have + words)
        wider = state.time.wider()
        if wider is not None:
            st.button(
                "Widen the time range",
                icon=":material/zoom_out_map:",
                on_click=lambda: go(replace(address(), time=wider)),
            )


def sides(context: Context, found: Comparison, seen: Sequence[Side] = ()) -> None:
    """Draws what both sides are: when, and how much of it there is."""
    known = {one.value: one for one in seen}
    with st.container(key="compare-sides"):
        for letter, side in (("A", found.a), ("B", found.b)):
            with st.container(border=True):
                title, facts = side_facts(context, found.by, side, known.get(side.value))
                heading(f"{letter}: {title}", (), facts, key=f"compare-side-{letter}", level=2)


def side_facts(context: Context, by: CompareBy, side: Side, seen: Side | None) -> tuple[str, list[Fact]]:
    """A side's title, and what is to be known of it."""
    now, zone = context.now(), context.zone
    when = f"{dated(side.start, zone, now)} to {dated(side.end, zone, now)}"
    facts = [
        *([Fact("Requests", compact(side.requests), title=count(side.requests))] if side.requests else []),
        Fact("Model calls", compact(side.calls), title=count(side.calls)),
    ]
    if by == "window":
        return when, facts
    first = seen.first_seen if seen else None
    last = seen.last_seen if seen else None
    return side.label, [
        *facts,
        *([Fact("First seen", minute(first, zone, now))] if first else []),
        *([Fact("Last seen", ago(last, now))] if last and last < now else []),
        Fact("Compared in", when),
    ]


def dated(moment: datetime, zone: tzinfo, now: datetime) -> str:
    """A time to the minute with its day, also where that is today: `25 Nov 11:42`."""
    local = moment.astimezone(zone)
    year = "" if local.year == now.astimezone(zone).year else f" {local.year}"
    return f"{local.day} {local:%b}{year} {local:%H:%M}"


def _change(place: ComparePlace) -> None:
    go(replace(address(), compare=place))


def _by_changed() -> None:
    _change(ComparePlace(st.session_state["compare-by"]))


def _against_changed(context: Context) -> None:
    place, chosen = address().compare, st.session_state["compare-against"]
    if chosen == CUSTOM:
        _change(replace(place, fixed=place.first(context.window())))
    else:
        _change(replace(place, fixed=None, against=chosen))


def _range_changed(context: Context) -> None:
    start, end = (
        st.session_state[key].replace(tzinfo=context.zone).astimezone(UTC) if st.session_state[key] else None
        for key in ("compare-from", "compare-to")
    )
    if start and end and start < end:
        _change(replace(address().compare, fixed=(start, end)))


def _values_changed() -> None:
    _change(replace(address().compare, a=st.session_state["compare-a"], b=st.session_state["compare-b"]))


def _swap(a: str, b: str) -> None:
    _change(replace(address().compare, a=b, b=a))
