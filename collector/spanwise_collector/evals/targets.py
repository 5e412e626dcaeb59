"""What can be scored in a batch of records: spans as ingest reads them, each with the sample that evaluators take."""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from spanwise_collector.ingest.draft import Batch
from spanwise_evaluators.model import Document, Sample
from spanwise_evaluators.reading.bodies import answered, asked, documents_in, tool_calls_in, tools_in
from spanwise_schemas.attributes import KINDS

if TYPE_CHECKING:
    import pyarrow as pa

NO_SPAN: Final = bytes(8)
MAX_TRACES: Final = 5_000
MAX_CONTEXT_CHARS: Final = 200_000
"""Of the documents of one trace; those that come later are left out."""
MAX_KEPT_CHARS: Final = 50_000_000
"""Of the documents of all traces."""
_FACTS: Final = (
    "project_id",
    "trace_id",
    "span_id",
    "start_time",
    "duration_us",
    "is_root",
    "name",
    "kind",
    "error_type",
    "env",
    "release",
    "scope",
    "model_request",
    "model_response",
    "prompt_name",
    "prompt_version",
    "tok_output",
    "cost_total_n",
    "cost_source",
    "attrs",
    "failure_class",
)


@dataclass(frozen=True, slots=True)
class Target:
    """A span that may be scored, or the root of a trace.

    Attributes:
        project: whose it is.
        trace_id: 16 bytes.
        span_id: 8 bytes; zeros where the trace is the target.
        start_us: microseconds since the epoch.
        duration_us: microseconds.
        is_root: whether it has no parent.
        name: of the span.
        kind: of the span.
        environment: where it ran.
        release: of the application.
        scope: of the instrumentation.
        failure_class: what failed; "" for nothing.
        output_tokens: of the answer.
        sample: what evaluators take.
    """

    project: str
    trace_id: bytes
    span_id: bytes
    start_us: int
    duration_us: int
    is_root: bool
    name: str
    kind: str
    environment: str
    release: str
    scope: str
    failure_class: str
    output_tokens: int
    sample: Sample

    @property
    def id(self) -> bytes:
        """What sampling chooses by: trace id and span id; of a trace its id alone."""
        return self.trace_id if self.span_id == NO_SPAN else self.trace_id + self.span_id

    def as_trace(self) -> "Target":
        """The trace of which this is the root."""
        return replace(self, span_id=NO_SPAN)


class Contexts:
    """Documents that retrievers found, by trace, for the model calls after them. Used by one thread.

    A trace's spans come through one partition, and a retriever ends before the call that reads what it found. Bounded:
    the traces that were seen longest ago are forgotten.
    """

    def __init__(self) -> None:
        self._chars = 0
        self._found: OrderedDict[tuple[str, bytes], dict[bytes, tuple[Document, ...]]] = OrderedDict()

    def add(self, project: str, trace_id: bytes, span_id: bytes, documents: tuple[Document, ...]) -> None:
        """Remember what one retriever found; the same span again changes nothing."""
        found = self._found.setdefault((project, trace_id), {})
        self._found.move_to_end((project, trace_id))
        room = MAX_CONTEXT_CHARS - _chars(found)
        if span_id not in found:
            kept = []
            for document in documents:
                room -= len(document.text)
                if room < 0:
                    break
                kept.append(document)
            found[span_id] = tuple(kept)
            self._chars += sum(len(one.text) for one in kept)
        while len(self._found) > MAX_TRACES or self._chars > MAX_KEPT_CHARS:
            _, oldest = self._found.popitem(last=False)
            self._chars -= _chars(oldest)

    def of(self, project: str, trace_id: bytes) -> tuple[Document, ...]:
        """All documents of a trace so far."""
        found = self._found.get((project, trace_id), {})
        return tuple(document for documents in found.values() for document in documents)


def _chars(found: Mapping[bytes, Sequence[Document]]) -> int:
    return sum(len(one.text) for documents in found.values() for one in documents)


def targets_of(batch: Batch, contexts: Contexts, is_wanted: Callable[[str, str], bool]) -> list[Target]:
    """What of a batch may be scored.

    Args:
        batch: as ingest would store it, masked and normalised.
        contexts: receives what retrievers found.
        is_wanted: whether anything looks at spans of a project (first) and scope (second).
    """
    spans = batch.tables.get("spans")
    if spans is None:
        return []
    wanted = [
        at
        for at, (project, scope) in enumerate(
            zip(spans["project_id"].to_pylist(), spans["scope"].to_pylist(), strict=True)
        )
        if is_wanted(project, scope)
    ]
    if not wanted:
        return []
    facts = list(_rows(spans.select(_FACTS).take(wanted)))
    bodies = _bodies(batch.tables.get("span_io"), {row["trace_id"] + row["span_id"] for row in facts})
    for row in facts:
        if KINDS[row["kind"]] == "retriever":
            body = bodies.get(row["trace_id"] + row["span_id"], {})
            contexts.add(row["project_id"], row["trace_id"], row["span_id"], documents_in(body.get("output", "")))
    return [_target(row, bodies.get(row["trace_id"] + row["span_id"], {}), contexts) for row in facts]


def _target(row: Mapping[str, Any], body: Mapping[str, str], contexts: Contexts) -> Target:
    output = body.get("output", "")
    model = row["model_response"] or row["model_request"]
    attributes = {
        **row["attrs"],
        "name": row["name"],
        "kind": KINDS[row["kind"]],
        "model": model,
        "environment": row["env"],
        "release": row["release"],
        "prompt_name": row["prompt_name"],
        "prompt_version": row["prompt_version"],
        "error_type": row["error_type"],
    }
    return Target(
        project=row["project_id"],
        trace_id=row["trace_id"],
        span_id=row["span_id"],
        start_us=row["start_time"],
        duration_us=row["duration_us"],
        is_root=row["is_root"],
        name=row["name"],
        kind=KINDS[row["kind"]],
        environment=row["env"],
        release=row["release"],
        scope=row["scope"],
        failure_class=row["failure_class"],
        output_tokens=row["tok_output"],
        sample=Sample(
            input=asked(body.get("input", "")),
            output=answered(output),
            context=documents_in(output)
            if KINDS[row["kind"]] == "retriever"
            else contexts.of(row["project_id"], row["trace_id"]),
            tool_calls=tool_calls_in(output),
            tools=tools_in(body.get("tool_defs", "")),
            latency_ms=row["duration_us"] / 1000,
            cost_nanousd=row["cost_total_n"] if row["cost_source"] else None,
            attributes=attributes,
        ),
    )


def _rows(table: "pa.RecordBatch") -> Iterator[dict[str, Any]]:
    names = table.schema.names
    columns = []
    for name in names:
        column = table[name]
        if name == "start_time":
            columns.append(column.cast("int64").to_pylist())
        elif name == "attrs":
            columns.append([dict(pairs) for pairs in column.to_pylist()])
        else:
            columns.append(column.to_pylist())
    for values in zip(*columns, strict=True):
        yield dict(zip(names, values, strict=True))


def _bodies(io: "pa.RecordBatch | None", wanted: set[bytes]) -> dict[bytes, dict[str, str]]:
    if io is None:
        return {}
    ids = [trace + span for trace, span in zip(io["trace_id"].to_pylist(), io["span_id"].to_pylist(), strict=True)]
    chosen = [at for at, one in enumerate(ids) if one in wanted]
    if not chosen:
        return {}
    rows = _rows(io.select(["input", "output", "tool_defs"]).take(chosen))
    return {ids[at]: row for at, row in zip(chosen, rows, strict=True)}
