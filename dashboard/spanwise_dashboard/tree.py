"""A trace's spans as the rows of a tree. Pure."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from spanwise_schemas.api import SpanSummary


@dataclass(frozen=True, slots=True)
class Row:
    """One span at its place in the tree; rows are in the order in which they are drawn.

    Attributes:
        span: the span.
        depth: 0 for a root.
        children: how many direct children it has.
        below: how many spans are below it, at any depth; they are the next `below` rows.
        orphan: it names a parent that is not in the trace (not arrived, expired, or sent elsewhere).
        errors_below: how many spans below it failed.
        critical: it is on the critical path: had it been faster, its root would have ended sooner.
    """

    span: SpanSummary
    depth: int
    children: int
    below: int
    orphan: bool
    errors_below: int
    critical: bool


def rows(spans: Sequence[SpanSummary]) -> list[Row]:
    """Every span exactly once, each below its parent, siblings by start.

    Spans whose parent is missing become roots marked as orphans, and so does the earliest span of a loop of parents:
    nothing that arrived is left out. Works without recursion, for chains of any depth.
    """
    children = _children(spans)
    placed: list[tuple[int, int, bool]] = []  # position in `spans`, depth, orphan
    seen: set[int] = set()

    def place(top: int, *, orphan: bool) -> None:
        stack = [(top, 0, orphan)]
        while stack:
            position, depth, is_orphan = stack.pop()
            if position in seen:
                continue
            seen.add(position)
            placed.append((position, depth, is_orphan))
            stack.extend((child, depth + 1, False) for child in reversed(children[position]) if child not in seen)

    known = {span.span_id for span in spans}
    by_start = sorted(range(len(spans)), key=lambda position: (spans[position].offset_ms, position))
    for position in by_start:
        parent = spans[position].parent_span_id
        if not parent or parent not in known:
            place(position, orphan=bool(parent))
    for position in by_start:  # what is left hangs in loops
        if position not in seen:
            place(position, orphan=True)
    return _with_sums(spans, placed)


def first_error(tree: Sequence[Row]) -> Row | None:
    """The failed span to look at first: the earliest that failed without a failure below it."""
    failed = [row for row in tree if row.span.status == "error" and not row.errors_below]
    return min(failed, key=lambda row: row.span.offset_ms, default=None)


def search(tree: Sequence[Row], text: str) -> list[Row]:
    """Rows whose name, kind, model, tool, agent, error or preview contains the text, regardless of case."""
    needle = text.casefold()
    return [row for row in tree if any(needle in part.casefold() for part in _searchable(row.span))]


def _searchable(span: SpanSummary) -> tuple[str, ...]:
    return (
        span.name,
        span.kind,
        span.model,
        span.provider,
        span.tool_name,
        span.agent_name,
        span.error_type,
        span.status_message,
        span.input_preview,
        span.output_preview,
        span.span_id,
    )


def _children(spans: Sequence[SpanSummary]) -> dict[int, list[int]]:
    position_of: dict[str, int] = {}
    for position, span in enumerate(spans):
        position_of.setdefault(span.span_id, position)
    children: dict[int, list[int]] = defaultdict(list)
    for position, span in enumerate(spans):
        if span.parent_span_id in position_of and span.parent_span_id:
            children[position_of[span.parent_span_id]].append(position)
    for siblings in children.values():
        siblings.sort(key=lambda position: (spans[position].offset_ms, position))
    return children


def _with_sums(spans: Sequence[SpanSummary], placed: Sequence[tuple[int, int, bool]]) -> list[Row]:
    below = [0] * len(placed)
    direct = [0] * len(placed)
    errors = [0] * len(placed)
    # From the last row up, each row's sums are complete before they are added to its parent.
    parents = _parent_rows(placed)
    for index in range(len(placed) - 1, -1, -1):
        parent = parents[index]
        if parent is not None:
            failed = spans[placed[index][0]].status == "error"
            direct[parent] += 1
            below[parent] += below[index] + 1
            errors[parent] += errors[index] + int(failed)
    critical = _critical_path(spans, placed, parents)
    return [
        Row(spans[position], depth, direct[index], below[index], orphan, errors[index], index in critical)
        for index, (position, depth, orphan) in enumerate(placed)
    ]


def _parent_rows(placed: Sequence[tuple[int, int, bool]]) -> list[int | None]:
    parents: list[int | None] = []
    path: list[int] = []
    for index, (_, depth, _) in enumerate(placed):
        del path[depth:]
        parents.append(path[-1] if path else None)
        path.append(index)
    return parents


def _critical_path(
    spans: Sequence[SpanSummary], placed: Sequence[tuple[int, int, bool]], parents: Sequence[int | None]
) -> set[int]:
    """Walks back from each root's end: the child that ended last was waited for, then what ended before it began."""
    children: dict[int, list[int]] = defaultdict(list)
    for index, parent in enumerate(parents):
        if parent is not None:
            children[parent].append(index)

    def end(index: int) -> float:
        span = spans[placed[index][0]]
        return span.offset_ms + span.duration_ms

    critical = {index for index, (_, depth, orphan) in enumerate(placed) if depth == 0 and not orphan}
    waiting = list(critical)
    while waiting:
        index = waiting.pop()
        moment = end(index)
        for child in sorted(children[index], key=end, reverse=True):
            if end(child) <= moment:
                critical.add(child)
                waiting.append(child)
                moment = spans[placed[child][0]].offset_ms
    return critical
