"""The tables of the overview: models and requests, against the window before."""

from collections.abc import Mapping, Sequence

import streamlit as st

from spanwise_dashboard.components.table import Cell, Column, Row, table
from spanwise_dashboard.context import Context, href
from spanwise_dashboard.format import (
    NO_CHANGE,
    UNKNOWN,
    change,
    compact,
    count,
    duration,
    money,
    percent,
    plural,
    points,
    ratio,
)
from spanwise_dashboard.state import State
from spanwise_schemas.api import Group
from spanwise_schemas.api_costs import CostGroup


def comparable(now: int, before: int) -> bool:
    """Whether two counts of requests are close enough for changes between them to mean anything.

    A window before with under a hundredth of the requests is one in which the application was not running yet, or
    hardly: "x2,500" and the percentiles of two requests would be noise in red.
    """
    return before * 100 >= now


def by_model(context: Context, groups: Sequence[Group], compared: bool) -> None:
    """Draws the models, with changes where these are to be compared."""
    rows = [
        Row(
            group.key,
            (*_common_cells(group, compared), *_cost_cells(groups, group, compared)),
            href=_href(context, "model", group.key),
        )
        for group in groups
    ]
    columns = (
        Column("Model", width="24%"),
        *_COMMON_COLUMNS,
        Column("Tokens", "right", hide=560),
        Column("Cost", "right", width="17%", help="With its share of the whole"),
    )
    _group_table(context, "By model", "model", columns, rows, "No model calls in this time range.")


def by_name(context: Context, groups: Sequence[Group], costs: Mapping[str, CostGroup], compared: bool) -> None:
    """Draws the requests by name, with what the model calls in their traces cost."""
    whole = sum(each.totals.cost_nanousd or 0 for each in costs.values())
    rows = [
        Row(
            group.key,
            (
                *_common_cells(group, compared),
                Cell(duration(group.latency_ms_p99)),
                *_request_cells(
                    costs.get(group.key), whole, compared and comparable(group.calls, group.previous_calls)
                ),
            ),
            href=_href(context, "name", group.key),
        )
        for group in groups
    ]
    columns = (
        Column("Name", width="20%"),
        Column("Calls", "right", width="12%"),
        Column("Errors", "right", width="15%", hide=440),
        Column("p50", "right", width="9%", hide=620),
        Column("p95", "right", width="13%"),
        Column("p99", "right", width="9%", hide=620),
        Column("Tokens", "right", width="9%", hide=560),
        Column("Cost", "right", width="13%", help="Of all model calls in the trace, with its share of the whole"),
    )
    _group_table(context, "By request", "name", columns, rows, "No requests in this time range.")


_COMMON_COLUMNS = (
    Column("Calls", "right", width="12%"),
    Column("Errors", "right", width="15%", hide=440),
    Column("p50", "right", hide=620),
    Column("p95", "right", width="15%"),
)


def _share(groups: Sequence[Group], group: Group) -> float:
    return ratio(group.cost_nanousd or 0, sum(each.cost_nanousd or 0 for each in groups)) or 0.0


def _common_cells(group: Group, compared: bool) -> tuple[Cell, ...]:
    rate = ratio(group.errors, group.calls)
    rate_before = ratio(group.previous_errors, group.previous_calls)
    more, worse, slower = (
        change(group.calls, group.previous_calls),
        points(rate, rate_before, "down"),
        change(group.latency_ms_p95, group.previous_latency_ms_p95, "down"),
    )
    if not compared or (group.previous_calls and not comparable(group.calls, group.previous_calls)):
        more = worse = slower = NO_CHANGE
    return (
        Cell(group.key or "(none)", title=group.key),
        Cell(compact(group.calls), title=count(group.calls), change=more),
        Cell(percent(rate), tone="bad" if group.errors else "", change=worse),
        Cell(duration(group.latency_ms_p50)),
        Cell(duration(group.latency_ms_p95), change=slower),
    )


def _cost_cells(groups: Sequence[Group], group: Group, compared: bool) -> tuple[Cell, ...]:
    unpriced = (
        f"{plural(group.unpriced_calls, 'call')} without a known price left out" if group.unpriced_calls else None
    )
    compared = compared and not unpriced and comparable(group.calls, group.previous_calls)
    dearer = change(group.cost_nanousd, group.previous_cost_nanousd, "down") if compared else NO_CHANGE
    return (
        Cell(compact(group.usage.input + group.usage.output)),
        Cell(money(group.cost_nanousd), change=dearer, bar=_share(groups, group), title=unpriced),
    )


def _request_cells(group: CostGroup | None, whole: int, compared: bool) -> tuple[Cell, Cell]:
    """Tokens and cost of the traces of one name; a dash where they called no model."""
    if group is None:
        return Cell(UNKNOWN), Cell(UNKNOWN)
    totals = group.totals
    unpriced = (
        f"{plural(totals.unpriced_calls, 'call')} without a known price left out" if totals.unpriced_calls else None
    )
    dearer = (
        change(totals.cost_nanousd, group.previous_cost_nanousd, "down") if compared and not unpriced else NO_CHANGE
    )
    share = ratio(totals.cost_nanousd or 0, whole) or 0.0
    return (
        Cell(compact(totals.usage.input + totals.usage.output)),
        Cell(money(totals.cost_nanousd), change=dearer, bar=share, title=unpriced),
    )


def _href(context: Context, filter_name: str, key: str) -> str:
    return href("traces", _filtered(context, filter_name, key)) if key else ""


def _filtered(context: Context, filter_name: str, key: str) -> State:
    return context.state().filtered(**{filter_name: (key,)})


def _group_table(
    context: Context, title: str, filter_name: str, columns: Sequence[Column], rows: Sequence[Row], empty: str
) -> None:
    with st.container():
        st.subheader(title, anchor=False)
        clicked = table(title, columns, rows, key=f"table-{filter_name}", empty=empty)
    if clicked is not None and clicked.action == "row":
        context.switch("traces", _filtered(context, filter_name, clicked.value))
