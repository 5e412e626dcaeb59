"""Items of two experiments: the table, and one of them with the difference of its outputs."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import streamlit as st

from spanwise_dashboard.components.lines import lines
from spanwise_dashboard.components.table import Cell, Column, Row, table
from spanwise_dashboard.components.texts import Text, texts
from spanwise_dashboard.context import Context, address, go, href, shared
from spanwise_dashboard.experiments_api import ExperimentsApi
from spanwise_dashboard.experiments_place import ORDERS, ExperimentsPlace
from spanwise_dashboard.format import Change, duration
from spanwise_dashboard.state import State
from spanwise_dashboard.text_difference import Part, shown, text_difference
from spanwise_dashboard.views.experiments_words import NAMES, score
from spanwise_schemas.api_experiments import (
    LOWER_IS_BETTER,
    ComparedItem,
    ComparedItems,
    Experiment,
    ItemOrder,
    ItemResult,
)

PAGE: Final = 20
ORDER_LABELS: Final[dict[ItemOrder, str]] = {"worst": "Lost most", "best": "Gained most", "dataset": "By id"}


def items(
    context: Context, api: ExperimentsApi, candidate: Experiment, baseline: Experiment | None, metrics: Sequence[str]
) -> None:
    """Draws the items; without a baseline the candidate's alone."""
    place = context.state().experiments
    st.subheader("Items", anchor=False)
    metric = place.metric if place.metric in metrics else next(iter(metrics), "errors")
    order = place.order if baseline is not None else "dataset"
    _choice(metric, metrics, order, both=baseline is not None)
    other = baseline or candidate
    with st.spinner("Reading …", show_time=False):
        found = api.compare_items(
            other.experiment_id, candidate.experiment_id, metric=metric, order=order, offset=place.skip, limit=PAGE
        )
    opened = next((one for one in found.items if one.item_id == place.row), None)
    if opened is not None:
        _item(context, opened, both=baseline is not None)
    state = context.state()
    rows = [row(state, one, metric, both=baseline is not None) for one in found.items]
    columns = _columns(NAMES.get(metric, metric), both=baseline is not None)
    clicked = table("Items", columns, rows, key="experiment-items", empty="There are no items on this page.")
    if clicked is not None and clicked.action == "row":
        wanted = "" if clicked.value == place.row else clicked.value
        go(replace(address(), experiments=replace(place, row=wanted)))
        st.rerun()
    _pager(found)


def row(state: State, one: ComparedItem, metric: str, *, both: bool) -> Row:
    """An item in one line."""
    output = one.candidate.output if one.candidate is not None else None
    error = one.candidate.error if one.candidate is not None else ""
    answer = Cell(_brief(error), tone="bad") if error else Cell(_brief(shown(output)) or "—")
    last = Cell(score(one.candidate_value), change=change(one, metric) if both else None)
    cells = (
        Cell(_brief(shown(one.input)) or one.item_id),
        answer,
        *([Cell(score(one.baseline_value))] if both else []),
        last,
    )
    place = replace(state.experiments, row=one.item_id)
    return Row(
        one.item_id,
        cells,
        href=href("experiments", replace(state, experiments=place)),
        selected=one.item_id == state.experiments.row,
    )


def change(one: ComparedItem, metric: str) -> Change:
    """How an item's value moved."""
    if one.baseline_value is None or one.candidate_value is None:
        return Change("", "neutral")
    moved = one.candidate_value - one.baseline_value
    if abs(moved) < 0.0005:
        return Change("", "neutral")
    good = (moved > 0) != (metric in LOWER_IS_BETTER)
    return Change(f"{moved:+.3f}" if abs(moved) < 100 else f"{moved:+,.0f}", "good" if good else "bad")


