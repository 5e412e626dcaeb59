"""Turning the pages of a list: on by the collector's cursor, back by the cursors that this session came along."""

from dataclasses import replace

import streamlit as st

from spanwise_dashboard.context import address, go
from spanwise_dashboard.format import plural


def pager(shown: int, noun: str, next_cursor: str | None) -> None:
    """Draws the buttons.

    Args:
        shown: how many items this page has.
        noun: what they are, one of them.
        next_cursor: of the page after; None on the last.
    """
    here = address().cursor
    trail: list[str] = st.session_state.setdefault("trail", [])
    if not here:
        trail.clear()
    if not here and next_cursor is None:
        st.caption(f"{plural(shown, noun)}, all that match.")
        return
    with st.container(horizontal=True, key="pager"):
        if here:
            st.button("First", icon=":material/first_page:", on_click=_turn, args=("", "back"))
            if trail:
                st.button("Previous", icon=":material/chevron_left:", on_click=_turn, args=(trail[-1], "back"))
        if next_cursor is not None:
            st.button("Next", icon=":material/chevron_right:", on_click=_turn, args=(next_cursor, "on"))
        place = "first" if not here else f"page {len(trail) + 1}," if trail else "next"
        st.caption(f"Newest first, {place} {plural(shown, noun)}.")


def _turn(cursor: str, way: str) -> None:
    here = address()
    trail: list[str] = st.session_state["trail"]
    if way == "on":
        trail.append(here.cursor)
    elif trail:
        trail.pop()
    go(replace(here, cursor=cursor))
