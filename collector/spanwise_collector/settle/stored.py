"""Stored spans as `normalise.settle` judges them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from spanwise_collector.normalise.settle import PROVIDER_SDKS, Call, Key, is_own
from spanwise_collector.settle.ledger import Stretch
from spanwise_collector.store.change import literal
from spanwise_collector.store.database import Reader
from spanwise_schemas.conventions import CALL_KINDS
from spanwise_schemas.usage_reasons import DETAIL_COLUMNS, DETAIL_COUNTS, SETTLED

MAX_SPANS_OF_TRACE: Final = 20_000
MAX_SPANS_OF_ANSWER: Final = 1_000
"""An id of more answers than this is none: some servers give all the same one."""
_TIMEOUT_S: Final = 60.0


def _listed(words: Sequence[str]) -> str:
    return ", ".join(literal(word) for word in sorted(words))


_CANDIDATE: Final = (
    f"kind IN ({_listed(tuple(CALL_KINDS))}) AND (counts_usage OR usage_reason IN ({_listed(tuple(SETTLED))}))"
)
_OWN: Final = f"({' OR '.join(f'startsWith(scope, {literal(start)})' for start in PROVIDER_SDKS)})"
_OWN_OR_WITHOUT_ID: Final = f"(({_OWN} OR response_id = '') AND tok_input > 0 AND tok_output > 0)"
_SINCE: Final = "start_time >= fromUnixTimestamp64Micro({low:Int64}, 'UTC')"
_IDS: Final = "(SELECT toFixedString(unhex(arrayJoin({ids:Array(String)})), 16))"
_COLUMNS: Final = (
    "trace_id, span_id, parent_span_id, toUnixTimestamp64Micro(start_time) AS start, duration_us, scope, response_id, "
    f"tok_input, tok_output, {' + '.join(f'({name} > 0)' for name in DETAIL_COLUMNS)} + "
    f"arrayCount(name -> name IN ({_listed(tuple(DETAIL_COUNTS))}) AND usage_extra[name] > 0, "
    f"arrayMap(name -> toString(name), mapKeys(usage_extra))) AS details, usage_reason, {_CANDIDATE} AS is_candidate"
)


@dataclass(slots=True)
class Neighbourhood:
    """Calls that may be each other's, and what is stored of them.

    Attributes:
        calls: candidates for a bill.
        parents: of all spans of their traces.
        reasons: as stored, of the calls that may be judged: all of whose neighbours are here.
    """

    calls: dict[Key, Call] = field(default_factory=dict)
    parents: dict[Key, bytes] = field(default_factory=dict)
    reasons: dict[Key, str] = field(default_factory=dict)


def contested_traces(reader: Reader, stretches: Sequence[Stretch], low_us: int) -> dict[str, list[bytes]]:
    """Traces by project in which new spans may have changed who bears a bill.

    These are traces with a new span and several calls; all traces of an answer that a call of a trace with a new span
    has in common with another call; and those of a provider's own span and a call of the same counts without an id, one
    of them new.

    Args:
        reader: the store.
        stretches: where the new spans are.
        low_us: spans that start before are not looked at.
    """
    if not stretches:
        return {}
    new = " OR ".join(
        f"(ktopic = {literal(one.ktopic)} AND kpart = {one.partition} AND koff BETWEEN {one.first} AND {one.last})"
        for one in stretches
    )
    of_new = f"(project_id, trace_id) IN (SELECT project_id, trace_id FROM spans WHERE {_SINCE} AND ({new}))"
    several = reader.query(
        f"SELECT project_id, trace_id FROM spans WHERE {_SINCE} AND {_CANDIDATE} AND {of_new} "
        f"GROUP BY project_id, trace_id HAVING count() BETWEEN 2 AND {MAX_SPANS_OF_TRACE} ORDER BY ALL",
        {"low": low_us},
        timeout_s=_TIMEOUT_S,
    ).rows
    shared = reader.query(
        f"SELECT DISTINCT project_id, arrayJoin(traces) FROM (SELECT project_id, groupUniqArray(trace_id) AS traces "
        f"FROM spans WHERE {_SINCE} AND {_CANDIDATE} AND (project_id, response_id) IN (SELECT project_id, response_id "
        f"FROM spans WHERE {_SINCE} AND {_CANDIDATE} AND response_id != '' AND {of_new}) "
        f"GROUP BY project_id, response_id HAVING count() BETWEEN 2 AND {MAX_SPANS_OF_ANSWER}) ORDER BY ALL",
        {"low": low_us},
        timeout_s=_TIMEOUT_S,
    ).rows
    own = reader.query(
        f"SELECT DISTINCT project_id, arrayJoin(traces) FROM (SELECT project_id, groupUniqArray(trace_id) AS traces "
        f"FROM spans WHERE {_SINCE} AND {_CANDIDATE} AND {_OWN_OR_WITHOUT_ID} "
        f"GROUP BY project_id, tok_input, tok_output HAVING count() BETWEEN 2 AND {MAX_SPANS_OF_ANSWER} "
        f"AND countIf({_OWN}) > 0 AND countIf(response_id = '') > 0 AND countIf({new}) > 0) ORDER BY ALL",
        {"low": low_us},
        timeout_s=_TIMEOUT_S,
    ).rows
    found: dict[str, dict[bytes, None]] = {}
    for project, trace in (*several, *shared, *own):
        found.setdefault(project, {})[trace] = None
    return {project: list(traces) for project, traces in found.items()}


def load(reader: Reader, project: str, traces: Sequence[bytes], low_us: int) -> Neighbourhood:
    """Everything about some traces, and the calls of others that have an answer in common with them, or might."""
    found = Neighbourhood()
    settings = {"low": low_us, "project": project}
    rows = reader.query(
        f"SELECT {_COLUMNS} FROM spans WHERE project_id = {{project:String}} AND {_SINCE} AND trace_id IN {_IDS}",
        {**settings, "ids": [trace.hex() for trace in traces]},
        timeout_s=_TIMEOUT_S,
    ).dicts()
    answers = set()
    for row in rows:
        found.parents[row["trace_id"], row["span_id"]] = row["parent_span_id"]
        if row["is_candidate"]:
            call = _call(row)
            found.calls[call.key] = call
            found.reasons[call.key] = row["usage_reason"]
            answers.add(call.response_id)
    answers.discard("")
    if answers:
        others = reader.query(
            f"SELECT {_COLUMNS} FROM spans WHERE project_id = {{project:String}} AND {_SINCE} AND {_CANDIDATE} "
            f"AND response_id IN {{answers:Array(String)}} LIMIT {MAX_SPANS_OF_ANSWER} BY response_id",
            {**settings, "answers": sorted(answers)},
            timeout_s=_TIMEOUT_S,
        ).dicts()
        for row in others:
            call = _call(row)
            found.calls.setdefault(call.key, call)
    usages = sorted(
        {(call.input, call.output) for call in found.calls.values() if is_own(call.scope) or not call.response_id}
    )
    if usages:
        twins = reader.query(
            f"SELECT {_COLUMNS} FROM spans WHERE project_id = {{project:String}} AND {_SINCE} AND {_CANDIDATE} "
            f"AND {_OWN_OR_WITHOUT_ID} AND (tok_input, tok_output) IN "
            "(SELECT arrayJoin(arrayZip({inputs:Array(UInt32)}, {outputs:Array(UInt32)}))) "
            f"LIMIT {MAX_SPANS_OF_ANSWER} BY tok_input, tok_output",
            {**settings, "inputs": [one for one, _ in usages], "outputs": [one for _, one in usages]},
            timeout_s=_TIMEOUT_S,
        ).dicts()
        for row in twins:
            call = _call(row)
            found.calls.setdefault(call.key, call)
    return found


def _call(row: dict[str, Any]) -> Call:
    return Call(
        row["trace_id"],
        row["span_id"],
        row["start"],
        row["start"] + row["duration_us"],
        row["scope"],
        row["response_id"],
        row["tok_input"],
        row["tok_output"],
        row["details"],
    )
