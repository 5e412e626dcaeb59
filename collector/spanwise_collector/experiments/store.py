"""Experiments and their results in ClickHouse. A result sent again replaces itself."""

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np
import pyarrow as pa

from spanwise_collector.datasets.model import to_json
from spanwise_collector.datasets.store import Store
from spanwise_collector.query.values import EPOCH, micros
from spanwise_collector.stats.two_sample import weighted_mean, wilson
from spanwise_schemas.api_experiments import (
    Experiment,
    ExperimentDraft,
    ExperimentPage,
    ExperimentState,
    ItemResult,
    MetricMean,
    ResultPage,
)

_MILLIS: Final = pa.timestamp("ms", "UTC")
_MAP: Final = pa.map_(pa.string(), pa.string())
_EXPERIMENTS: Final = pa.schema(
    [
        ("project_id", pa.string()),
        ("experiment_id", pa.string()),
        ("name", pa.string()),
        ("dataset", pa.string()),
        ("dataset_version", pa.uint32()),
        ("n_items", pa.uint32()),
        ("repeats", pa.uint16()),
        ("evaluators", _MAP),
        ("metadata", _MAP),
        ("release", pa.string()),
        ("by", pa.string()),
        ("state", pa.string()),
        ("started_at", _MILLIS),
        ("updated_at", _MILLIS),
        ("version", pa.uint64()),
    ]
)
_RESULTS: Final = pa.schema(
    [
        ("project_id", pa.string()),
        ("experiment_id", pa.string()),
        ("item_id", pa.string()),
        ("repeat", pa.uint16()),
        ("item_group", pa.string()),
        ("input", pa.string()),
        ("expected", pa.string()),
        ("output", pa.string()),
        ("error", pa.string()),
        ("duration_ms", pa.float64()),
        ("trace_id", pa.binary(16)),
        ("span_id", pa.binary(8)),
        ("scores", pa.map_(pa.string(), pa.float64())),
        ("labels", _MAP),
        ("explanations", _MAP),
        ("score_errors", _MAP),
        ("ts", _MILLIS),
        ("version", pa.uint64()),
    ]
)
_COLUMNS: Final = (
    "experiment_id, name, dataset, dataset_version, n_items, repeats, evaluators, metadata, release, by, "
    "toString(state), toUnixTimestamp64Milli(started_at), toUnixTimestamp64Milli(updated_at)"
)
_RESULT_COLUMNS: Final = (
    "item_id, repeat, item_group, input, expected, output, error, duration_ms, trace_id, span_id, scores, labels, "
    "explanations, score_errors"
)


class UnknownExperimentError(LookupError):
    """There is no such experiment; the message says where it was looked for."""


