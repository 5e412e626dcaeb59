"""Evals: how good answers are by each score, how sure that is, where it is bad, and how far judges can be believed."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import streamlit as st

from spanwise_dashboard import remembered
from spanwise_dashboard.components import charts
from spanwise_dashboard.components.cards import cards
from spanwise_dashboard.components.trend import TrendChart, TrendSeries, trend
from spanwise_dashboard.context import Context, address, go
from spanwise_dashboard.controls import refresh_seconds, title_bar
from spanwise_dashboard.evals_api import EvalsApi, Wanted
from spanwise_dashboard.evals_place import SPLITS, EvalsPlace
from spanwise_dashboard.format import compact, plural
from spanwise_dashboard.notices import explained, first_trace
from spanwise_dashboard.state import State, TimeRange
from spanwise_dashboard.views.evals_examples import SHOWN, worst_table
from spanwise_dashboard.views.evals_parts import by_split, lies
from spanwise_dashboard.views.evals_words import (
    SPLIT_LABELS,
    chosen,
    estimate_help,
    evenness,
    giver_key,
    giver_text,
    interval_text,
    judge_card,
    judge_of,
    kappa_text,
    score_text,
    unit_of,
)
from spanwise_schemas.api_evals import (
    JudgeHealth,
    Judges,
    ScoredExamples,
    ScoreDistribution,
    ScoreEvaluator,
    ScoreName,
    ScoreTrend,
)

FEWEST_STEPS: Final = 6
MOST_STEPS: Final = 48
IN_A_STEP: Final = 20
"""Fewer scores in a step have an interval that says nothing."""
HOW_TO_SCORE: Final = """import spanwise

