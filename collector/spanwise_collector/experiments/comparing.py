"""Comparing what is stored: references become sides, sides become a comparison."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from spanwise_collector.experiments.compare import (
    Wanted,
    compare_items,
    compare_means,
    of_corrections,
    sentence,
)
from spanwise_collector.experiments.items import ItemValues, by_item, group_numbers, score_names
from spanwise_collector.experiments.release_scores import release_scores
from spanwise_collector.experiments.store import Experiments, UnknownExperimentError
from spanwise_collector.means.sides import SideMean
from spanwise_collector.query.side_scores import held_scores
from spanwise_collector.query.window import Window
from spanwise_collector.stats.two_sample import weighted_mean
from spanwise_collector.store.database import Reader
from spanwise_schemas.api_experiments import (
    ComparedItem,
    ComparedItems,
    ComparedSide,
    ExperimentComparison,
    ItemOrder,
    ItemResult,
)

RELEASE: Final = "release:"


@dataclass(frozen=True, slots=True)
class _Side:
    shown: ComparedSide
    items: dict[str, ItemValues] | None
    means: Mapping[str, SideMean]


class Comparing:
    """Compares experiments and releases of any project.

    Args:
        reader: the store.
        experiments: of all projects.
        timeout_s: for each query.
    """

    def __init__(self, reader: Reader, experiments: Experiments, *, timeout_s: float = 30.0) -> None:
        self._reader = reader
        self._experiments = experiments
        self._timeout_s = timeout_s

    def compare(
        self, project: str, baseline: str, candidate: str, wanted: Wanted, window: Window
    ) -> ExperimentComparison:
        """Two sides, metric by metric.

        Args:
            project: whose.
            baseline: id or name of an experiment, or `release:NAME`.
            candidate: likewise.
            wanted: how.
            window: in which traces of releases are looked for.

        Raises:
            UnknownExperimentError: a side is not there.
            ComparisonError: they have nothing in common.
            StoreError: see `Reader.query`.
        """
        a, b = (self._side(project, reference, window) for reference in (baseline, candidate))
        if a.items is not None and b.items is not None:
            metrics, notes = compare_items(a.items, b.items, wanted)
            notes = [*_of_datasets(a.shown, b.shown), *notes, *_unfinished(a.shown, b.shown)]
        else:
            held = held_scores(self._reader, project, (a.means, b.means), window.start, timeout_s=self._timeout_s)
            metrics, notes = compare_means(a.means, b.means, held, wanted)
            notes = [
                "Not paired: the sides were scored on different requests, so the interval is wider and a change of the "
                "requests looks like a change of quality. Scores by code and judges, weighted by the inverse of their "
                "chance to be chosen, sessions taken together.",
                *of_corrections(metrics),
                *notes,
            ]
        shown = _told_apart(a.shown, b.shown)
        return ExperimentComparison(
            baseline=shown[0],
            candidate=shown[1],
            paired=a.items is not None and b.items is not None,
            metrics=metrics,
            sentence=sentence(shown[0].label, shown[1].label, metrics),
            notes=notes,
        )

    def items(
        self,
        project: str,
        baseline: str,
        candidate: str,
        metric: str,
        *,
        order: ItemOrder,
        lower_is_better: bool,
        offset: int,
        limit: int,
    ) -> ComparedItems:
        """Items of two experiments beside each other.

        Args:
            project: whose.
            baseline: id or name of an experiment.
            candidate: likewise.
            metric: by which they are ordered; empty: the first score.
            order: `worst`: items that lost most come first; `best`: those that gained; `dataset`: by id.
            lower_is_better: less of the metric is better.
            offset: items before the page.
            limit: items on the page.

        Raises:
            UnknownExperimentError: a side is not there.
            StoreError: see `Reader.query`.
        """
        ids = [self._experiments.named(project, one).experiment_id for one in (baseline, candidate)]
        a, b = (by_item(self._experiments.values(project, one)) for one in ids)
        metric = metric or next(iter(score_names(a, b)), "errors")
        values = {
            key: tuple(side[key].mean(metric) if key in side else None for side in (a, b)) for key in sorted({*a, *b})
        }
        sign = -1.0 if (order == "best") != lower_is_better else 1.0

        def rank(key: str) -> tuple[float, str]:
            left, right = values[key]
            return (sign * (right - left) if left is not None and right is not None else float("inf"), key)

        ordered = sorted(values) if order == "dataset" else sorted(values, key=rank)
        shown = ordered[offset : offset + limit]
        results = [self._first_repeats(project, one, shown) for one in ids]
        after = offset + len(shown)
        return ComparedItems(
            metric=metric,
            total=len(ordered),
            items=[_beside(key, results[0].get(key), results[1].get(key), values[key]) for key in shown],
            next_offset=after if after < len(ordered) else None,
        )

    def _first_repeats(self, project: str, experiment_id: str, items: list[str]) -> dict[str, ItemResult]:
        if not items:
            return {}
        found: dict[str, ItemResult] = {}
        cursor = ""
        while True:
            page = self._experiments.results(project, experiment_id, items=items, cursor=cursor, limit=500)
            for one in page.items:
                found.setdefault(one.item_id, one)
            if page.next_cursor is None:
                return found
            cursor = page.next_cursor

    def _side(self, project: str, reference: str, window: Window) -> _Side:
        if reference.startswith(RELEASE):
            release = reference.removeprefix(RELEASE)
            found = release_scores(self._reader, project, release, window, timeout_s=self._timeout_s)
            if not found:
                raise UnknownExperimentError(
                    f"The release {release!r} has no scores by code or judges in the project {project!r} in this time "
                    "range."
                )
            targets = max(one.raw.n for one in found.values())
            side = ComparedSide(label=f"release {release}", kind="release", release=release, n=targets)
            return _Side(side, None, found)
        experiment = self._experiments.named(project, reference)
        items = by_item(self._experiments.values(project, experiment.experiment_id))
        if not items:
            raise UnknownExperimentError(f"The experiment {reference!r} has no results.")
        side = ComparedSide(label=experiment.name, kind="experiment", experiment=experiment, n=len(items))
        return _Side(side, items, _means(items))


def _means(items: dict[str, ItemValues]) -> dict[str, SideMean]:
    means = {}
    for metric in score_names(items):
        found = [(value, item.group) for item in items.values() if (value := item.mean(metric)) is not None]
        values = np.array([value for value, _ in found], dtype=np.float64)
        mean = weighted_mean(values, np.ones(len(values)), group_numbers([group for _, group in found]))
        means[metric] = SideMean(mean, inside=bool((values >= 0).all() and (values <= 1).all()))
    return means


def _told_apart(a: ComparedSide, b: ComparedSide) -> tuple[ComparedSide, ComparedSide]:
    """Two runs of one name are told apart by their ids."""
    if a.label != b.label or a.experiment is None or b.experiment is None:
        return a, b
    first, second = (
        one.model_copy(update={"label": f"{one.label} ({experiment.experiment_id})"})
        for one, experiment in ((a, a.experiment), (b, b.experiment))
    )
    return first, second


def _of_datasets(a: ComparedSide, b: ComparedSide) -> list[str]:
    assert a.experiment is not None
    assert b.experiment is not None
    left, right = ((one.dataset, one.dataset_version) for one in (a.experiment, b.experiment))
    if left == right:
        return []
    return [
        f"The sides ran over {left[0] or 'a list'} v{left[1]} and {right[0] or 'a list'} v{right[1]}: only items with "
        "the same id are compared."
    ]


def _unfinished(*sides: ComparedSide) -> list[str]:
    return [
        f"{one.label} is {one.experiment.state}: {one.experiment.runs} of "
        f"{one.experiment.items * one.experiment.repeats} runs are stored."
        for one in sides
        if one.experiment is not None and one.experiment.state != "finished"
    ]


def _beside(key: str, a: ItemResult | None, b: ItemResult | None, values: tuple[float | None, ...]) -> ComparedItem:
    some = b or a
    return ComparedItem(
        item_id=key,
        group=some.group if some else "",
        input=some.input if some else None,
        expected=some.expected if some else None,
        baseline=a,
        candidate=b,
        baseline_value=values[0],
        candidate_value=values[1],
    )
