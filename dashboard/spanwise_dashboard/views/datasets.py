"""Datasets: the list; one of them with its items and versions, opened by its address."""

from dataclasses import replace
from typing import Final

import streamlit as st

from spanwise_dashboard.components.table import Cell, Column, Row, table
from spanwise_dashboard.context import Context, href
from spanwise_dashboard.controls import plain_title
from spanwise_dashboard.experiments_api import ExperimentsApi
from spanwise_dashboard.format import ago, clock, count
from spanwise_dashboard.notices import explained
from spanwise_dashboard.state import State, query
from spanwise_dashboard.views.datasets_open import open_dataset
from spanwise_schemas.api_datasets import Dataset

COLUMNS: Final = (
    Column("Dataset", wrap=True),
    Column("Items", "right", width="90px"),
    Column("Version", "right", width="84px", hide=420),
    Column("By", width="140px", hide=760),
    Column("Changed", "right", width="120px", hide=520),
)
FIRST: Final = """# from a file: CSV, JSONL or Parquet
spanwise datasets import faq questions.csv --input question --expected answer

# from what your users asked
spanwise datasets import faq --from-traces --filter name=answer --take 200"""


def page(context: Context) -> None:
    """Draws the page."""
    with explained():
        state = context.state()
        api = ExperimentsApi(context.client, context.project)
        if state.datasets.name:
            back = query(replace(state, datasets=type(state.datasets)(), filters=replace(state.filters, q="")))
            st.page_link(context.pages["datasets"], label="Datasets", icon=":material/arrow_back:", query_params=back)
            open_dataset(context, api)
            return
        plain_title("Datasets")
        with st.spinner("Looking …", show_time=False):
            found = api.datasets()
        if not found.items:
            _nothing()
            return
        rows = [row(context, one) for one in found.items]
        clicked = table("Datasets", COLUMNS, rows, key="datasets", empty="")
        if clicked is not None and clicked.action == "row":
            context.switch("datasets", opened(state, clicked.value))


def opened(state: State, name: str, version: int = 0) -> State:
    """The page with a dataset open."""
    return replace(
        state,
        datasets=replace(state.datasets, name=name, version=version, item="", offset=0),
        filters=replace(state.filters, q=""),
    )


def row(context: Context, one: Dataset) -> Row:
    """A dataset in one line."""
    now = context.now()
    cells = (
        Cell(one.name, sub=one.description),
        Cell(count(one.items)),
        Cell(f"v{one.version}" if one.version else "—"),
        Cell(one.by or "—"),
        Cell(ago(one.updated_at, now), title=clock(one.updated_at, context.zone, now)),
    )
    return Row(one.name, cells, href=href("datasets", opened(context.state(), one.name)))


def _nothing() -> None:
    with st.container(border=True):
        st.subheader("There are no datasets yet", anchor=False)
        st.markdown(
            "A dataset is a list of inputs, with what is expected of each where somebody said. Experiments run your "
            "application over it, so that a change can be judged before users see it. Make one from a file, or from "
            "traces:"
        )
        st.code(FIRST, language="shell")
