"""Items from traces: what a span was given and what it answered."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

from spanwise_collector.datasets.model import Item, item_of
from spanwise_collector.query.span import get_span
from spanwise_collector.query.traces import TraceFilter, list_traces
from spanwise_collector.store.database import Reader
from spanwise_schemas.api import SpanDetail
from spanwise_schemas.api_datasets import NewItem

MAX_TRACES: Final = 1000
Expected = Literal["output", "none"]


@dataclass(frozen=True, slots=True)
class Taken:
    """What traces gave.

    Attributes:
        items: one per trace that has an input.
        skipped: traces whose input is not stored, any more or at all.
    """

    items: list[Item]
    skipped: int


def items_from_traces(
    reader: Reader, wanted: TraceFilter, *, limit: int, expected: Expected, now_us: int, timeout_s: float = 30.0
) -> Taken:
    """Items of the newest traces that a filter finds: input and output of their root spans.

    Args:
        reader: the store.
        wanted: which traces.
        limit: of them at most.
        expected: `output` takes what was answered for what is expected; `none` leaves that open.
        now_us: current time; tells which bodies have expired.
        timeout_s: for each query.

    Raises:
        StoreError: see `Reader.query`.
    """
    items: list[Item] = []
    skipped = 0
    for detail in _roots(reader, wanted, limit, now_us, timeout_s):
        if detail is None or not detail.input:
            skipped += 1
        else:
            items.append(_item(detail, expected))
    # Newest first are they found; oldest first are they kept, so that what is added later comes later.
    return Taken(items[::-1], skipped)


def _roots(
    reader: Reader, wanted: TraceFilter, limit: int, now_us: int, timeout_s: float
) -> Iterator[SpanDetail | None]:
    page = list_traces(reader, wanted, limit=limit, cursor=None, now_us=now_us, timeout_s=timeout_s)
    for trace in page.items:
        trace_id = bytes.fromhex(trace.trace_id)
        span_id = root_of(reader, wanted.project, trace_id, timeout_s=timeout_s)
        if span_id is None:
            yield None
            continue
        yield get_span(reader, wanted.project, trace_id, span_id, now_us=now_us, timeout_s=timeout_s)


def root_of(reader: Reader, project: str, trace_id: bytes, *, timeout_s: float = 30.0) -> bytes | None:
    """Id of a trace's root span, the first of several; None where it has none (yet).

    Raises:
        StoreError: see `Reader.query`.
    """
    of_trace = "project_id = {project:String} AND trace_id = toFixedString(unhex({id:String}), 16)"
    found = reader.query(
        f"WITH (SELECT min(start_time) FROM trace_agg WHERE {of_trace}) AS begin "
        f"SELECT span_id FROM spans WHERE {of_trace} "
        "AND toStartOfFiveMinutes(start_time) >= toStartOfFiveMinutes(begin) AND is_root ORDER BY start_time LIMIT 1",
        {"project": project, "id": trace_id.hex()},
        timeout_s=timeout_s,
    ).rows
    return bytes(found[0][0]) if found else None


def _item(span: SpanDetail, expected: Expected) -> Item:
    metadata: dict[str, Any] = {
        "name": span.summary.name,
        "environment": span.environment,
        "release": span.release,
        "model": span.model_response or span.model_request,
        "system": span.system_instructions,
    }
    return item_of(
        NewItem(
            input=value_of(span.input),
            expected=value_of(span.output) if expected == "output" and span.output else None,
            metadata={name: value for name, value in metadata.items() if value},
            group=span.session_id[:200],
            trace_id=span.trace_id,
            span_id=span.summary.span_id,
        )
    )


def value_of(body: str) -> Any:
    """A stored body: JSON where it is an object or a list, else text."""
    if body[:1] in ("{", "["):
        try:
            return json.loads(body)
        except ValueError:
            return body
    return body