@spanwise.observe
def answer(question: str) -> str:
    reply = ask_the_model(question)
    spanwise.score("has_source", "http" in reply)
    return reply"""
HOW_TO_READ: Final = (
    "The shaded area is where the true mean lies in 95 of 100 cases. Where two areas are apart, the difference is "
    "real; where they overlap, it may be chance."
)


@dataclass(frozen=True, slots=True)
class _Answers:
    trend: ScoreTrend
    distribution: ScoreDistribution
    worst: ScoredExamples
    judges: Judges


def page(context: Context) -> None:
    """Draws the page."""
    with explained():
        known = remembered.projects(context.client)
        facets = remembered.facets(context.client, context.project, context.state().time, context.now())
        title_bar(context, "Evals", environments=facets.environments)
        if not known.items:
            first_trace()
            return
        st.fragment(_body, run_every=refresh_seconds())(context)


def step_for(start: datetime, end: datetime, scores: int) -> int:
    """Seconds of a step: the finest that leaves `IN_A_STEP` scores in each, if they were spread evenly.

    Args:
        start: of the window.
        end: of the window.
        scores: in it.
    """
    most = min(max(scores // IN_A_STEP, FEWEST_STEPS), MOST_STEPS)
    seconds = (end - start).total_seconds()
    return next((step for step in charts.STEPS_SECONDS if seconds / step <= most), charts.STEPS_SECONDS[-1])


@dataclass(frozen=True, slots=True)
class Sure:
    """A number at the top with what it may be below it."""

    label: str
    value: str
    below: str
    help: str


def figures(found: ScoreTrend, judge: JudgeHealth | None, versions: int = 1) -> list[Sure]:
    """The numbers at the top: the mean, the corrected mean where people labelled, and what both rest on.

    Args:
        found: the mean over the whole time range.
        judge: who gives the score, in the version that is in use; None where it is no judge.
        versions: of that judge in the time range.
    """
    what = f"Share of {found.label}" if found.label else "Mean"
    between = "Below: where the true mean lies in 95 of 100 cases, if the scores are right."
    shown = [
        Sure(
            what,
            score_text(found.total.mean, found.shape),
            interval_text(found.total, found.shape) or "how sure: not known",
            between,
        ),
        Sure("Scores", compact(found.total.n), evenness(found.total), estimate_help(found.total)),
    ]
    if judge is None:
        return shown
    fixed, version = judge.corrected, judge.evaluator_version
    by_people = f"The mean of the judge{f' in version {version}' if version else ''}, corrected by people's labels."
    return [
        *shown,
        Sure(
            f"Corrected, {version}" if versions > 1 else "Corrected",
            score_text(fixed.mean if fixed is not None else None, judge.shape),
            interval_text(fixed, judge.shape) or "needs labels by people",
            f"{by_people} {between}" if fixed is not None else f"{by_people} Nobody has labelled its answers yet.",
        ),
        Sure(
            "Kappa with people",
            kappa_text(judge.agreement).split(" ")[0],
            plural(judge.agreement.n, "label"),
            judge.sentence,
        ),
    ]


def chart_of(found: ScoreTrend, window: charts.Window) -> TrendChart:
    """What is drawn over time."""
    series = [
        TrendSeries(_label(found, line.key), line.mean, line.low, line.high, line.n)
        for line in found.lines
        if line.total.n
    ]
    title = f"Share of {found.label} over time" if found.label else f"{found.name} over time"
    return TrendChart(title, unit_of(found.shape), found.times, found.step_seconds, window, series)


def _label(found: ScoreTrend, key: str) -> str:
    if found.split == "none":
        return found.label or found.name
    return key or "(not known)"


def _body(context: Context) -> None:
    with explained():
        state = context.state()
        api = EvalsApi(context.client, context.project, context.window(), state.filters.environment)
        with st.spinner("Adding up …", show_time=False):
            names = api.names().items
            if not names:
                _quiet(state)
                return
            name, giver = chosen(names, state.evals.score, state.evals.giver)
            answers = _ask(api, state, name, giver)
        _choices(names, name, giver, state.evals, answers.trend)
        judge = judge_of(answers.judges, name.name, giver.evaluator) if giver.source == "llm" else None
        same = [
            one for one in answers.judges.items if judge and (one.name, one.evaluator) == (judge.name, judge.evaluator)
        ]
        _figures(figures(answers.trend, judge, len(same)))
        _trend(context, answers.trend)
        with st.container(key="tables"):
            by_split(answers.trend)
            lies(answers.distribution)
        _judges(answers.judges, name.name)
        worst_table(context, answers.worst, answers.trend.shape)


def _ask(api: EvalsApi, state: State, name: ScoreName, giver: ScoreEvaluator) -> _Answers:
    wanted = Wanted(name.name, giver.source, giver.evaluator, state.evals.label)
    with ThreadPoolExecutor(4) as pool:
        found = pool.submit(api.trend, wanted, state.evals.split, step_for(*api.window, giver.count))
        distribution = pool.submit(api.distribution, wanted)
        worst = pool.submit(api.worst, wanted, state.evals.order, SHOWN)
        judges = pool.submit(api.judges)
        return _Answers(found.result(), distribution.result(), worst.result(), judges.result())


def _choices(
    names: Sequence[ScoreName], name: ScoreName, giver: ScoreEvaluator, place: EvalsPlace, found: ScoreTrend
) -> None:
    with st.container(horizontal=True, key="evals-choice", vertical_alignment="bottom"):
        options = [one.name for one in names]
        st.session_state["evals-score"] = name.name
        st.selectbox("Score", options, key="evals-score", width=240, on_change=_changed)
        givers = {giver_key(one): giver_text(one) for one in name.evaluators}
        st.session_state["evals-giver"] = giver_key(giver)
        st.selectbox(
            "Given by",
            list(givers),
            key="evals-giver",
            width=240,
            format_func=lambda key: givers.get(key, key),
            on_change=_changed,
        )
        if found.shape == "label" and name.labels:
            st.session_state["evals-label"] = found.label
            labels = list(dict.fromkeys([found.label, *name.labels]))
            st.selectbox("Share of", labels, key="evals-label", width=200, on_change=_changed)
        st.session_state["evals-split"] = place.split
        st.selectbox(
            "Split by",
            SPLITS,
            key="evals-split",
            width=200,
            format_func=lambda split: SPLIT_LABELS[split],
            on_change=_changed,
        )


def _changed() -> None:
    here = address()
    place = here.evals
    score = st.session_state["evals-score"]
    # Another score has other givers and labels.
    same = score == place.score or not place.score
    go(
        replace(
            here,
            evals=replace(
                place,
                score=score,
                giver=st.session_state["evals-giver"] if same else "",
                split=st.session_state["evals-split"],
                label=st.session_state.get("evals-label", "") if same else "",
            ),
        )
    )


def _figures(found: Sequence[Sure]) -> None:
    with st.container(key="evals-figures"):
        for one in found:
            st.metric(
                one.label,
                one.value,
                one.below or None,
                delta_color="off",
                delta_arrow="off",
                help=one.help,
                border=True,
            )


def _trend(context: Context, found: ScoreTrend) -> None:
    chart = chart_of(found, context.window())
    with st.container(border=True, gap="xsmall"):
        st.markdown("**Over time**", help="Drag over the chart to zoom into a time range.")
        window = trend(chart, key="evals-trend")
        st.caption(HOW_TO_READ)
        if found.omitted:
            st.caption(f"The {len(found.lines)} with the most scores; {found.omitted} more have fewer.")
    if window is not None:
        _go(TimeRange(start=window[0], end=window[1]))
        st.rerun()


def _judges(found: Judges, name: str) -> None:
    mine = [one for one in found.items if one.name == name]
    others = [one for one in found.items if one.name != name and one.is_current]
    if not mine and not others:
        return
    st.subheader(
        "How far judges are right",
        anchor=False,
        help="A judge's scores beside what people said of the same answers. Cohen's kappa is 1 for complete agreement "
        "and 0 for what chance alone would give.",
    )
    if mine:
        shown = [judge_card(one, found.reviewers.get(one.name)) for one in mine]
        cards("Judges of this score", shown, key="evals-judges")
    if others:
        with st.expander(f"Judges of other scores ({plural(len(others), 'judge')})"):
            shown = [judge_card(one, found.reviewers.get(one.name)) for one in others]
            cards("Judges of other scores", shown, key="evals-other-judges")


def _quiet(state: State) -> None:
    with st.container(border=True):
        st.subheader("No scores in this time range", anchor=False)
        st.markdown(
            "Scores say how good an answer is. They come from checks in your code, from judge models, from your users "
            "and from reviewers. A first one takes a line:"
        )
        st.code(HOW_TO_SCORE, language="python")
        st.markdown(
            "`True` and `False`, numbers and words are all scores. They show up here with their mean, how sure it is, "
            "and the worst answers."
        )
        wider = state.time.wider()
        if wider is not None:
            st.button("Widen the time range", icon=":material/zoom_out_map:", on_click=_go, args=(wider,))


def _go(time: TimeRange) -> None:
    go(replace(address(), time=time))
