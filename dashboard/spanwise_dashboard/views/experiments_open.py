"""An experiment beside the run before it: what they are, metric by metric, item by item."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import streamlit as st

from spanwise_dashboard.components.differences import differences
from spanwise_dashboard.components.facts import Fact, heading
from spanwise_dashboard.components.lines import lines
from spanwise_dashboard.components.table import Cell, Column, Row, table
from spanwise_dashboard.context import Context, address, go
from spanwise_dashboard.experiments_api import ExperimentsApi
from spanwise_dashboard.experiments_place import ExperimentsPlace
from spanwise_dashboard.format import ago, clock, count
from spanwise_dashboard.views.experiments_items import items
from spanwise_dashboard.views.experiments_words import line, metadata, ordered, score, state_badge
from spanwise_schemas.api_experiments import Experiment, ExperimentComparison

HOW_TO_READ: Final = (
    "Item by item: the bar is where the true difference lies in 95 of 100 comparisons like this one; the mark on it is "
    "what was measured. Verdicts hold for all metrics together."
)
MEAN_COLUMNS: Final = (
    Column("Score", wrap=True),
    Column("Mean", "right", width="90px"),
    Column("95 % interval", "right", width="150px"),
    Column("Items", "right", width="80px", hide=480),
)


def open_experiment(context: Context, api: ExperimentsApi) -> None:
    """Draws what is in the address."""
    place = context.state().experiments
    with st.spinner("Reading …", show_time=False):
        known = api.experiments().items
    candidate = next((one for one in known if one.experiment_id == place.candidate), None)
    if candidate is None:
        st.info("This experiment is not among the newest 200 of the project.")
        return
    others = [one for one in known if one.experiment_id != candidate.experiment_id]
    baseline = chosen_baseline(candidate, others, place.baseline)
    _choice(candidate, baseline, known)
    _sides(context, candidate, baseline)
    if not candidate.runs or (baseline is not None and not baseline.runs):
        st.info("One of them has no results yet. They appear here while it runs.")
        return
    if baseline is None:
        _alone(candidate)
        items(context, api, candidate, None, [one.metric for one in candidate.metrics])
        return
    if baseline.dataset != candidate.dataset:
        lines(
            [f"They ran over different datasets ({baseline.dataset or 'a list'}, {candidate.dataset or 'a list'})."],
            key="experiments-datasets",
            tone="warn",
        )
    with st.spinner("Comparing …", show_time=False):
        found = api.compare(baseline.experiment_id, candidate.experiment_id)
    _metrics(found)
    items(context, api, candidate, baseline, [one.metric for one in found.metrics])


def chosen_baseline(candidate: Experiment, others: Sequence[Experiment], wanted: str) -> Experiment | None:
    """The one that was chosen, else the run before it over the same dataset, of the same name if there is one."""
    named = next((one for one in others if one.experiment_id == wanted), None)
    if named is not None:
        return named
    before = [
        one
        for one in others
        if one.dataset == candidate.dataset and one.started_at <= candidate.started_at and one.runs
    ]
    return next((one for one in before if one.name == candidate.name), None) or next(iter(before), None)


def label(one: Experiment) -> str:
    """An experiment in a list of choices."""
    tried = metadata(one)
    return f"{one.name} · {one.experiment_id}" + (f" · {tried}" if tried else "")


def _choice(candidate: Experiment, baseline: Experiment | None, known: Sequence[Experiment]) -> None:
    labels = {one.experiment_id: label(one) for one in known}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        for title, key, one in (
            ("Baseline", "experiments-baseline", baseline),
            ("Candidate", "experiments-candidate", candidate),
        ):
            st.session_state[key] = one.experiment_id if one is not None else None
            st.selectbox(
                title,
                list(labels),
                key=key,
                format_func=lambda name: labels.get(name, name),
                placeholder="Choose one to compare with",
                width="stretch",
                on_change=_chosen,
            )
        if baseline is not None:
            st.button(
                "Swap",
                icon=":material/swap_horiz:",
                key="experiments-swap",
                on_click=_swap,
                args=(candidate.experiment_id, baseline.experiment_id),
            )


def _sides(context: Context, candidate: Experiment, baseline: Experiment | None) -> None:
    sides = [("Baseline", baseline), ("Candidate", candidate)] if baseline is not None else [("", candidate)]
    with st.container(key="compare-sides"):
        for title, one in sides:
            if one is not None:
                with st.container(border=True):
                    name = f"{title}: {one.name}" if title else one.name
                    heading(name, state_badge(one), facts(context, one), key=f"experiment-{title or 'one'}", level=2)


def facts(context: Context, one: Experiment) -> list[Fact]:
    """What is to be known of an experiment."""
    now = context.now()
    repeats = f", {one.repeats} times each" if one.repeats > 1 else ""
    return [
        Fact("Dataset", f"{one.dataset} v{one.dataset_version}" if one.dataset else "a list"),
        Fact("Items", f"{count(one.items)}{repeats}"),
        Fact("Began", ago(one.started_at, now), title=clock(one.started_at, context.zone, now)),
        *([Fact("Release", one.release)] if one.release else []),
        *([Fact("By", one.by)] if one.by else []),
        *(Fact(name, text) for name, text in one.metadata.items()),
        Fact("Id", one.experiment_id, mono=True),
    ]


def _alone(candidate: Experiment) -> None:
    lines(["There is no other run over this dataset to compare with."], key="experiments-alone", tone="muted")
    rows = [
        Row(
            one.metric,
            (
                Cell(one.metric),
                Cell(score(one.mean)),
                Cell("—" if one.low is None or one.high is None else f"{score(one.low)} to {score(one.high)}"),
                Cell(count(one.items)),
            ),
        )
        for one in candidate.metrics
    ]
    if rows:
        table("Scores", MEAN_COLUMNS, rows, key="experiment-means", empty="")


def _metrics(found: ExperimentComparison) -> None:
    lines([found.sentence], key="experiments-sentence", tone="large")
    lines(found.notes, key="experiments-notes", tone="muted")
    shown = [line(one) for one in ordered(found.metrics)]
    differences("Metrics", ("Baseline", "Candidate"), shown, key="experiments-metrics")
    st.caption(HOW_TO_READ)


def _chosen() -> None:
    here = address()
    candidate = st.session_state["experiments-candidate"] or here.experiments.candidate
    baseline = st.session_state["experiments-baseline"] or ""
    go(replace(here, experiments=ExperimentsPlace(candidate, baseline, over=here.experiments.over)))


def _swap(candidate: str, baseline: str) -> None:
    here = address()
    go(replace(here, experiments=ExperimentsPlace(baseline, candidate, over=here.experiments.over)))
