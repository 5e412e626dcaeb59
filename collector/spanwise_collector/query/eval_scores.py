"""What is known of eval scores: their names, and means and distributions with intervals."""

from dataclasses import dataclass
from typing import Any, Final

from spanwise_collector.means.intervals import Estimate, estimate
from spanwise_collector.means.sums import Sums
from spanwise_collector.query.eval_source import (
    IN_WINDOW,
    KNOWN_CHANCE,
    SETTINGS,
    SUMS,
    ScoreFilter,
    in_environments,
    scored,
    sums_of,
)
from spanwise_collector.query.metrics import step_for
from spanwise_collector.query.values import time_of
from spanwise_collector.query.window import Window
from spanwise_collector.store.database import Reader
from spanwise_schemas.api_evals import (
    Bin,
    LabelShare,
    MeanEstimate,
    ScoreDistribution,
    ScoreEvaluator,
    ScoreName,
    ScoreNames,
    ScoreShape,
    ScoreSource,
    ScoreTrend,
    SplitBy,
    TrendLine,
)

MAX_NAMES: Final = 200
MAX_VERSIONS: Final = 20
MAX_LABELS: Final = 20
MAX_LINES: Final = 8
BINS: Final = 20
_SHAPE: Final = (
    "multiIf(countIf(value IS NOT NULL) = 0, 'label', countIf(isFinite(value) AND value != 0 AND value != 1) = 0, "
    "'yes_no', 'number')"
)


@dataclass(frozen=True, slots=True)
class Profile:
    """What kind of scores there are of a name.

    Attributes:
        source: that gives most of them.
        shape: of their values.
        label: the most frequent one where they are words; empty for numbers.
    """

    source: ScoreSource
    shape: ScoreShape
    label: str


def model(found: Estimate) -> MeanEstimate:
    """An estimate for the API."""
    return MeanEstimate(
        mean=found.mean,
        low=found.low,
        high=found.high,
        n=found.n,
        effective=round(found.effective, 1),
        dropped=found.dropped,
    )


def score_names(
    reader: Reader, project: str, window: Window, environments: tuple[str, ...], *, timeout_s: float
) -> ScoreNames:
    """Names of scores in a window with who gives them, most frequent first."""
    where = IN_WINDOW + (f" AND {in_environments()}" if environments else "")
    wanted = ScoreFilter(project, "", "code", environments=environments)
    rows = reader.query(
        "SELECT toString(name) AS name_, toString(source) AS by, toString(evaluator) AS who, "
        f"toString(evaluator_version) AS v, count(), {_SHAPE}, toUnixTimestamp64Micro(max(ts)) AS last, "
        "minIf(value, isFinite(value)), maxIf(value, isFinite(value)), topK(20)(toString(label)) "
        f"FROM scores FINAL WHERE {where} GROUP BY name_, by, who, v ORDER BY last DESC, name_, by, who, v LIMIT 5000",
        wanted.parameters(window),
        settings=SETTINGS,
        timeout_s=timeout_s,
    ).rows
    by_name: dict[str, list[tuple[Any, ...]]] = {}
    for row in rows:
        by_name.setdefault(row[0], []).append(row)
    items = [_name(name, its) for name, its in by_name.items()]
    return ScoreNames(items=sorted(items, key=lambda one: (-one.count, one.name))[:MAX_NAMES])


def _name(name: str, rows: list[tuple[Any, ...]]) -> ScoreName:
    """From rows of one name by version, the one seen last first."""
    shapes = {row[5] for row in rows}
    shape: ScoreShape = "number" if "number" in shapes else "yes_no" if "yes_no" in shapes else "label"
    lows, highs = ([row[at] for row in rows if row[at] is not None] for at in (7, 8))
    by_evaluator: dict[tuple[ScoreSource, str], list[tuple[Any, ...]]] = {}
    for row in rows:
        by_evaluator.setdefault((row[1], row[2]), []).append(row)
    evaluators = [
        ScoreEvaluator(
            source=source,
            evaluator=evaluator,
            versions=[row[3] for row in its][:MAX_VERSIONS],
            count=sum(row[4] for row in its),
            last_seen=time_of(its[0][6]),
        )
        for (source, evaluator), its in by_evaluator.items()
    ]
    return ScoreName(
        name=name,
        shape=shape,
        count=sum(row[4] for row in rows),
        last_seen=time_of(rows[0][6]),
        low=min(lows, default=None) if shape != "label" else None,
        high=max(highs, default=None) if shape != "label" else None,
        labels=list(dict.fromkeys(label for row in rows for label in row[9] if label))[:MAX_LABELS],
        evaluators=sorted(evaluators, key=lambda one: (-one.count, one.source, one.evaluator)),
    )


def profile(
    reader: Reader, project: str, name: str, window: Window, source: ScoreSource | None, *, timeout_s: float
) -> Profile:
    """The kind of a name's scores, of one source or of the one that gives most."""
    given = "" if source is None else " AND source = {source:String}"
    rows = reader.query(
        f"SELECT toString(source) AS given, {_SHAPE}, topK(1)(toString(label)) FROM scores FINAL "
        f"WHERE {IN_WINDOW} AND name = {{name:String}}{given} GROUP BY given ORDER BY count() DESC, given LIMIT 1",
        ScoreFilter(project, name, source or "code").parameters(window),
        settings=SETTINGS,
        timeout_s=timeout_s,
    ).rows
    if not rows:
        return Profile(source or "code", "number", "")
    given_by, shape, labels = rows[0]
    return Profile(given_by, shape, labels[0] if shape == "label" and labels else "")


