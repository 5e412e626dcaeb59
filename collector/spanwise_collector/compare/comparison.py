"""A whole comparison: metrics, scores and failures of two sides, tested together, told in words."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from spanwise_collector.alerts.signals import FIVE_MINUTES_S, HOUR_S, SignalSource, read
from spanwise_collector.compare.measures import measures_of
from spanwise_collector.compare.ratios import Difference, holm
from spanwise_collector.compare.rows import MIN_SAMPLES, Pair, Sums, compared, pair
from spanwise_collector.compare.sides import failures_of, scores_of
from spanwise_collector.means.sides import SideMean, beside
from spanwise_collector.query.failures_source import issue_id
from spanwise_collector.query.side_scores import held_scores
from spanwise_collector.query.values import time_of
from spanwise_collector.query.window import DAY, Window
from spanwise_collector.stats.tables import binomial_two_sided, student_two_sided
from spanwise_collector.store.database import Reader
from spanwise_schemas.api_compare import CompareBy, Compared, ComparedFailure, Comparison, Side, Verdict
from spanwise_schemas.rules import Where
from spanwise_schemas.signals import signal_named

FINE_FOR: Final = 13 * DAY
"""So long the roll-up by five minutes goes back, less a day to spare."""
MAX_FAILURES: Final = 50


@dataclass(frozen=True, slots=True)
class SideWanted:
    """One side of a question.

    Attributes:
        window: when.
        value: the release, prompt or model; empty where windows are compared.
    """

    window: Window
    value: str = ""


def compare(
    reader: Reader,
    project: str,
    by: CompareBy,
    a: SideWanted,
    b: SideWanted,
    *,
    environments: Sequence[str] = (),
    now_us: int,
    timeout_s: float = 30.0,
) -> Comparison:
    """Two sides beside each other.

    Args:
        reader: the store.
        project: whose.
        by: what tells the sides apart.
        a: the first side, what was before.
        b: the second side.
        environments: of spans, as alternatives; empty: all. Scores and failures are of all environments.
        now_us: the time, microseconds since the epoch.
        timeout_s: for each query.

    Raises:
        StoreError: see `Reader.query`.
    """
    measures = measures_of(by)
    columns = {name for one in measures for name in (one.over, one.under)} | {"requests", "calls"}
    sums = [_sums(reader, project, by, side, columns, environments, now_us) for side in (a, b)]
    pairs = [one for one in (pair(measure, *sums) for measure in measures) if one.n_a or one.n_b]
    scores = [scores_of(reader, project, by, side.value, side.window, timeout_s=timeout_s) for side in (a, b)]
    since = min(a.window.start, b.window.start)
    held = held_scores(reader, project, scores, since, timeout_s=timeout_s)
    scored = [
        _score_pair(name, scores[0].get(name), scores[1].get(name), held.get(name, ""))
        for name in sorted({*scores[0], *scores[1]})
    ]
    rows = compared([*pairs, *scored])
    metrics, score_rows = rows[: len(pairs)], rows[len(pairs) :]
    sides = [_side(one, by, found) for one, found in zip((a, b), sums, strict=True)]
    found = [failures_of(reader, project, by, side.value, side.window, timeout_s=timeout_s) for side in (a, b)]
    return Comparison(
        by=by,
        a=sides[0],
        b=sides[1],
        metrics=metrics,
        scores=score_rows,
        failures=_failures(found[0], found[1], *(max(side.calls, side.requests) for side in sides)),
        sentence=_sentence(sides[1].label, sides[0].label, rows),
        notes=_notes(a, b, sides),
    )


def _sums(
    reader: Reader,
    project: str,
    by: CompareBy,
    side: SideWanted,
    columns: set[str],
    environments: Sequence[str],
    now_us: int,
) -> Sums:
    where = Where(environment=tuple(environments), **({} if by == "window" else {by: (side.value,)}))
    fine = side.window.start >= now_us - FINE_FOR and side.window.length <= 2 * DAY
    step = FIVE_MINUTES_S if fine else HOUR_S
    window = side.window.aligned(step * 1_000_000)
    block = read(
        reader, SignalSource(project, where), columns, window.start // 1_000_000, window.end // 1_000_000, step
    )
    if not block.keys:
        return {name: values.sum(0) for name, values in block.arrays.items()}
    return {name: values[0] for name, values in block.arrays.items()}


def _side(wanted: SideWanted, by: CompareBy, sums: Sums) -> Side:
    start, end = time_of(wanted.window.start), time_of(wanted.window.end)
    label = wanted.value or f"{start:%d %b %H:%M} to {end:%d %b %H:%M} UTC"
    return Side(
        label=label if by != "window" else f"{start:%d %b %H:%M} to {end:%d %b %H:%M} UTC",
        start=start,
        end=end,
        value=wanted.value,
        requests=int(sums["requests"].sum()),
        calls=int(sums["calls"].sum()),
    )


def _score_pair(name: str, a: SideMean | None, b: SideMean | None, held: str) -> Pair:
    """A score on both sides; of a judge's the corrected means where both sides have labels."""
    sides, test = beside(a, b, held), None
    means = (sides.a, sides.b) if sides else (a.raw if a else None, b.raw if b else None)
    if a is not None and b is not None and sides is not None and min(a.raw.n, b.raw.n) >= MIN_SAMPLES:
        error = math.hypot(sides.a.error, sides.b.error)
        if 0 < error < math.inf:
            freedom = error**4 / sum(one.error**4 / (one.clusters - 1) for one in (sides.a, sides.b) if one.error)
            value = sides.b.mean - sides.a.mean
            test = Difference(value, error, freedom, student_two_sided(value / error, freedom))
    return Pair(
        signal_named(f"score:{name}"),
        means[0].mean if means[0] else None,
        means[1].mean if means[1] else None,
        a.raw.n if a else 0,
        b.raw.n if b else 0,
        log=False,
        relative=False,
        test=test,
        correction=sides.correction if sides else None,
    )