class Experiments:
    """Experiments of all projects.

    Args:
        store: the database.
        now: the time of day, UTC.
        timeout_s: of each query.
    """

    def __init__(self, store: Store, *, now: Callable[[], datetime], timeout_s: float = 30.0) -> None:
        self._store = store
        self._now = now
        self.timeout_s = timeout_s

    def begin(self, project: str, draft: ExperimentDraft) -> Experiment:
        """Begin an experiment, or go on with the one of this id.

        Raises:
            StoreError: as the store says.
        """
        now = self._now()
        known = self._read(project, "experiment_id = {id:String}", {"id": draft.experiment_id})
        found = Experiment(
            **draft.model_dump(),
            project=project,
            state="running",
            started_at=known[0].started_at if known else now,
            updated_at=now,
        )
        self._write(found)
        return self.get(project, draft.experiment_id)

    def end(self, project: str, experiment_id: str, state: ExperimentState) -> Experiment:
        """Say how an experiment ended.

        Raises:
            UnknownExperimentError: the project has none of this id.
            StoreError: as the store says.
        """
        found = self._one(project, experiment_id)
        self._write(found.model_copy(update={"state": state, "updated_at": self._now()}))
        return self.get(project, experiment_id)

    def get(self, project: str, experiment_id: str) -> Experiment:
        """One experiment with the means of its metrics.

        Raises:
            UnknownExperimentError: the project has none of this id.
            StoreError: as the store says.
        """
        return self._summed(project, [self._one(project, experiment_id)])[0]

    def named(self, project: str, reference: str) -> Experiment:
        """The experiment of an id, else the newest of a name.

        Raises:
            UnknownExperimentError: the project has neither.
            StoreError: as the store says.
        """
        found = self._read(
            project,
            "experiment_id = {reference:String} OR name = {reference:String}",
            {"reference": reference},
            order="experiment_id = {reference:String} DESC, started_at DESC, experiment_id",
            limit=1,
        )
        if not found:
            raise UnknownExperimentError(
                f"There is no experiment {reference!r} in the project {project!r}, neither an id nor a name."
            )
        return self._summed(project, found)[0]

    def listed(self, project: str, *, dataset: str = "", name: str = "", limit: int = 100) -> ExperimentPage:
        """Experiments, the newest first.

        Args:
            project: whose.
            dataset: only over this one; empty: all.
            name: only of this name; empty: all.
            limit: of them at most.

        Raises:
            StoreError: as the store says.
        """
        found = self._read(
            project,
            "({dataset:String} = '' OR dataset = {dataset:String}) AND ({name:String} = '' OR name = {name:String})",
            {"dataset": dataset, "name": name},
            limit=limit,
        )
        return ExperimentPage(items=self._summed(project, found))

    def add(self, project: str, experiment_id: str, results: Sequence[ItemResult]) -> int:
        """Store results; those of the same item and repeat are replaced.

        Raises:
            UnknownExperimentError: the project has no experiment of this id.
            StoreError: as the store says.
        """
        self._one(project, experiment_id)
        now = self._now()
        version = micros(now)
        rows = [_row(project, experiment_id, one, now, version) for one in results]
        batch = pa.RecordBatch.from_pylist(rows, schema=_RESULTS)
        first, last = results[0], results[-1]
        token = (
            f"results:{project}\0{experiment_id}\0{version}\0{len(rows)}\0{first.item_id}:{first.repeat}"
            f"\0{last.item_id}:{last.repeat}"
        )
        self._store.insert("experiment_results", batch, token=token)
        return len(rows)

    def results(
        self, project: str, experiment_id: str, *, cursor: str = "", limit: int = 100, items: Sequence[str] = ()
    ) -> ResultPage:
        """Results by item and repeat, in pages.

        Args:
            project: whose.
            experiment_id: of which.
            cursor: `next_cursor` of the page before.
            limit: results on a page.
            items: only of these; empty: all.

        Raises:
            UnknownExperimentError: the project has no experiment of this id.
            ValueError: the cursor is none of ours.
            StoreError: as the store says.
        """
        self._one(project, experiment_id)
        after_item, after_repeat = _decoded(cursor)
        rows = self._query(
            f"SELECT {_RESULT_COLUMNS} FROM experiment_results FINAL WHERE project_id = {{project:String}} "
            "AND experiment_id = {id:String} AND (item_id, repeat) > ({item:String}, {repeat:Int32}) "
            f"{'AND item_id IN {items:Array(String)} ' if items else ''}"
            "ORDER BY item_id, repeat LIMIT {limit:UInt32}",
            {
                "project": project,
                "id": experiment_id,
                "item": after_item,
                "repeat": after_repeat,
                "limit": limit,
                "items": list(items),
            },
        )
        found = [_result(row) for row in rows]
        more = json.dumps([found[-1].item_id, found[-1].repeat]) if len(found) == limit else None
        return ResultPage(items=found, next_cursor=more)

    def all_results(self, project: str, experiment_id: str) -> Iterator[ItemResult]:
        """Every result by item and repeat, read in pages.

        Raises:
            UnknownExperimentError: the project has no experiment of this id.
            StoreError: as the store says.
        """
        cursor: str | None = ""
        while cursor is not None:
            page = self.results(project, experiment_id, cursor=cursor, limit=1_000)
            yield from page.items
            cursor = page.next_cursor

    def values(self, project: str, experiment_id: str) -> list[tuple[str, str, bool, float, dict[str, float]]]:
        """Of every result: item, group, whether it is an error, milliseconds, scores.

        Raises:
            StoreError: as the store says.
        """
        return [
            (item, group, bool(failed), took, scores)
            for item, group, failed, took, scores in self._query(
                "SELECT item_id, item_group, error != '', duration_ms, scores FROM experiment_results FINAL "
                "WHERE project_id = {project:String} AND experiment_id = {id:String} ORDER BY item_id, repeat",
                {"project": project, "id": experiment_id},
            )
        ]

    def _one(self, project: str, experiment_id: str) -> Experiment:
        found = self._read(project, "experiment_id = {id:String}", {"id": experiment_id}, limit=1)
        if not found:
            raise UnknownExperimentError(f"There is no experiment {experiment_id!r} in the project {project!r}.")
        return found[0]

    def _read(
        self,
        project: str,
        condition: str,
        parameters: Mapping[str, object],
        *,
        order: str = "started_at DESC, experiment_id",
        limit: int = 1000,
    ) -> list[Experiment]:
        rows = self._query(
            f"SELECT {_COLUMNS} FROM experiments FINAL WHERE project_id = {{project:String}} AND ({condition}) "
            f"ORDER BY {order} LIMIT {{limit:UInt32}}",
            {"project": project, "limit": limit, **parameters},
        )
        return [_experiment(project, row) for row in rows]

    def _summed(self, project: str, found: Sequence[Experiment]) -> list[Experiment]:
        if not found:
            return []
        parameters = {"project": project, "ids": [one.experiment_id for one in found]}
        counts = {
            experiment: (runs, errors)
            for experiment, runs, errors in self._query(
                "SELECT experiment_id, count(), countIf(error != '') FROM experiment_results FINAL "
                "WHERE project_id = {project:String} AND experiment_id IN {ids:Array(String)} GROUP BY experiment_id",
                parameters,
            )
        }
        means: dict[str, list[MetricMean]] = {}
        # Repeats are averaged to items, items summed to groups, which alone are independent.
        for experiment, metric, sums, sizes in self._query(
            "SELECT experiment_id, metric, groupArray(total), groupArray(size) FROM ("
            "SELECT experiment_id, metric, cluster, sum(mean) AS total, count() AS size FROM ("
            "SELECT experiment_id, item_id, pair.1 AS metric, any(if(item_group = '', concat('i', item_id), "
            "concat('g', item_group))) AS cluster, avg(pair.2) AS mean FROM experiment_results FINAL "
            "ARRAY JOIN CAST(scores, 'Array(Tuple(String, Float64))') AS pair "
            "WHERE project_id = {project:String} AND experiment_id IN {ids:Array(String)} "
            "GROUP BY experiment_id, item_id, metric) GROUP BY experiment_id, metric, cluster) "
            "GROUP BY experiment_id, metric ORDER BY experiment_id, metric",
            parameters,
        ):
            means.setdefault(experiment, []).append(_mean(metric, sums, sizes))
        return [
            one.model_copy(
                update={
                    "runs": counts.get(one.experiment_id, (0, 0))[0],
                    "errors": counts.get(one.experiment_id, (0, 0))[1],
                    "metrics": means.get(one.experiment_id, []),
                }
            )
            for one in found
        ]

    def _write(self, found: Experiment) -> None:
        version = micros(self._now())
        row = {
            **found.model_dump(include=set(_EXPERIMENTS.names)),
            "project_id": found.project,
            "n_items": found.items,
            "evaluators": list(found.evaluators.items()),
            "metadata": list(found.metadata.items()),
            "version": version,
        }
        batch = pa.RecordBatch.from_pylist([row], schema=_EXPERIMENTS)
        token = f"experiment:{found.project}\0{found.experiment_id}\0{version}\0{found.state}"
        self._store.insert("experiments", batch, token=token)

    def _query(self, sql: str, parameters: Mapping[str, object]) -> list[tuple[Any, ...]]:
        return self._store.query(sql, parameters, timeout_s=self.timeout_s).rows