def trend(
    reader: Reader,
    wanted: ScoreFilter,
    shape: ScoreShape,
    window: Window,
    split: SplitBy,
    step_seconds: int | None,
    *,
    timeout_s: float,
) -> ScoreTrend:
    """Means in steps of time, a line for each value of the split; the window is widened to whole steps.

    Raises:
        WindowError: the step cannot be used.
    """
    step = step_for(window, step_seconds)
    wide = window.aligned(step * 1_000_000)
    count = wide.length // (step * 1_000_000)
    rows = reader.query(
        f"SELECT key, intDiv(toUnixTimestamp64Micro(ts) - {{start:Int64}}, {{step:Int64}}) AS at, {SUMS} "
        f"FROM {scored(wanted, split)} GROUP BY key, at ORDER BY key, at LIMIT 200000",
        wanted.parameters(wide) | {"step": step * 1_000_000},
        settings=SETTINGS,
        timeout_s=timeout_s,
    ).rows
    by_key: dict[str, dict[int, Sums]] = {}
    for key, at, *sums in rows:
        by_key.setdefault(key, {})[at] = sums_of(tuple(sums))
    lines = [_line(key, steps, count) for key, steps in by_key.items()]
    lines.sort(key=lambda line: (-line.total.n, line.key))
    return ScoreTrend(
        name=wanted.name,
        source=wanted.source,
        evaluator=wanted.evaluator,
        shape=shape,
        label=wanted.label,
        split=split,
        start=time_of(wide.start),
        end=time_of(wide.end),
        step_seconds=step,
        times=[time_of(wide.start + number * step * 1_000_000) for number in range(count)],
        lines=lines[:MAX_LINES],
        omitted=max(len(lines) - MAX_LINES, 0),
        total=model(estimate(sum((sums for steps in by_key.values() for sums in steps.values()), Sums.none()))),
    )


def _line(key: str, steps: dict[int, Sums], count: int) -> TrendLine:
    total = sum(steps.values(), Sums.none())
    found = [estimate(steps.get(number, Sums.none())) for number in range(count)]
    return TrendLine(
        key=key,
        n=[one.n for one in found],
        mean=[one.mean for one in found],
        low=[one.low for one in found],
        high=[one.high for one in found],
        total=model(estimate(total)),
    )


def distribution(
    reader: Reader, wanted: ScoreFilter, shape: ScoreShape, window: Window, *, timeout_s: float
) -> ScoreDistribution:
    """How values lie, weighted by the chance of being scored: in 20 bins, or by label."""
    parameters = wanted.parameters(window)
    if shape == "label":
        rows = reader.query(
            f"SELECT toString(label) AS word, count(), sumIf(1 / inclusion_p, {KNOWN_CHANCE}) AS weight "
            f"FROM scores FINAL WHERE {wanted.condition()} GROUP BY word ORDER BY weight DESC, word LIMIT 50",
            parameters,
            settings=SETTINGS,
            timeout_s=timeout_s,
        ).rows
        weight = sum(row[2] for row in rows) or 1.0
        labels = [LabelShare(label=word, count=count, share=its / weight) for word, count, its in rows]
        total = MeanEstimate(n=sum(row[1] for row in rows))
        return ScoreDistribution(name=wanted.name, source=wanted.source, shape=shape, total=total, labels=labels)
    rows = reader.query(f"SELECT {SUMS} FROM {scored(wanted)}", parameters, settings=SETTINGS, timeout_s=timeout_s).rows
    sums = sums_of(rows[0])
    low, high = edges(sums)
    width = (high - low) / BINS
    rows = reader.query(
        f"SELECT least(toInt64(floor((x - {{low:Float64}}) / {{width:Float64}})), {BINS - 1}) AS place, count(), "
        f"sum(w) FROM {scored(wanted)} WHERE ok GROUP BY place",
        parameters | {"low": low, "width": width},
        settings=SETTINGS,
        timeout_s=timeout_s,
    ).rows
    found = {place: (count, weight) for place, count, weight in rows}
    bins = [
        Bin(
            low=low + place * width,
            high=low + (place + 1) * width,
            count=found.get(place, (0, 0.0))[0],
            share=found.get(place, (0, 0.0))[1] / sums.w if sums.n else 0.0,
        )
        for place in range(BINS)
    ]
    total = model(estimate(sums))
    return ScoreDistribution(name=wanted.name, source=wanted.source, shape=shape, total=total, bins=bins)


def edges(sums: Sums) -> tuple[float, float]:
    """Where bins begin and end: 0 and 1 for what lies between, else the smallest and the largest value."""
    if not sums.n or (sums.low >= 0 and sums.high <= 1):
        return 0.0, 1.0
    return (sums.low, sums.high) if sums.high > sums.low else (sums.low - 0.5, sums.high + 0.5)
