"""Costs by one dimension: a table whose lines lead to the traces behind them."""

from dataclasses import replace
from typing import Final

import streamlit as st

from spanwise_dashboard.components.table import Cell, Column, Row, table
from spanwise_dashboard.context import Context, address, go, href
from spanwise_dashboard.format import (
    NO_CHANGE,
    UNKNOWN,
    change,
    compact,
    count,
    money,
    money_in_brief,
    percent,
    plural,
    ratio,
)
from spanwise_dashboard.state import DIMENSIONS, State
from spanwise_dashboard.views.overview_groups import comparable
from spanwise_schemas.api_costs import CostBreakdown, CostDimension, CostGroup, CostTotals

LABELS: Final[dict[CostDimension, str]] = {
    "model": "Model",
    "request": "Request",
    "name": "Span",
    "user": "User",
    "session": "Session",
    "prompt": "Prompt",
    "release": "Release",
    "environment": "Environment",
}
_FILTERS: Final[dict[CostDimension, str]] = {
    "model": "model",
    "request": "name",
    "user": "user",
    "session": "session",
    "environment": "environment",
}
"""Filters of the list of traces that lead to the traces behind a group."""
_NONE: Final[dict[CostDimension, str]] = {"request": "(root has not arrived)", "prompt": "(no prompt named)"}


def per_thousand(totals: CostTotals) -> int | None:
    """Nano-dollars per thousand priced calls, or None."""
    priced = totals.calls - totals.unpriced_calls
    return round(totals.cost_nanousd * 1000 / priced) if totals.cost_nanousd is not None and priced else None


FIRST: Final = 12
"""Lines that are shown before all are asked for."""


def breakdown(context: Context, found: CostBreakdown) -> None:
    """Draws the table with the choice of what it is by."""
    with st.container():
        st.subheader("Where it goes", anchor=False)
        st.session_state["cost-by"] = found.by
        st.segmented_control(
            "By",
            DIMENSIONS,
            key="cost-by",
            required=True,
            format_func=LABELS.__getitem__,
            label_visibility="collapsed",
            on_change=_by_changed,
        )
        title = f"Costs by {LABELS[found.by].lower()}"
        empty = "No model calls in this time range."
        lines = rows(context, found)
        few = len(lines) > FIRST and not st.session_state.get("costs-all")
        clicked = table(title, columns(found), lines[:FIRST] if few else lines, key=f"costs-{found.by}", empty=empty)
        if few:
            st.button(f"Show {len(lines)}", key="costs-more", icon=":material/unfold_more:", on_click=_show_all)
        elif found.left_out:
            st.caption(f"The dearest {len(found.groups)}; {count(found.left_out)} more cost less.")
    if clicked is not None and clicked.action == "row":
        context.switch("traces", _behind(context, found.by, clicked.value))


def _show_all() -> None:
    st.session_state["costs-all"] = True


def _by_changed() -> None:
    go(replace(address(), by=st.session_state["cost-by"]))


def columns(found: CostBreakdown) -> tuple[Column, ...]:
    """Columns of the table; the cached part only where it is known."""
    cached = Column("Cached", "right", hide=620, help="Part of the input that came from a cache")
    of_cost = "With its share of the whole; + means that calls without a price are left out"
    return (
        Column(LABELS[found.by], width="26%"),
        Column("Calls", "right", width="13%"),
        Column("Input", "right", hide=520),
        *([cached] if _cached(found) else []),
        Column("Output", "right", hide=520),
        Column("Per 1k calls", "right", width="12%", hide=700),
        Column("Cost", "right", width="18%", help=of_cost),
    )


def _cached(found: CostBreakdown) -> bool:
    return all(group.cached_known for group in found.groups)


def rows(context: Context, found: CostBreakdown) -> list[Row]:
    """A line per group."""
    whole = sum(group.totals.cost_nanousd or 0 for group in found.groups)
    return [_row(context, found, group, whole) for group in found.groups]


def _row(context: Context, found: CostBreakdown, group: CostGroup, whole: int) -> Row:
    totals = group.totals
    usage = totals.usage
    more = change(totals.calls, group.previous_calls)
    dearer = change(totals.cost_nanousd, group.previous_cost_nanousd, "down")
    if not group.previous_calls or not comparable(totals.calls, group.previous_calls):
        more = dearer = NO_CHANGE
    left_out = (
        f"{plural(totals.unpriced_calls, 'call')} without a known price left out" if totals.unpriced_calls else None
    )
    cost = money(totals.cost_nanousd) + ("+" if left_out and totals.cost_nanousd is not None else "")
    share = ratio(totals.cost_nanousd or 0, whole) or 0.0
    name = f"{group.key} {group.version}".strip() or _NONE.get(found.by, "(none)")
    cells = (
        Cell(name, title=name),
        Cell(compact(totals.calls), title=count(totals.calls), change=more),
        Cell(compact(usage.input), title=count(usage.input)),
        *([Cell(percent(ratio(usage.cache_read, usage.input)) if usage.input else UNKNOWN)] if _cached(found) else []),
        Cell(compact(usage.output), title=count(usage.output)),
        Cell(money_in_brief(per_thousand(totals)), title=money(per_thousand(totals))),
        Cell(cost, change=dearer, bar=share, title=left_out),
    )
    target = href("traces", _behind(context, found.by, group.key)) if group.key and found.by in _FILTERS else ""
    return Row(f"{group.key}\n{group.version}" if found.by == "prompt" else group.key, cells, href=target)


def _behind(context: Context, by: CostDimension, key: str) -> State:
    """The list of the traces behind a group."""
    name = _FILTERS[by]
    value: object = key if name in ("user", "session") else (key,)
    return replace(context.state(), by="model", model="", cache=State().cache).filtered(**{name: value})