def _mean(metric: str, sums: Sequence[float], sizes: Sequence[int]) -> MetricMean:
    weights = np.array(sizes, dtype=np.float64)
    found = weighted_mean(np.array(sums) / weights, weights)
    if set(sizes) == {1} and set(sums) <= {0.0, 1.0}:
        low, high = wilson(int(sum(sums)), len(sums))
    else:
        low, high = found.interval()
    known = math.isfinite(low)
    return MetricMean(
        metric=metric,
        mean=found.mean,
        low=low if known else None,
        high=high if known else None,
        items=int(weights.sum()),
    )


def _experiment(project: str, row: tuple[Any, ...]) -> Experiment:
    names = (
        *("experiment_id", "name", "dataset", "dataset_version", "items", "repeats", "evaluators", "metadata"),
        *("release", "by", "state"),
    )
    return Experiment(
        **dict(zip(names, row[:-2], strict=True)), project=project, started_at=_time(row[-2]), updated_at=_time(row[-1])
    )


def _row(project: str, experiment_id: str, one: ItemResult, now: datetime, version: int) -> dict[str, object]:
    failed = bool(one.error)
    return {
        "project_id": project,
        "experiment_id": experiment_id,
        "item_id": one.item_id,
        "repeat": one.repeat,
        "item_group": one.group,
        "input": to_json(one.input),
        "expected": to_json(one.expected),
        "output": to_json(one.output),
        "error": one.error,
        "duration_ms": one.duration_ms,
        "trace_id": bytes.fromhex(one.trace_id).rjust(16, b"\0"),
        "span_id": bytes.fromhex(one.span_id).rjust(8, b"\0"),
        "scores": [] if failed else [(name, value) for name, value in one.scores.items() if math.isfinite(value)],
        "labels": [] if failed else list(one.labels.items()),
        "explanations": list(one.explanations.items()),
        "score_errors": list(one.score_errors.items()),
        "ts": now,
        "version": version,
    }


def _result(row: tuple[Any, ...]) -> ItemResult:
    item, repeat, group, given, expected, output, error, took, trace, span, *maps = row
    return ItemResult(
        item_id=item,
        repeat=repeat,
        group=group,
        input=json.loads(given) if given else None,
        expected=json.loads(expected) if expected else None,
        output=json.loads(output) if output else None,
        error=error,
        duration_ms=took,
        trace_id=trace.hex() if any(trace) else "",
        span_id=span.hex() if any(span) else "",
        scores=maps[0],
        labels=maps[1],
        explanations=maps[2],
        score_errors=maps[3],
    )


def _decoded(cursor: str) -> tuple[str, int]:
    if not cursor:
        return "", -1
    try:
        item, repeat = json.loads(cursor)
        return str(item), int(repeat)
    except (ValueError, TypeError):
        raise ValueError("`cursor` must be the `next_cursor` of the page before") from None


def _time(milliseconds: int) -> datetime:
    return (EPOCH + timedelta(milliseconds=int(milliseconds))).astimezone(UTC)
