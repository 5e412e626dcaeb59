"""Tree and waterfall of a trace."""

import json
from collections.abc import Sequence

from spanwise_dashboard.components.mount import mount, nothing
from spanwise_dashboard.format import money_in_brief
from spanwise_dashboard.tree import Row

ROW_PIXELS = 28
MAX_PIXELS = 620
PREVIEW_CHARACTERS = 120
"""How much of input and output the search in the page covers: 5,000 spans then weigh about 2 MB."""


def payload(trace_id: str, tree: Sequence[Row], total_ms: float, selected: str) -> dict[str, object]:
    """What the component draws; it keeps its place while `version` stays the same."""
    return {
        "version": f"{trace_id}:{len(tree)}:{total_ms}",
        "selected": selected,
        "total_ms": total_ms,
        "height": min(MAX_PIXELS, max(1, len(tree)) * ROW_PIXELS),
        "spans": [_span(row) for row in tree],
    }


def waterfall(trace_id: str, tree: Sequence[Row], total_ms: float, selected: str) -> str:
    """Draws the tree and returns the id of the span that is selected in it, or an empty text."""
    key = f"waterfall-{trace_id}"
    data = json.dumps(payload(trace_id, tree, total_ms, selected), separators=(",", ":")).encode()
    result = mount("waterfall", data, key=key, on_selected_change=nothing)
    return str(getattr(result, "selected", None) or "")


def _span(row: Row) -> dict[str, object]:
    span = row.span
    name = span.tool_name or span.agent_name
    detail = span.model or ("" if name == span.name else name)
    find = (
        *(span.name, span.kind, span.model, span.tool_name, span.agent_name, span.error_type, span.status_message),
        *(span.input_preview[:PREVIEW_CHARACTERS], span.output_preview[:PREVIEW_CHARACTERS], span.span_id),
    )
    return {
        "id": span.span_id,
        "name": span.name,
        "kind": span.kind,
        "depth": row.depth,
        "below": row.below,
        "errors_below": row.errors_below,
        "orphan": row.orphan,
        "critical": row.critical,
        "offset": round(span.offset_ms, 3),
        "duration": round(span.duration_ms, 3),
        "ttft": None if span.ttft_ms is None else round(span.ttft_ms, 3),
        "error": (span.error_type or span.status_message or "failed") if span.status == "error" else "",
        "detail": detail,
        "cost": money_in_brief(span.cost_nanousd) if span.cost_nanousd else "",
        "find": "\n".join(part for part in find if part).lower(),
    }
