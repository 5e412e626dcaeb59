"""Why a number moved between two windows: which slices moved it, by how much, with examples."""

import streamlit as st

from spanwise_dashboard.components.facts import heading
from spanwise_dashboard.components.lines import lines
from spanwise_dashboard.components.table import table
from spanwise_dashboard.context import Context
from spanwise_dashboard.format import minute, plural
from spanwise_dashboard.views.behind import traces_behind
from spanwise_dashboard.views.what_changed_rows import (
    DIMENSIONS,
    FAILURE_COLUMNS,
    SLICE_COLUMNS,
    VALUE_COLUMNS,
    VERSION_COLUMNS,
    example_columns,
    example_place,
    example_row,
    failure_row,
    issue_place,
    outcome,
    slice_row,
    value_rows,
    version_row,
)
from spanwise_schemas.api_changes import WhatChanged


def what_changed(context: Context, answer: WhatChanged, *, key: str = "changed") -> None:
    """Draws the answer: the outcome, the slices, the split by dimension, examples, versions, failures.

    Args:
        context: the page's.
        answer: what the collector found.
        key: identity on the page; two answers on one page need two.
    """
    heading(f"What changed: {answer.title.lower()}", (), outcome(answer), key=f"{key}-outcome", level=2)
    lines([answer.sentence] if answer.sentence else [], key=f"{key}-sentence", tone="large")
    st.caption(_windows(context, answer))
    _slices(context, answer, key)
    _dimensions(answer, key)
    _examples(context, answer, key)
    with st.container(key=f"{key}-grid"):
        _versions(context, answer, key)
        _failures(context, answer, key)
    lines(answer.notes, key=f"{key}-notes", tone="muted")
    if answer.filters:
        place = traces_behind(context, answer.filters, answer.start, answer.end)
        if st.button("Open the traces in question", icon=":material/account_tree:", key=f"{key}-traces"):
            context.switch("traces", place)


def _windows(context: Context, answer: WhatChanged) -> str:
    start, end, before_start, before_end = (
        minute(moment, context.zone, context.now())
        for moment in (answer.start, answer.end, answer.before_start, answer.before_end)
    )
    return f"{start} to {end}, against {before_start} to {before_end}"


def _slices(context: Context, answer: WhatChanged, key: str) -> None:
    st.markdown("**Where it comes from**", help="The parts of the traffic that explain it best, the best first.")
    clicked = table(
        "Where it comes from",
        SLICE_COLUMNS,
        [slice_row(context, answer, number, one) for number, one in enumerate(answer.slices)],
        key=f"{key}-slices",
        empty="No part of the traffic stands out: it is much the same everywhere.",
    )
    if clicked is not None and clicked.action == "row":
        one = answer.slices[int(clicked.value)]
        context.switch("traces", traces_behind(context, one.filters, answer.start, answer.end))


def _dimensions(answer: WhatChanged, key: str) -> None:
    if not answer.dimensions:
        return
    by_name = {one.dimension: one for one in answer.dimensions}
    with st.expander("How each property adds up", icon=":material/functions:"):
        chosen = st.segmented_control(
            "Property",
            list(by_name),
            key=f"{key}-dimension",
            default=next(iter(by_name)),
            required=True,
            format_func=lambda name: DIMENSIONS.get(name, name),
            label_visibility="collapsed",
        )
        found = by_name[chosen or next(iter(by_name))]
        table("How it adds up", VALUE_COLUMNS, value_rows(answer, found), key=f"{key}-values", empty="")
        st.caption(
            "*By its share*: there is more or less of it than before. *By itself*: it is different from what it was."
        )


def _examples(context: Context, answer: WhatChanged, key: str) -> None:
    if not answer.bad and not answer.good:
        return
    st.markdown("**Examples**", help="Traces that show the change, and some beside them that do not.")
    examples = [(one, "bad") for one in answer.bad] + [(one, "good") for one in answer.good]
    clicked = table(
        "Examples",
        example_columns(answer),
        [example_row(context, answer, one, dot) for one, dot in examples],
        key=f"{key}-examples",
        empty="",
    )
    if clicked is not None and clicked.action == "row":
        found = next(one for one, _ in examples if f"{one.trace_id}/{one.span_id}" == clicked.value)
        context.switch("trace", example_place(context, found))


def _versions(context: Context, answer: WhatChanged, key: str) -> None:
    if not answer.versions:
        return
    with st.container():
        st.markdown("**New around then**", help="Models, prompt versions and releases first seen near the change.")
        rows = [version_row(context, answer, one) for one in answer.versions]
        table("New around then", VERSION_COLUMNS, rows, key=f"{key}-versions", empty="")


def _failures(context: Context, answer: WhatChanged, key: str) -> None:
    if not answer.failures:
        return
    with st.container():
        grew = plural(len(answer.failures), "kind")
        st.markdown("**Failures that grew**", help=f"{grew} of failure, beyond what the traffic alone explains.")
        rows = [failure_row(context, one) for one in answer.failures]
        clicked = table("Failures that grew", FAILURE_COLUMNS, rows, key=f"{key}-failures", empty="")
    if clicked is not None and clicked.action == "row":
        context.switch("failures", issue_place(context, clicked.value))
