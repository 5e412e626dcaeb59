"""Judges beside people: agreement, gate, and means corrected by what people said of the same targets."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from spanwise_collector.means.agreement import Agreement, of_labels, of_values
from spanwise_collector.means.corrected import Labels, correct
from spanwise_collector.means.gate import HELD_BELOW, MIN_LABELS, WEAK_BELOW, gate_of, gate_words
from spanwise_collector.means.intervals import estimate
from spanwise_collector.query.eval_scores import model
from spanwise_collector.query.eval_source import (
    IN_WINDOW,
    KNOWN_CHANCE,
    SETTINGS,
    SUMS,
    ScoreFilter,
    in_environments,
    sums_of,
)
from spanwise_collector.query.values import time_of
from spanwise_collector.query.window import DAY, LATEST, Window
from spanwise_collector.store.database import Reader
from spanwise_schemas.api_evals import JudgeHealth, Judges, RaterAgreement, ScoreShape

LABELS_BEFORE: Final = 90 * DAY
"""An answer may have been labelled so long before this version of the judge scored it."""
MAX_PAIRS: Final = 200_000
_TARGET: Final = "target, trace_id, span_id, session_id"
Ask = Callable[[str, Mapping[str, object]], Sequence[tuple[Any, ...]]]
"""Rows of a question."""
Judge = tuple[str, str, str]
"""Name of the score, evaluator, version."""


@dataclass(slots=True)
class Pairs:
    """What a judge and people said of the same targets."""

    people: list[float]
    judge: list[float]
    people_labels: list[str]
    judge_labels: list[str]
    chances: list[float]
    judge_chances: list[float]

    def agreement(self) -> Agreement:
        """Of numbers where there are any, else of labels."""
        if any(np.isfinite(self.people)) and any(np.isfinite(self.judge)):
            return of_values(np.array(self.people), np.array(self.judge))
        known = [pair for pair in zip(self.people_labels, self.judge_labels, strict=True) if all(pair)]
        return of_labels([one for one, _ in known], [one for _, one in known])

    def labels(self) -> Labels:
        """For correcting a mean."""
        own = np.array(self.judge_chances)
        return Labels(np.array(self.people), np.array(self.judge), np.array(self.chances) * own, own)


def no_pairs() -> Pairs:
    """Of a judge that nobody has checked."""
    return Pairs([], [], [], [], [], [])


def pairs_of(ask: Ask, wanted: ScoreFilter, window: Window, *, labels_to: int = LATEST) -> dict[Judge, Pairs]:
    """Targets that judges scored in a window and people labelled, by score and version of the judge.

    Of several people's labels of a target the newest counts. The chance of a pair is the product of both chances, since
    each says how its own choice was made.

    Args:
        ask: the store.
        wanted: project; the name, or empty for all; environments.
        window: of the judges' scores.
        labels_to: later labels are not known, microseconds since the epoch.
    """
    name = " AND name = {name:String}" if wanted.name else ""
    where = f"{IN_WINDOW}{name}" + (f" AND {in_environments()}" if wanted.environments else "")
    people = (
        f"SELECT name AS h_name, {_TARGET}, argMax(ifNull(value, nan), ts) AS h_value, "
        "argMax(toString(label), ts) AS h_label, argMax(inclusion_p, ts) AS h_chance FROM scores FINAL "
        f"WHERE project_id = {{project:String}}{name} AND source = 'human' "
        "AND ts >= fromUnixTimestamp64Micro({labels_from:Int64}, 'UTC') "
        f"AND ts < fromUnixTimestamp64Micro({{labels_to:Int64}}, 'UTC') GROUP BY h_name, {_TARGET}"
    )
    judged = (
        f"SELECT toString(name) AS name_, toString(evaluator) AS by, toString(evaluator_version) AS v, {_TARGET}, "
        "argMax(ifNull(value, nan), ts) AS f, argMax(toString(label), ts) AS f_label, argMax(inclusion_p, ts) AS p "
        f"FROM scores FINAL WHERE {where} AND source = 'llm' GROUP BY name_, by, v, {_TARGET}"
    )
    rows = ask(
        f"SELECT name_, by, v, h_value, f, h_label, f_label, h_chance, p FROM ({judged}) AS j "
        f"INNER JOIN ({people}) AS h ON j.name_ = h.h_name AND j.target = h.target AND j.trace_id = h.trace_id "
        f"AND j.span_id = h.span_id AND j.session_id = h.session_id LIMIT {MAX_PAIRS}",
        wanted.parameters(window) | {"labels_from": window.start - LABELS_BEFORE, "labels_to": labels_to},
    )
    found: dict[Judge, Pairs] = {}
    for name_, by, version, y, f, y_label, f_label, chance, judge_chance in rows:
        pairs = found.setdefault((name_, by, version), no_pairs())
        pairs.people.append(y)
        pairs.judge.append(f)
        pairs.people_labels.append(y_label)
        pairs.judge_labels.append(f_label)
        pairs.chances.append(chance)
        pairs.judge_chances.append(judge_chance)
    return found


def judges(
    reader: Reader, project: str, window: Window, name: str, environments: tuple[str, ...], *, timeout_s: float
) -> Judges:
    """Every version of every judge that scored in a window, the current ones first."""
    wanted = ScoreFilter(project, name, "llm", environments=environments)
    only = " AND name = {name:String}" if name else ""
    where = f"{IN_WINDOW}{only} AND source = 'llm'" + (f" AND {in_environments()}" if environments else "")

    def ask(sql: str, parameters: Mapping[str, object]) -> Sequence[tuple[Any, ...]]:
        return reader.query(sql, parameters, settings=SETTINGS, timeout_s=timeout_s).rows

    rows = ask(
        f"SELECT name_, by, v, toUnixTimestamp64Micro(max(ts)) AS last, countIf(is_number) AS numbers, {SUMS} FROM "
        "(SELECT toString(name) AS name_, toString(evaluator) AS by, toString(evaluator_version) AS v, ts, "
        f"value IS NOT NULL AS is_number, ifNull(value, nan) AS x, if({KNOWN_CHANCE}, 1 / inclusion_p, 0) AS w, "
        f"isFinite(x) AND {KNOWN_CHANCE} AS ok FROM scores FINAL WHERE {where}) "
        "GROUP BY name_, by, v ORDER BY last DESC, name_, by, v LIMIT 200",
        wanted.parameters(window),
    )
    pairs = pairs_of(ask, wanted, window) if rows else {}
    seen: set[tuple[str, str]] = set()
    items = []
    for name_, by, version, last, numbers, *sums in rows:
        is_current = (name_, by) not in seen
        seen.add((name_, by))
        judge = (name_, by, version)
        items.append(_health(judge, is_current, last, numbers > 0, tuple(sums), pairs.get(judge, no_pairs())))
    items.sort(key=lambda one: (not one.is_current, one.name, one.evaluator))
    return Judges(
        items=items,
        reviewers=_reviewers(ask, wanted, window) if rows else {},
        min_labels=MIN_LABELS,
        held_below=HELD_BELOW,
        weak_below=WEAK_BELOW,
    )


def _health(
    judge: Judge, is_current: bool, last: int, is_number: bool, row: tuple[Any, ...], pairs: Pairs
) -> JudgeHealth:
    sums = sums_of(row)
    agreement = pairs.agreement()
    shape: ScoreShape = "label" if not is_number else "yes_no" if sums.yes_no else "number"
    fixed = correct(sums, pairs.labels()) if is_number and pairs.people else None
    has_mean = fixed is not None and fixed.estimate.mean is not None
    return JudgeHealth(
        name=judge[0],
        evaluator=judge[1],
        evaluator_version=judge[2],
        is_current=is_current,
        shape=shape,
        last_seen=time_of(last),
        agreement=rated(agreement),
        gate=gate_of(agreement),
        sentence=gate_words(agreement),
        raw=model(estimate(sums)),
        people=model(fixed.people) if fixed is not None and has_mean else None,
        corrected=model(fixed.estimate) if fixed is not None and has_mean else None,
        power=fixed.power if fixed is not None else 0.0,
        gain=fixed.gain if fixed is not None else 1.0,
    )


def rated(agreement: Agreement) -> RaterAgreement:
    """For the API."""
    return RaterAgreement(
        n=agreement.n, agreed=agreement.agreed, kappa=agreement.kappa, low=agreement.low, high=agreement.high
    )


def _reviewers(ask: Ask, wanted: ScoreFilter, window: Window) -> dict[str, RaterAgreement]:
    """How far two people agree, by score: of the first two, by name, of each target that several labelled."""
    name = " AND name = {name:String}" if wanted.name else ""
    rows = ask(
        "SELECT name_, who[1].2, who[2].2, who[1].3, who[2].3 FROM (SELECT toString(name) AS name_, "
        "arraySort(groupArray(10)((toString(evaluator), ifNull(value, nan), toString(label)))) AS who "
        f"FROM scores FINAL WHERE project_id = {{project:String}}{name} AND source = 'human' "
        "AND ts >= fromUnixTimestamp64Micro({labels_from:Int64}, 'UTC') "
        f"GROUP BY name_, {_TARGET} HAVING uniqExact(evaluator) >= 2) LIMIT {MAX_PAIRS}",
        wanted.parameters(window) | {"labels_from": window.start - LABELS_BEFORE},
    )
    found: dict[str, Pairs] = {}
    for name_, a, b, a_label, b_label in rows:
        pairs = found.setdefault(name_, no_pairs())
        pairs.people.append(a)
        pairs.judge.append(b)
        pairs.people_labels.append(a_label)
        pairs.judge_labels.append(b_label)
    return {name_: rated(pairs.agreement()) for name_, pairs in sorted(found.items())}
