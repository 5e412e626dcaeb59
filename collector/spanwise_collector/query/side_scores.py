"""Scores of a set of traces with what people said of the same targets, and which judges are not to be believed."""

from collections.abc import Iterable, Mapping
from typing import Final

import numpy as np

from spanwise_collector.means.gate import HELD_BELOW, gate_of
from spanwise_collector.means.sides import SideMean, Version, side_mean
from spanwise_collector.query.eval_judges import LABELS_BEFORE, pairs_of
from spanwise_collector.query.eval_source import KNOWN_CHANCE, SETTINGS, ScoreFilter
from spanwise_collector.query.window import LATEST, Window
from spanwise_collector.store.database import Reader

MOST: Final = 500_000
"""Scores of a side that are read."""
_TARGET: Final = "target, trace_id, span_id, session_id"
_SINCE: Final = "ts >= fromUnixTimestamp64Micro({start:Int64}, 'UTC') - INTERVAL 1 DAY"


def side_scores(
    reader: Reader, traces: str, which: str, parameters: Mapping[str, object], *, timeout_s: float
) -> dict[str, SideMean]:
    """Numeric scores by name, the newest of each target and name; those of judges with what people said beside them.

    Targets of one session are one cluster. Scores whose chance is not known are left out. Of several people's labels of
    a target the newest counts, as in `eval_judges.pairs_of`.

    Args:
        reader: the store.
        traces: a SELECT of `trace_id` and `session`, one row for each trace of the side.
        which: SQL on a row of `scores`: those that are compared, labels not among them.
        parameters: of both, with `project` and `start` (microseconds since the epoch).
        timeout_s: for the query.

    Raises:
        StoreError: see `Reader.query`.
    """
    ours = f"project_id = {{project:String}} AND {_SINCE} AND trace_id IN (SELECT trace_id FROM ({traces}))"
    newest = (
        f"SELECT name, {_TARGET}, value, inclusion_p, source, evaluator, evaluator_version FROM scores FINAL "
        f"WHERE {ours} AND value IS NOT NULL AND isFinite(value) AND {KNOWN_CHANCE} AND {which} "
        f"ORDER BY name, trace_id, span_id, ts DESC LIMIT 1 BY name, trace_id, span_id LIMIT {MOST}"
    )
    people = (
        f"SELECT name AS h_name, {_TARGET}, argMax(ifNull(value, nan), ts) AS h_value, "
        f"argMax(inclusion_p, ts) AS h_chance FROM scores FINAL WHERE {ours} AND source = 'human' "
        f"GROUP BY h_name, {_TARGET}"
    )
    rows = reader.query(
        "SELECT toString(j.name) AS name_, groupArray(assumeNotNull(j.value)), groupArray(j.inclusion_p), "
        "groupArray(j.cluster), groupArray(h.h_value), groupArray(h.h_chance), groupUniqArrayIf(50)"
        "((toString(j.evaluator), toString(j.evaluator_version)), j.source = 'llm') FROM ("
        "SELECT s.*, cityHash64(if(t.session = '', toString(s.trace_id), t.session)) AS cluster "
        f"FROM ({newest}) AS s INNER JOIN ({traces}) AS t ON s.trace_id = t.trace_id) AS j "
        f"LEFT JOIN ({people}) AS h ON j.name = h.h_name AND j.target = h.target AND j.trace_id = h.trace_id "
        "AND j.span_id = h.span_id AND j.session_id = h.session_id GROUP BY name_ ORDER BY name_ LIMIT 200",
        parameters,
        settings=SETTINGS,
        timeout_s=timeout_s,
    ).rows
    return {
        name: side_mean(
            np.array(values, dtype=np.float64),
            np.array(chances, dtype=np.float64),
            np.unique(np.array(clusters, dtype=np.uint64), return_inverse=True)[1],
            np.array(labels, dtype=np.float64),
            np.array(label_chances, dtype=np.float64),
            frozenset((by, version) for by, version in judges),
        )
        for name, values, chances, clusters, labels, label_chances, judges in rows
    }


def held_scores(
    reader: Reader, project: str, sides: Iterable[Mapping[str, SideMean]], start_us: int, *, timeout_s: float
) -> dict[str, str]:
    """Scores of which a judge agrees too little with people (see `means.gate`), with the words that say so.

    Every version of a judge that gave a score of either side counts: the comparison rests on all of them. Its agreement
    is that of everything it scored since, and for the time of labels before, `start_us`.

    Raises:
        StoreError: see `Reader.query`.
    """
    used: dict[str, set[Version]] = {}
    for side in sides:
        for name, mean in side.items():
            used.setdefault(name, set()).update(mean.judges)
    if not any(used.values()):
        return {}
    found = pairs_of(
        lambda sql, given: reader.query(sql, given, settings=SETTINGS, timeout_s=timeout_s).rows,
        ScoreFilter(project, "", "llm"),
        Window(start_us - LABELS_BEFORE, LATEST),
    )
    held = {}
    for (name, by, version), pairs in sorted(found.items()):
        agreement = pairs.agreement()
        if (by, version) in used.get(name, ()) and gate_of(agreement) == "held":
            who = " ".join(filter(None, (by or "the judge", version)))
            held[name] = f"{who}: kappa {agreement.kappa:.2f} with {agreement.n:,} labels is below {HELD_BELOW}"
    return held