def _failures(
    a: dict[int, tuple[str, str, int]], b: dict[int, tuple[str, str, int]], n_a: int, n_b: int
) -> list[ComparedFailure]:
    """Issues by how much they differ: of an issue's failures the share on each side against that of the traffic."""
    issues = sorted({*a, *b})
    counts = [(a.get(one, ("", "", 0))[2], b.get(one, ("", "", 0))[2]) for one in issues]
    share = n_b / (n_a + n_b) if n_a + n_b else 0.5
    p_values = [
        binomial_two_sided(count_b, count_a + count_b, share) if 0 < share < 1 else 1.0 for count_a, count_b in counts
    ]
    rows = []
    for issue, (count_a, count_b), p in zip(issues, counts, holm(p_values), strict=True):
        cls, title, _ = b.get(issue) or a[issue]
        rate_a, rate_b = count_a / n_a if n_a else 0.0, count_b / n_b if n_b else 0.0
        verdict: Verdict = "no_difference"
        if min(n_a, n_b) < MIN_SAMPLES:
            verdict = "too_few"
        elif p < 0.05 and max(count_a, count_b) >= 5:
            verdict = "worse" if rate_b > rate_a else "better"
        rows.append(
            ComparedFailure(
                issue_id=issue_id(issue),
                title=title,
                failure_class=cls,
                count_a=count_a,
                count_b=count_b,
                rate_a=rate_a,
                rate_b=rate_b,
                verdict=verdict,
            )
        )
    rank = {"worse": 0, "better": 1}
    rows.sort(key=lambda row: (rank.get(row.verdict, 2), -abs(row.rate_b - row.rate_a), row.issue_id))
    return rows[:MAX_FAILURES]


def _sentence(label_b: str, label_a: str, rows: Sequence[Compared]) -> str:
    titles = {
        verdict: [row.title.lower() for row in rows if row.verdict == verdict]
        for verdict in ("worse", "better", "different")
    }
    if rows and all(row.verdict == "too_few" for row in rows):
        return "There is too little data on one of the sides to tell."
    parts = [f"{verdict}: {', '.join(found)}" for verdict, found in titles.items() if found]
    if not parts:
        return f"Nothing that was compared differs between {label_a} and {label_b} beyond chance."
    return f"{label_b} against {label_a}: {'; '.join(parts)}."


def _notes(a: SideWanted, b: SideWanted, sides: Sequence[Side]) -> list[str]:
    notes = []
    if abs(a.window.length - b.window.length) > 0.1 * max(a.window.length, b.window.length):
        notes.append("The windows differ in length; totals are not comparable, rates and means are.")
    day = DAY
    if (b.window.start - a.window.start) % day or a.window.length % day or b.window.length % day:
        notes.append("The sides cover different hours of the day, which may explain some of the difference.")
    few = (side.label for side in sides if max(side.requests, side.calls) < MIN_SAMPLES)
    return notes + [f"{label} has fewer than {MIN_SAMPLES} requests and calls." for label in few]