def _item(context: Context, one: ComparedItem, *, both: bool) -> None:
    given = [Text("Input", _parts(shown(one.input)), note=one.item_id)]
    given.append(Text("Expected", _parts(shown(one.expected)), empty="nobody has said"))
    texts("Item", given, key="experiment-item")
    if both:
        before, after = text_difference(_output(one.baseline), _output(one.candidate))
        outputs = [
            Text("Baseline", tuple(before), "bad", _took(one.baseline), _missing(one.baseline)),
            Text("Candidate", tuple(after), "good", _took(one.candidate), _missing(one.candidate)),
        ]
    else:
        outputs = [Text("Output", _parts(_output(one.candidate)), "", _took(one.candidate), _missing(one.candidate))]
    texts("Outputs", outputs, key="experiment-outputs")
    said = [
        f"{title}{name}: {text}"
        for title, side in (("baseline, ", one.baseline if both else None), ("", one.candidate))
        if side is not None
        for name, text in (*side.explanations.items(), *_failed(side))
    ]
    lines(said, key="experiment-said", tone="muted")
    with st.container(horizontal=True):
        sides = (("baseline", one.baseline if both else None), ("candidate", one.candidate))
        for title, side in sides:
            if side is not None and side.trace_id:
                st.button(
                    f"Trace of the {title}",
                    icon=":material/account_tree:",
                    key=f"experiment-trace-{title}",
                    on_click=_noted,
                    args=(side.trace_id, side.span_id),
                )
    if trace := st.session_state.pop("experiment-trace", None):
        context.switch("trace", shared(context.state()).on_trace(*trace))


def _choice(metric: str, metrics: Sequence[str], order: ItemOrder, *, both: bool) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if metrics:
            st.session_state["experiments-metric"] = metric
            st.selectbox(
                "By",
                list(metrics),
                key="experiments-metric",
                format_func=lambda name: NAMES.get(name, name),
                width=240,
                on_change=_metric_changed,
            )
        if both:
            st.session_state["experiments-order"] = order
            st.segmented_control(
                "Order",
                list(ORDERS),
                key="experiments-order",
                required=True,
                format_func=ORDER_LABELS.__getitem__,
                on_change=_order_changed,
            )


def _columns(metric: str, *, both: bool) -> tuple[Column, ...]:
    texts = (Column("Input", wrap=True), Column("Output", wrap=True, hide=620, help="Of the candidate"))
    if not both:
        return (*texts, Column(metric, "right", width="130px"))
    return (
        *texts,
        Column("Baseline", "right", width="100px", help=metric),
        Column("Candidate", "right", width="150px", help=metric),
    )


def _pager(found: ComparedItems) -> None:
    skip = address().experiments.skip
    if found.total <= PAGE and not skip:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"{skip + 1:,} to {skip + len(found.items):,} of {found.total:,}", width="content")
        st.button(
            "Previous", icon=":material/chevron_left:", disabled=not skip, on_click=_turn, args=(max(0, skip - PAGE),)
        )
        st.button(
            "Next",
            icon=":material/chevron_right:",
            disabled=found.next_offset is None,
            on_click=_turn,
            args=(found.next_offset or 0,),
        )


def _go(place: ExperimentsPlace) -> None:
    go(replace(address(), experiments=place))


def _turn(skip: int) -> None:
    _go(replace(address().experiments, skip=skip, row=""))


def _metric_changed() -> None:
    _go(replace(address().experiments, metric=st.session_state["experiments-metric"], skip=0, row=""))


def _order_changed() -> None:
    _go(replace(address().experiments, order=st.session_state["experiments-order"], skip=0, row=""))


def _noted(trace_id: str, span_id: str) -> None:
    st.session_state["experiment-trace"] = (trace_id, span_id)


def _failed(side: ItemResult) -> list[tuple[str, str]]:
    return [(name, f"the evaluator failed: {text}") for name, text in side.score_errors.items()]


def _output(side: ItemResult | None) -> str:
    return "" if side is None else side.error or shown(side.output)


def _missing(side: ItemResult | None) -> str:
    return "did not run" if side is None else "an empty output"


def _took(side: ItemResult | None) -> str:
    return "" if side is None else duration(side.duration_ms)


def _parts(text: str) -> tuple[Part, ...]:
    return (Part(text),) if text else ()


def _brief(text: str, limit: int = 180) -> str:
    text = " ".join(text.split())
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
