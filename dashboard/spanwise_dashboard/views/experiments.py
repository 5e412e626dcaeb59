"""Experiments: the list; two of them side by side, opened by their address."""

from dataclasses import replace
from typing import Final

import streamlit as st

from spanwise_dashboard.components.facts import Fact, chips
from spanwise_dashboard.components.table import Cell, Column, Row, table
from spanwise_dashboard.context import Context, address, go, href
from spanwise_dashboard.controls import plain_title
from spanwise_dashboard.experiments_api import ExperimentsApi
from spanwise_dashboard.experiments_place import ExperimentsPlace
from spanwise_dashboard.format import ago, clock, count
from spanwise_dashboard.notices import explained
from spanwise_dashboard.state import State, query
from spanwise_dashboard.views.experiments_open import open_experiment
from spanwise_dashboard.views.experiments_words import metadata, score, state_badge
from spanwise_schemas.api_experiments import Experiment

MOST_SCORES: Final = 4
COLUMNS: Final = (
    Column("Experiment", wrap=True),
    Column("Scores", wrap=True, help="Means over items; open the experiment for intervals"),
    Column("Dataset", width="150px", hide=640),
    Column("Runs", "right", width="76px", hide=520),
    Column("Began", "right", width="112px", hide=760),
)
FIRST: Final = """import spanwise

def exact(sample):
    return sample.output == sample.expected

result = spanwise.experiment("faq", task=lambda item: answer(item.input), evaluators=[exact])
print(result)"""


def page(context: Context) -> None:
    """Draws the page."""
    with explained():
        state = context.state()
        api = ExperimentsApi(context.client, context.project)
        if state.experiments.candidate:
            back = query(replace(state, experiments=ExperimentsPlace(over=state.experiments.over)))
            st.page_link(
                context.pages["experiments"], label="Experiments", icon=":material/arrow_back:", query_params=back
            )
            open_experiment(context, api)
            return
        plain_title("Experiments")
        with st.spinner("Looking …", show_time=False):
            found = api.experiments(dataset=state.experiments.over)
        _over(state)
        if not found.items:
            _nothing(state.experiments.over)
            return
        clicked = table("Experiments", COLUMNS, [row(context, one) for one in found.items], key="experiments", empty="")
        if clicked is not None and clicked.action == "row":
            context.switch("experiments", opened(state, clicked.value))
        st.caption("Open one to see it beside the run before it, metric by metric and item by item.")


def opened(state: State, experiment_id: str) -> State:
    """The page with an experiment open."""
    return replace(state, experiments=ExperimentsPlace(experiment_id, over=state.experiments.over))


def row(context: Context, one: Experiment) -> Row:
    """An experiment in one line."""
    now = context.now()
    scores = " · ".join(f"{each.metric} {score(each.mean)}" for each in one.metrics[:MOST_SCORES])
    more = len(one.metrics) - MOST_SCORES
    cells = (
        Cell(one.name, sub=metadata(one), badges=tuple(state_badge(one))),
        Cell(scores or "—", sub=f"and {more} more" if more > 0 else ""),
        Cell(one.dataset or "a list", sub=f"v{one.dataset_version}" if one.dataset else ""),
        Cell(count(one.runs)),
        Cell(ago(one.started_at, now), title=clock(one.started_at, context.zone, now)),
    )
    return Row(one.experiment_id, cells, href=href("experiments", opened(context.state(), one.experiment_id)))


def _over(state: State) -> None:
    if state.experiments.over:
        shown = [Fact("Dataset", state.experiments.over, action="over", value=state.experiments.over, removable=True)]
        if chips(shown, reset="Show all", key="experiments-over") is not None:
            go(replace(address(), experiments=ExperimentsPlace()))
            st.rerun()


def _nothing(over: str) -> None:
    with st.container(border=True):
        st.subheader(
            "No experiment has run over this dataset" if over else "There are no experiments yet", anchor=False
        )
        st.markdown(
            "An experiment runs a function of yours over a dataset and scores what it returns. Run it before a change "
            "and after it, with `SPANWISE_API_URL` set to the collector, and both are here, item by item."
        )
        st.code(FIRST, language="python")
        st.markdown("In CI, `spanwise check --baseline main --candidate my-branch` fails on a proven regression.")
