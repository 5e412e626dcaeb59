"""Stored traces as `traces` judges them, and the rows of what it finds."""

import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any, Final

import pyarrow as pa
from pydantic_core import from_json

from spanwise_collector.failures.traces import REPEATS, Step, TraceFailure
from spanwise_collector.settle.ledger import Stretch
from spanwise_collector.store.change import literal
from spanwise_collector.store.database import Reader

MAX_SPANS_OF_TRACE: Final = 20_000
MAX_COMPARED: Final = 4_096
"""Characters of a tool's input within which the order of members and white space make no difference."""
_TIMEOUT_S: Final = 60.0
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SINCE: Final = "start_time >= fromUnixTimestamp64Micro({low:Int64}, 'UTC')"
_IDS: Final = "(SELECT toFixedString(unhex(arrayJoin({ids:Array(String)})), 16))"
_DESCRIBED: Final = (
    "name, env, service, release, if(model_response != '', model_response, model_request) AS model, provider, "
    "prompt_name, prompt_version, tool_name, user_id, user_group, session_id, error_type, retention_days, "
    "toString(kind) AS kind"
)

Key = tuple[str, bytes]
"""Project and trace id."""
FAILURES: Final = pa.schema(
    [
        ("project_id", pa.string()),
        ("time", pa.timestamp("us", "UTC")),
        ("trace_id", pa.binary(16)),
        ("span_id", pa.binary(8)),
        ("failure_class", pa.string()),
        ("failure_sub", pa.string()),
        ("title", pa.string()),
        ("fingerprint", pa.uint64()),
        ("source", pa.string()),
        *((name, pa.string()) for name in ("kind", "name", "env", "release", "model", "provider", "prompt_name")),
        *((name, pa.string()) for name in ("prompt_version", "tool_name", "user_id", "user_group", "session_id")),
        ("cost_n", pa.int64()),
        ("duration_us", pa.uint64()),
        ("error_type", pa.string()),
        ("message", pa.string()),
        ("retention_days", pa.uint16()),
    ]
)
"""The columns of `failures` that are written."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A trace in which something may have gone wrong.

    Attributes:
        key: project and trace id.
        has_root: whether its root is stored.
        may_repeat: whether it has enough calls for a loop or a retry storm.
        end_us: of its last span, microseconds since the epoch.
    """

    key: Key
    has_root: bool
    may_repeat: bool
    end_us: int


@dataclass(frozen=True, slots=True)
class StoredTrace:
    """A trace.

    Attributes:
        steps: its spans.
        described: span id to the columns that a failure at it takes over.
        cost_n: nano-dollars of the calls that bear their bill.
    """

    steps: list[Step]
    described: dict[bytes, dict[str, Any]]
    cost_n: int


def candidates(reader: Reader, stretches: Sequence[Stretch], low_us: int) -> list[Candidate]:
    """Traces with new spans that have no root, or enough calls of tools or failed ones of models.

    Args:
        reader: the store.
        stretches: where the new spans are.
        low_us: spans that start before are not looked at.
    """
    if not stretches:
        return []
    new = " OR ".join(
        f"(ktopic = {literal(one.ktopic)} AND kpart = {one.partition} AND koff BETWEEN {one.first} AND {one.last})"
        for one in stretches
    )
    rows = reader.query(
        "SELECT project_id, trace_id, max(is_root) AS rooted, "
        f"countIf(kind = 'tool') >= {REPEATS} OR (countIf(kind = 'llm') >= {REPEATS} AND "
        f"countIf(kind = 'llm' AND status = 'error') >= {REPEATS - 1}) AS repeats, "
        "max(toUnixTimestamp64Micro(start_time) + toInt64(duration_us)) AS ended "
        f"FROM spans WHERE {_SINCE} AND (project_id, trace_id) IN "
        f"(SELECT project_id, trace_id FROM spans WHERE {_SINCE} AND ({new})) GROUP BY project_id, trace_id "
        f"HAVING count() <= {MAX_SPANS_OF_TRACE} AND (repeats OR NOT rooted) ORDER BY ALL",
        {"low": low_us},
        timeout_s=_TIMEOUT_S,
    ).rows
    return [Candidate((project, trace), bool(root), bool(may), end) for project, trace, root, may, end in rows]


