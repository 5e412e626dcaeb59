"""One span with everything that is known of it."""

import json
from collections.abc import Mapping
from typing import Any, Final, Literal

from spanwise_collector.query.contents import Contents, contents_of
from spanwise_collector.query.scores import scores_of
from spanwise_collector.query.trace import SPAN_COLUMNS, WITHIN_TRACE, span_summary, within_trace
from spanwise_collector.query.traces import BODY_DAYS, summary_of
from spanwise_collector.query.values import micros
from spanwise_collector.query.window import DAY
from spanwise_collector.store.database import Reader
from spanwise_schemas.api import CostDetail, SpanDetail
from spanwise_schemas.usage_reasons import meaning_of

_COLUMNS: Final = f"""{SPAN_COLUMNS},
service, env, release, user_id, session_id, tags, prompt_name, prompt_version, model_request, model_response,
finish_reason, response_id, scope, sdk, convention, cost_input_n, cost_output_n, price_version, usage_extra,
input_bytes, output_bytes, attrs, warnings, params, streaming, tool_call_id, usage_reason, cost_reported_n,
cost_computed_n"""
_BODIES: Final = "input, output, system_instructions, tool_defs, events"
_THIS: Final = (
    f"{WITHIN_TRACE} AND span_id = toFixedString(unhex({{span:String}}), 8) ORDER BY ingested_at DESC LIMIT 1"
)


def get_span(
    reader: Reader, project: str, trace_id: bytes, span_id: bytes, *, now_us: int, timeout_s: float = 30.0
) -> SpanDetail | None:
    """A span with its bodies.

    Args:
        reader: the store.
        project: only a span of this project is found.
        trace_id: 16 bytes.
        span_id: 8 bytes.
        now_us: current time; tells whether bodies that are not there have expired.
        timeout_s: for each query.

    Returns:
        None when the project has no such span.

    Raises:
        StoreError: see `Reader.query`.
    """
    summary = summary_of(reader, project, trace_id, timeout_s=timeout_s)
    if summary is None:
        return None
    parameters = within_trace(project, trace_id, summary) | {"span": span_id.hex()}
    found = reader.query(f"SELECT {_COLUMNS} FROM spans WHERE {_THIS}", parameters, timeout_s=timeout_s).dicts()
    if not found:
        return None
    row = found[0]
    bodies = reader.query(f"SELECT {_BODIES} FROM span_io WHERE {_THIS}", parameters, timeout_s=timeout_s).dicts()
    scores = [
        score for score in scores_of(reader, project, trace_id, timeout_s=timeout_s) if score.span_id == span_id.hex()
    ]
    body: Mapping[str, Any] = bodies[0] if bodies else dict.fromkeys(_BODIES.split(", "), "")
    told = contents_of(reader, parameters, timeout_s=timeout_s).get(span_id, Contents())
    return SpanDetail(
        summary=span_summary(row, micros(summary.start_time)),
        trace_id=trace_id.hex(),
        project=project,
        service=row["service"],
        environment=row["env"],
        release=row["release"],
        user_id=row["user_id"],
        session_id=row["session_id"],
        tags=row["tags"],
        prompt_name=row["prompt_name"],
        prompt_version=row["prompt_version"],
        model_request=row["model_request"],
        model_response=row["model_response"],
        finish_reason=row["finish_reason"],
        response_id=row["response_id"],
        parameters=row["params"],
        streaming=row["streaming"],
        tool_call_id=row["tool_call_id"],
        usage_reason=row["usage_reason"],
        usage_meaning=meaning_of(row["usage_reason"]) if row["usage_reason"] else "",
        scope=row["scope"],
        sdk=row["sdk"],
        convention=row["convention"],
        cost=_cost(row),
        usage_extra=row["usage_extra"],
        input=body["input"] or told.input,
        output=body["output"] or told.output,
        bodies=_state(row, stored=bool(bodies) or told != Contents(), now_us=now_us),
        input_bytes=row["input_bytes"],
        output_bytes=row["output_bytes"],
        system_instructions=body["system_instructions"] or told.system,
        tool_definitions=body["tool_defs"] or told.tools,
        events=json.loads(body["events"]) if body["events"] else [],
        attributes=row["attrs"],
        warnings=row["warnings"],
        scores=scores,
    )


def _state(row: Mapping[str, Any], *, stored: bool, now_us: int) -> Literal["stored", "none", "absent", "expired"]:
    if stored:
        return "stored"
    if not row["input_bytes"] and not row["output_bytes"]:
        return "none"
    # A batch's spans are stored before its bodies: who asks between the two finds the one without the other.
    return "expired" if row["start"] < now_us - BODY_DAYS * DAY else "absent"


def _cost(row: Mapping[str, Any]) -> CostDetail:
    known = row["cost_source"] != "none"
    # Of a reported total the parts are not known.
    parts = known and bool(row["cost_input_n"] or row["cost_output_n"])
    return CostDetail(
        source=row["cost_source"],
        input_nanousd=row["cost_input_n"] if parts else None,
        output_nanousd=row["cost_output_n"] if parts else None,
        total_nanousd=row["cost_total_n"] if known else None,
        reported_nanousd=row["cost_reported_n"] if row["cost_reported_n"] >= 0 else None,
        computed_nanousd=row["cost_computed_n"] if row["cost_computed_n"] >= 0 else None,
        price_version=row["price_version"],
    )
