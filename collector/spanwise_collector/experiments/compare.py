"""Two experiments, or releases: metric by metric, with verdicts that hold for all of them together. Pure."""

import hashlib
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from spanwise_collector.compare.ratios import holm
from spanwise_collector.experiments.items import ItemValues, Pairs, pairs, score_names
from spanwise_collector.means.sides import SideMean, beside
from spanwise_collector.stats.paired import items_needed, paired
from spanwise_collector.stats.two_sample import two_sample
from spanwise_collector.stats.verdicts import Evidence, verdict
from spanwise_schemas.api_correction import ScoreCorrection
from spanwise_schemas.api_experiments import ERRORS, LOWER_IS_BETTER, ComparedMetric, ExperimentVerdict

MARGIN: Final = 0.02
"""Of scores between 0 and 1, in their unit; of others as a share of the baseline."""
FEW: Final = 20


class ComparisonError(ValueError):
    """The two cannot be compared; the message says why."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """How to compare.

    Attributes:
        metrics: names; empty: all scores, and errors where they are paired and there are some.
        margin: a smaller difference does not matter, in each metric's unit; None: `MARGIN`.
        lower_is_better: metrics of which less is better, besides errors and duration.
    """

    metrics: Sequence[str] = ()
    margin: float | None = None
    lower_is_better: Collection[str] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True)
class _Found:
    metric: str
    mean_a: float
    mean_b: float
    n: int
    groups: int
    difference: float
    low: float
    high: float
    p_value: float
    method: str
    margin: float
    needed: int | None
    yes_no: bool
    correction: ScoreCorrection | None = None
    labels: int = 0


def compare_items(
    a: dict[str, ItemValues], b: dict[str, ItemValues], wanted: Wanted
) -> tuple[list[ComparedMetric], list[str]]:
    """Item by item.

    Returns:
        The metrics, and what is to be known of them.

    Raises:
        ComparisonError: there are no items in common, or a metric that was asked for is on neither side.
    """
    if not a.keys() & b.keys():
        raise ComparisonError(
            "The two have no items in common. Items are told apart by their id, which by default is made from the "
            "input; run both over the same dataset."
        )
    known = score_names(a, b)
    failed = any(any(item.values[ERRORS]) for side in (a, b) for item in side.values())
    # Where nothing failed on either side there is nothing to tell apart.
    metrics = list(wanted.metrics) or [*known, *([ERRORS] if failed or not known else [])]
    found: list[_Found] = []
    notes: list[str] = []
    lonely: dict[tuple[int, int], list[str]] = {}
    for metric in metrics:
        values = pairs(a, b, metric)
        if not len(values.a):
            if wanted.metrics:
                raise ComparisonError(
                    f"No item has {metric!r} on both sides; there is {', '.join(known) or 'no score'}."
                )
            notes.append(f"{metric}: no item has it on both sides.")
            continue
        if values.only_a or values.only_b:
            lonely.setdefault((values.only_a, values.only_b), []).append(metric)
        found.append(_paired(metric, values, wanted))
    notes += [
        f"{', '.join(names)}: left out are items that have it on one side only, {of_a} of the baseline and {of_b} of "
        "the candidate."
        for (of_a, of_b), names in lonely.items()
    ]
    if found and max(one.groups for one in found) < FEW:
        notes.append(f"Fewer than {FEW} independent items: only large differences can be seen.")
    return _judged(found, wanted), notes


def compare_means(
    a: Mapping[str, SideMean], b: Mapping[str, SideMean], held: Mapping[str, str], wanted: Wanted
) -> tuple[list[ComparedMetric], list[str]]:
    """Not item by item: means of different targets, of judges' scores the corrected ones where both sides have labels.

    Args:
        a: the first side's by metric.
        b: the second's.
        held: metrics that prove nothing, since a judge of theirs agrees too little with people, and why.
        wanted: how.

    Raises:
        ComparisonError: there is no metric that both have, or not the one that was asked for.
    """
    common = sorted(a.keys() & b.keys())
    for metric in wanted.metrics:
        if metric not in common:
            raise ComparisonError(
                f"{metric!r} is not on both sides; there is {', '.join(common) or 'no common score'}."
            )
    metrics = list(wanted.metrics) or common
    if not metrics:
        raise ComparisonError("The two have no score in common.")
    missing = sorted((a.keys() | b.keys()) - set(common))
    notes = [f"Only on one side: {', '.join(missing)}."] if missing and not wanted.metrics else []
    found = []
    for metric in metrics:
        sides = beside(a[metric], b[metric], held.get(metric, ""))
        assert sides is not None
        left, right, correction = sides.a, sides.b, sides.correction
        moved = two_sample(left, right)
        margin = _margin(wanted, left.mean, inside=a[metric].inside and b[metric].inside)
        labels = min(left.n, right.n) if correction is not None and correction.corrected else 0
        raw = (a[metric].raw, b[metric].raw)
        # As if both sides were as large as the smaller one. Corrected, labels are what is short; twice as many labels
        # and scores halve the variance.
        needed = items_needed(
            moved.value, moved.error * math.sqrt(labels or min(left.clusters, right.clusters)), margin
        )
        found.append(
            _Found(
                metric=metric,
                mean_a=left.mean,
                mean_b=right.mean,
                n=min(one.n for one in raw),
                groups=min(one.clusters for one in raw),
                difference=moved.value,
                low=moved.low,
                high=moved.high,
                p_value=moved.p_value,
                method="welch",
                margin=margin,
                needed=needed,
                yes_no=False,
                correction=correction,
                labels=labels,
            )
        )
    return _judged(found, wanted), notes


def sentence(baseline: str, candidate: str, metrics: Sequence[ComparedMetric]) -> str:
    """What came out, in one line."""
    words: dict[ExperimentVerdict, list[str]] = {}
    for one in metrics:
        words.setdefault(one.verdict, []).append(one.metric)
    parts = [f"{word}: {', '.join(words[word])}" for word in ("worse", "better", "inconclusive") if words.get(word)]
    if not parts:
        return f"No difference between {baseline} and {candidate} that matters."
    return f"{candidate} against {baseline}: {'; '.join(parts)}."


def _paired(metric: str, values: Pairs, wanted: Wanted) -> _Found:
    seed = hashlib.sha256(b"".join((metric.encode(), values.a.tobytes(), values.b.tobytes()))).digest()
    # The same numbers have the same answer whenever they are asked for.
    result = paired(values.a, values.b, values.groups, rng=np.random.default_rng(int.from_bytes(seed[:8], "big")))
    every = np.concatenate((values.a, values.b))
    margin = _margin(wanted, result.mean_a, inside=bool((every >= 0).all() and (every <= 1).all()))
    needed = items_needed(result.difference, result.spread, margin)
    return _Found(
        metric=metric,
        mean_a=result.mean_a,
        mean_b=result.mean_b,
        n=result.n,
        groups=result.groups,
        difference=result.difference,
        low=result.low,
        high=result.high,
        p_value=result.p_value,
        method=result.method,
        margin=margin,
        needed=needed,
        yes_no=bool(np.isin(every, (0.0, 1.0)).all()),
    )


def _margin(wanted: Wanted, baseline: float, *, inside: bool) -> float:
    if wanted.margin is not None:
        return wanted.margin
    return MARGIN if inside else MARGIN * abs(baseline)


def _judged(found: Sequence[_Found], wanted: Wanted) -> list[ComparedMetric]:
    adjusted = holm([one.p_value for one in found])
    metrics = []
    for one, p_adjusted in zip(found, adjusted, strict=True):
        higher = one.metric not in LOWER_IS_BETTER and one.metric not in wanted.lower_is_better
        # `needed` counts items, of which a group has several.
        needed = one.needed
        independent = one.labels or (one.n if one.groups >= 5 else one.groups)
        word, more = verdict(
            Evidence(
                one.difference,
                one.low,
                one.high,
                p_adjusted,
                independent,
                needed,
                one.margin,
                higher,
            )
        )
        held = one.correction.held if one.correction is not None else ""
        if held:
            # More of what it says does not make it right.
            word, more = "inconclusive", None
        known = math.isfinite(one.low)
        metrics.append(
            ComparedMetric(
                metric=one.metric,
                baseline=one.mean_a,
                candidate=one.mean_b,
                n=one.n,
                groups=one.groups,
                difference=one.difference,
                low=one.low if known else None,
                high=one.high if known else None,
                p_value=one.p_value,
                p_adjusted=p_adjusted,
                method=one.method,
                margin=one.margin,
                higher_is_better=higher,
                yes_no=one.yes_no,
                verdict=word,
                more_items=more,
                words=f"inconclusive, the judge is not trusted ({held})"
                if held
                else _words(word, one.margin, more, "labels" if one.labels else "items"),
                correction=one.correction,
            )
        )
    return metrics


def of_corrections(metrics: Sequence[ComparedMetric]) -> list[str]:
    """What is to be known of how judges' scores were corrected."""
    by_words: dict[str, list[str]] = {}
    for one in metrics:
        if one.correction is not None:
            by_words.setdefault(one.correction.words, []).append(one.metric)
    return [
        f"{', '.join(names)}: given by a judge, {words}" + ("." if "not corrected" not in words else _RAW)
        for words, names in by_words.items()
    ]


_RAW: Final = ". If the judge has become milder or stricter, that looks like a change of quality."


def _words(word: ExperimentVerdict, margin: float, more: int | None, what: str) -> str:
    match word:
        case "no_difference":
            return f"no difference that matters (within ±{margin:.3g})"
        case "inconclusive":
            return "inconclusive" if more is None else f"inconclusive, about {more:,} more {what} needed"
        case _:
            return word
