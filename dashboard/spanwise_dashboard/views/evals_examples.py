"""The worst answers by a score, with a way to each trace."""

from dataclasses import replace
from typing import Final

import streamlit as st

from spanwise_dashboard.components.table import Cell, Column, Row, table
from spanwise_dashboard.context import Context, address, go, href
from spanwise_dashboard.evals_place import WORST_ORDERS
from spanwise_dashboard.format import ago, clock
from spanwise_dashboard.state import State
from spanwise_dashboard.views.evals_words import value_text
from spanwise_schemas.api_evals import ScoredExample, ScoredExamples, ScoreShape, WorstOrder

ORDERS: Final[dict[WorstOrder, str]] = {"lowest": "Lowest", "highest": "Highest"}
SHOWN: Final = 12
_SCORE: Final = Column("Score", "right", width="78px")
_LABEL: Final = Column("Label", width="20%")
_ANSWER: Final = Column("Answer", wrap=True)
_WHY: Final = Column("Why", wrap=True, hide=640)
_WHEN: Final = Column("When", "right", width="116px", hide=520)


def worst_table(context: Context, found: ScoredExamples, shape: ScoreShape) -> None:
    """Draws the table with the choice of which end of the scale is bad."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader("Worst answers" if shape != "label" else "Answers with this label", anchor=False, width="stretch")
        if shape != "label":
            st.session_state["evals-order"] = found.order
            st.segmented_control(
                "Which end",
                WORST_ORDERS,
                key="evals-order",
                required=True,
                format_func=ORDERS.__getitem__,
                label_visibility="collapsed",
                on_change=_order_changed,
            )
    shown = bad_ones(found, shape)
    explained = any(one.explanation for one in shown)
    score = _LABEL if shape == "label" else _SCORE
    columns = (score, _ANSWER, _WHY, _WHEN) if explained else (score, _ANSWER, _WHEN)
    rows = [example_row(context, one, shape, explained=explained) for one in shown]
    clicked = table("Worst answers", columns, rows, key="evals-worst", empty="No answers with this score.")
    if clicked is not None and clicked.action == "row":
        one = next((one for one in found.items if one.score_id == clicked.value), None)
        if one is not None:
            context.switch("trace", _place(context.state(), one))


def bad_ones(found: ScoredExamples, shape: ScoreShape) -> list[ScoredExample]:
    """Those to show: of yes and no only the one that is bad."""
    bad = 0.0 if found.order == "lowest" else 1.0
    return [one for one in found.items if shape != "yes_no" or one.value == bad]


def example_row(context: Context, one: ScoredExample, shape: ScoreShape, *, explained: bool) -> Row:
    """An answer in one line: what was asked and answered where it is stored, else what it is about."""
    now = context.now()
    about = one.trace_name or (f"session {one.session_id}" if one.session_id else "(the trace is not stored)")
    told = " ".join(part for part in (about, one.release, one.environment) if part)
    text = one.output_preview or one.input_preview or about
    sub = f"{one.input_preview} · {told}" if one.output_preview and one.input_preview else told
    cells = (
        Cell(one.label if shape == "label" else value_text(one.value, shape)),
        Cell(text, sub=sub if sub != text else ""),
        *([Cell(one.explanation, tone="muted")] if explained else []),
        Cell(ago(one.time, now), title=clock(one.time, context.zone, now)),
    )
    return Row(one.score_id, cells, href=href("trace", _place(context.state(), one)) if one.trace_id else "")


def _place(state: State, one: ScoredExample) -> State:
    return replace(state, evals=State().evals).on_trace(one.trace_id, one.span_id)


def _order_changed() -> None:
    here = address()
    go(replace(here, evals=replace(here.evals, order=st.session_state["evals-order"])))
