"""Items from what reviewers corrected: the input, what should have been answered, and what was."""

from collections.abc import Iterable
from typing import Any

from spanwise_collector.datasets.from_traces import Taken, root_of, value_of
from spanwise_collector.datasets.model import Item, item_of
from spanwise_collector.query.span import get_span
from spanwise_collector.store.database import Reader
from spanwise_schemas.api import SpanDetail
from spanwise_schemas.api_annotations import Correction
from spanwise_schemas.api_datasets import NewItem


def items_from_corrections(
    reader: Reader, project: str, corrections: Iterable[Correction], *, now_us: int, timeout_s: float = 30.0
) -> Taken:
    """Items of corrected answers, by the time of their correction; of several corrections of one answer the newest.

    The same corrections give the same items, so that they can be taken again and again.

    Args:
        reader: the store.
        project: whose.
        corrections: newest first.
        now_us: current time; tells which bodies have expired.
        timeout_s: for each query.

    Raises:
        StoreError: see `Reader.query`.
    """
    newest: dict[tuple[str, str], Correction] = {}
    for correction in corrections:
        newest.setdefault((correction.trace_id, correction.span_id), correction)
    items: list[Item] = []
    skipped = 0
    for correction in newest.values():
        trace_id = bytes.fromhex(correction.trace_id)
        # A correction of a whole trace is one of its root's answer.
        span_id = (
            bytes.fromhex(correction.span_id)
            if correction.span_id
            else root_of(reader, project, trace_id, timeout_s=timeout_s)
        )
        detail = (
            get_span(reader, project, trace_id, span_id, now_us=now_us, timeout_s=timeout_s)
            if span_id is not None
            else None
        )
        if detail is None or not detail.input:
            skipped += 1
        else:
            items.append(_item(detail, correction))
    return Taken(items[::-1], skipped)


def _item(span: SpanDetail, correction: Correction) -> Item:
    metadata: dict[str, Any] = {
        "name": span.summary.name,
        "environment": span.environment,
        "release": span.release,
        "model": span.model_response or span.model_request,
        "system": span.system_instructions,
        "corrected_by": correction.by,
        "comment": correction.comment,
    }
    return item_of(
        NewItem(
            input=value_of(span.input),
            expected=value_of(correction.output),
            rejected=value_of(span.output) if span.output else None,
            metadata={name: value for name, value in metadata.items() if value},
            group=span.session_id[:200],
            trace_id=span.trace_id,
            span_id=span.summary.span_id,
        )
    )