def load(reader: Reader, project: str, traces: Sequence[bytes], low_us: int) -> dict[bytes, StoredTrace]:
    """Some traces of a project with what went into their tools and models."""
    values = {"project": project, "low": low_us, "ids": [trace.hex() for trace in traces]}
    where = f"project_id = {{project:String}} AND {_SINCE} AND trace_id IN {_IDS}"
    contents = {
        (trace, span): (text, number)
        for trace, span, text, number in reader.query(
            f"SELECT trace_id, span_id, if(length(input) <= {MAX_COMPARED}, input, ''), input_hash FROM span_io "
            f"WHERE {where} AND input != ''",
            values,
            timeout_s=_TIMEOUT_S,
        ).rows
    }
    found: dict[bytes, StoredTrace] = {}
    rows = reader.query(
        f"SELECT trace_id, span_id, parent_span_id, toUnixTimestamp64Micro(start_time) AS start, duration_us, is_root, "
        f"status = 'error' AS has_failed, failure_class, if(counts_usage, cost_total_n, 0) AS cost, {_DESCRIBED} "
        f"FROM spans WHERE {where}",
        values,
        timeout_s=_TIMEOUT_S,
    ).dicts()
    costs: dict[bytes, dict[bytes, int]] = {}
    for row in rows:
        trace = found.setdefault(row["trace_id"], StoredTrace([], {}, 0))
        if row["span_id"] not in trace.described:
            trace.steps.append(_step(row, contents.get((row["trace_id"], row["span_id"]))))
            trace.described[row["span_id"]] = row
            costs.setdefault(row["trace_id"], {})[row["span_id"]] = row["cost"]
    return {key: StoredTrace(trace.steps, trace.described, sum(costs[key].values())) for key, trace in found.items()}


def services_with_roots(reader: Reader, projects: Iterable[str], low_us: int) -> set[tuple[str, str]]:
    """Project and service of those whose traces mostly have a root.

    In a service that is called by another one, which sends nothing here, no trace has a root, and none is unfinished.
    """
    rows = reader.query(
        "SELECT project_id, service FROM (SELECT project_id, service, trace_id, max(is_root) AS rooted FROM spans "
        f"WHERE project_id IN {{projects:Array(String)}} AND {_SINCE} GROUP BY project_id, service, trace_id) "
        "GROUP BY project_id, service HAVING avg(rooted) >= 0.5",
        {"projects": sorted(set(projects)), "low": low_us},
        timeout_s=_TIMEOUT_S,
    ).rows
    return {(project, service) for project, service in rows}


def known(reader: Reader, project: str, traces: Iterable[bytes]) -> set[tuple[bytes, str]]:
    """Trace id and class of the failures of traces that are stored already."""
    rows = reader.query(
        "SELECT trace_id, failure_class FROM failures WHERE project_id = {project:String} AND source = 'trace' "
        f"AND trace_id IN {_IDS}",
        {"project": project, "ids": sorted({trace.hex() for trace in traces})},
        timeout_s=_TIMEOUT_S,
    ).rows
    return {(trace, failure_class) for trace, failure_class in rows}


def rows_of(project: str, found: Sequence[tuple[bytes, StoredTrace, TraceFailure]]) -> pa.RecordBatch:
    """Failures of traces as rows of `failures`."""
    return pa.RecordBatch.from_pylist([_row(project, *one) for one in found], schema=FAILURES)


def token_of(project: str, found: Sequence[tuple[bytes, StoredTrace, TraceFailure]]) -> str:
    """The same for the same failures, in any order."""
    keys = sorted(f"{trace.hex()}:{one.failure.failure_class}:{one.span.hex()}" for trace, _, one in found)
    return f"trace-failures:{project}:{blake2b(' '.join(keys).encode(), digest_size=16).hexdigest()}"


def _row(project: str, trace_id: bytes, trace: StoredTrace, found: TraceFailure) -> dict[str, object]:
    described = trace.described[found.span]
    start, end = min(step.start for step in trace.steps), max(step.end for step in trace.steps)
    failure = found.failure
    taken = ("kind", "name", "env", "release", "model", "provider", "prompt_name", "prompt_version", "tool_name")
    return {
        "project_id": project,
        "time": _EPOCH + timedelta(microseconds=described["start"]),
        "trace_id": trace_id,
        "span_id": found.span,
        "failure_class": failure.failure_class,
        "failure_sub": failure.sub,
        "title": failure.title,
        "fingerprint": failure.fingerprint,
        "source": "trace",
        **{name: described[name] for name in (*taken, "user_id", "user_group", "session_id")},
        "cost_n": trace.cost_n,
        "duration_us": max(0, end - start),
        "error_type": described["error_type"],
        "message": "",
        "retention_days": described["retention_days"],
    }


def _step(row: Mapping[str, Any], content: tuple[str, int] | None) -> Step:
    text, number = content or ("", 0)
    return Step(
        span=row["span_id"],
        parent=row["parent_span_id"],
        kind=row["kind"],
        name=row["name"],
        tool=row["tool_name"],
        content=content_hash(text) if text and row["kind"] == "tool" else number,
        start=row["start"],
        end=row["start"] + row["duration_us"],
        has_failed=bool(row["has_failed"]),
        is_root=bool(row["is_root"]),
        failure_class=row["failure_class"],
    )


def content_hash(text: str) -> int:
    """A hash of a tool's arguments; of JSON the order of members and white space make no difference. Never 0."""
    with suppress(ValueError):
        text = json.dumps(from_json(text), sort_keys=True, ensure_ascii=False)
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big") or 1
