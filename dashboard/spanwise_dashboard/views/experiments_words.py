"""Experiments in the words of their page. Pure."""

from collections.abc import Sequence
from typing import Final

from spanwise_dashboard.components.differences import Difference
from spanwise_dashboard.components.table import Badge
from spanwise_dashboard.format import UNKNOWN, count, duration, percent, plural, points
from spanwise_schemas.api_experiments import DURATION, ERRORS, ComparedMetric, Experiment, ExperimentVerdict

NAMES: Final = {ERRORS: "Errors of the task", DURATION: "Duration"}
_RANKS: Final[dict[ExperimentVerdict, int]] = {"worse": 0, "inconclusive": 1, "better": 2, "no_difference": 3}
_TONES: Final[dict[ExperimentVerdict, str]] = {
    "worse": "bad",
    "inconclusive": "warn",
    "better": "good",
    "no_difference": "",
}
_WHY: Final[dict[ExperimentVerdict, str]] = {
    "worse": "Chance alone makes such a difference in less than 1 of 20 comparisons, all metrics together.",
    "better": "Chance alone makes such a difference in less than 1 of 20 comparisons, all metrics together.",
    "no_difference": "The whole interval is within the margin: whatever the true difference is, it is too small.",
    "inconclusive": "It may be better, worse or the same: there are too few items to tell.",
}


def ordered(metrics: Sequence[ComparedMetric]) -> list[ComparedMetric]:
    """What is worse first, what is the same last."""
    return sorted(metrics, key=lambda one: _RANKS[one.verdict])


def is_share(metric: ComparedMetric) -> bool:
    """Whether its values are told as percentages: yes and no, and shares of runs that failed."""
    return metric.yes_no or metric.metric == ERRORS


def line(metric: ComparedMetric) -> Difference:
    """A metric as it is drawn."""
    known = metric.low is not None and metric.high is not None
    low, high = metric.low or 0.0, metric.high or 0.0
    counted = plural(metric.n, "item")
    if metric.groups != metric.n:
        counted += f" in {count(metric.groups)} groups"
    return Difference(
        id=metric.metric,
        title=NAMES.get(metric.metric, metric.metric),
        a=value(metric.baseline, metric),
        b=value(metric.candidate, metric),
        counted=counted,
        text=moved(metric.difference, metric),
        interval=f"{moved(low, metric).removesuffix(' pp')} to {moved(high, metric)}" if known else "",
        value=metric.difference,
        low=metric.low,
        high=metric.high,
        scale="share" if max(abs(metric.baseline), abs(metric.candidate)) <= 1 else metric.metric,
        verdict=verdict(metric),
    )


def verdict(metric: ComparedMetric) -> Badge:
    """What is to be made of a metric, short enough for a column."""
    words = metric.words
    if metric.verdict == "no_difference":
        words = "no difference that matters"
    elif metric.verdict == "inconclusive" and metric.more_items is not None:
        words = f"inconclusive, ~{metric.more_items:,} more"
    return Badge(words, _TONES[metric.verdict], f"{metric.words}. {_WHY[metric.verdict]}")


def value(number: float | None, metric: ComparedMetric) -> str:
    """A mean, as it reads."""
    if number is None:
        return UNKNOWN
    if metric.metric == DURATION:
        return duration(number)
    return percent(number) if is_share(metric) else score(number)


def moved(number: float, metric: ComparedMetric) -> str:
    """A difference with its sign; of shares in percentage points."""
    if metric.metric == DURATION:
        return f"{'+' if number > 0 else '-' if number < 0 else ''}{duration(abs(number))}"
    if is_share(metric):
        return points(number, 0.0).text or "0 pp"
    shown = f"{number:+.3f}"
    return "0" if float(shown) == 0 else shown


def score(number: float | None) -> str:
    """A score, as it reads."""
    if number is None:
        return UNKNOWN
    if number in (0.0, 1.0):
        return f"{number:.0f}"
    return f"{number:.3f}" if abs(number) < 100 else count(number)


def state_badge(one: Experiment) -> list[Badge]:
    """What is unusual about an experiment."""
    badges = []
    if one.state == "running":
        badges.append(Badge("running", "", f"{one.runs:,} of {one.items * one.repeats:,} runs are stored"))
    elif one.state == "stopped":
        badges.append(Badge("stopped", "warn", f"{one.runs:,} of {one.items * one.repeats:,} runs are stored"))
    if one.errors:
        badges.append(Badge(plural(one.errors, "error"), "bad", "Runs in which the task failed"))
    return badges


def metadata(one: Experiment) -> str:
    """What was tried, in a line."""
    found = [f"{name}={text}" for name, text in one.metadata.items()]
    return " · ".join([*([one.release] if one.release else []), *found])
