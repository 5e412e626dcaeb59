"""One span to its rows in `spans` and `span_io`: the inner loop of ingest."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from spanwise_collector.failures.suspects import is_suspect
from spanwise_collector.ingest.cost import PriceBook
from spanwise_collector.normalise.bodies import byte_length, event_list, events_json, exception, preview
from spanwise_collector.normalise.calls import take_chunks, understand, understand_embedding
from spanwise_collector.normalise.columns import Pairs, Row
from spanwise_collector.normalise.content_events import take_contents
from spanwise_collector.normalise.context import cut
from spanwise_collector.normalise.failing import NO_FAILURE, failure_of_answer, failure_of_error
from spanwise_collector.normalise.failures import tells_failure, unwrapped_exception
from spanwise_collector.normalise.fill import fill_usage
from spanwise_collector.normalise.front import Filled
from spanwise_collector.normalise.labels import error_type_column, kind_number, label_columns
from spanwise_collector.normalise.lazy import LazySpan
from spanwise_collector.normalise.limits import MAX_FIELD
from spanwise_collector.normalise.plan import SLOT, Plan, changed_mapping
from spanwise_collector.normalise.readings import MAX_TTFT_US
from spanwise_collector.normalise.span_scores import scores_of_span
from spanwise_collector.normalise.usage import counts, read_bill, read_usage, usage_extra
from spanwise_collector.normalise.validity import NO_PARENT, ids_of, parent_of, times_of
from spanwise_collector.normalise.values import Value, clean, to_text
from spanwise_collector.normalise.where import Where
from spanwise_schemas.attributes import SCORE_EVENT
from spanwise_schemas.conventions import FIRST_TOKEN_EVENTS

_STATUS_UNSET: Final = 0
_STATUS_ERROR: Final = 2
_STATUSES: Final = (0, 1, 2)
_KIND: Final = SLOT["kind"]
_MODEL_REQUEST: Final = SLOT["model_request"]
_MODEL_RESPONSE: Final = SLOT["model_response"]
_NO_PAIRS: Final[Pairs] = ((), ())
_BODIES: Final = slice(SLOT["input"], SLOT["output"] + 1)
_INSTRUCTIONS: Final = slice(SLOT["system_instructions"], SLOT["tool_defs"] + 1)
_RESPONSE_ID: Final = SLOT["response_id"]
_USAGE: Final = SLOT["usage"]
_CONTEXT: Final = slice(SLOT["ttft_us"], SLOT["user_id"] + 1)
_LAST: Final = slice(SLOT["error_message"], SLOT["first_token_at"] + 1)
_MAX_NAMES: Final = 4096


ReadSpan: TypeAlias = tuple[Row, Row | None, list[Row] | None]
"""What becomes of a span: its row for `spans`; that for `span_io`, or None where there is no body; those for `scores`,
or None where it carries no score."""


class SpanReader:
    """Turns spans into rows. Holds caches and configuration only: the same span in the same place gives the same rows.

    Args:
        prices: what calls cost.
    """

    def __init__(self, prices: PriceBook) -> None:
        self._prices = prices
        self._names: dict[str, str] = {}

    def read(self, span: LazySpan, filled: Filled, where: Where, warnings: set[str]) -> ReadSpan:
        """Rows of one span.

        Args:
            span: as decoded.
            filled: its attributes, read; its values are changed.
            where: its record, resource and scope.
            warnings: from decoding; receives those of reading.

        Raises:
            Refused: when ids or times are such that it cannot be stored.
        """
        trace_id, span_id = ids_of(span)
        start_us, duration_us = times_of(span, where, warnings)
        parent = parent_of(span, warnings)
        plan, labels, values, changes, raw = filled.plan, filled.labels, filled.values, filled.changes, filled.raw
        counting = fill_usage(values, plan, changes) if values[_USAGE] else plan.counting
        label_changes = dict(changes)
        status = span.status.code if span.HasField("status") else _STATUS_UNSET
        message = clean(span.status.message, warnings) if status else ""
        events = (
            _events(span, status, values, warnings, changes, where.scope.name) if span.events or span.links else None
        )
        status = events.status if events else status
        kind = values[_KIND] or _guessed_kind(values)
        pieces = events.listed if events and "mlflow" in where.scope.variant else ()
        preview_in, preview_out, answer = _understood(kind, values, plan, raw, changes, pieces)
        body_in, body_out = values[_BODIES]
        system, tools = values[_INSTRUCTIONS]
        response_id = values[_RESPONSE_ID]
        ttft_us, session_id, user_id = values[_CONTEXT]
        error_message, error_level, params, streaming, tool_call_id, _, first_token_at = values[_LAST]
        if error_level:
            status = _STATUS_ERROR
        # Before the row is made, which keeps the warnings.
        scores = None
        if plan.tells_scores or (events is not None and events.scored):
            scores = scores_of_span(span, filled, where, warnings)
        told = changes != label_changes
        columns = label_columns(values, warnings) if told or not plan.labels_complete else labels.columns
        error_type = labels.error_type or error_type_column(values, warnings)
        usage = read_usage(values, counting, warnings)
        tokens_in, tokens_out, cache_read, cache_write, reasoning, _, _, _ = usage
        used = bool(tokens_in or tokens_out)
        counted = counts(
            kind,
            has_tokens=used,
            has_model=bool(values[_MODEL_REQUEST] or values[_MODEL_RESPONSE]),
            failed=status == _STATUS_ERROR,
        )
        reason = "not_a_model_call" if used and not counted else ""
        bill = read_bill(self._prices, values, usage, kind, start_us, warnings)
        input_n, output_n, total_n, cost_source, price_version, reported_n, computed_n = bill
        if ttft_us is None and first_token_at:
            ttft_us = _after(start_us, first_token_at)
        attrs = _with(where.attributes, filled.rest) if filled.rest[0] else where.attributes
        name = self._names.get(span.name) or self._name(span.name, warnings)
        if len(user_id or "") > MAX_FIELD or len(session_id or "") > MAX_FIELD or len(response_id or "") > MAX_FIELD:
            user_id, session_id, response_id = (cut(one or "", warnings) for one in (user_id, session_id, response_id))
        if where.warnings:
            warnings |= where.warnings
        if status == _STATUS_ERROR:
            message = message or (events.message if events else "") or error_message or ""
            listed = events.listed if events else []
            failed = failure_of_error(
                where.sender.project, kind, name, values, (error_type, message), listed, filled.rest
            )
        elif is_suspect(values, answer) if kind == "llm" else kind == "retriever":
            failed = failure_of_answer(where.sender.project, kind, name, values, answer)
        else:
            failed = NO_FAILURE
        sender, scope = where.sender, where.scope
        row: Row = (
            sender.project,
            trace_id,
            span_id,
            parent,
            start_us,
            duration_us,
            ttft_us or 0,
            parent == NO_PARENT,
            name,
            kind_number(kind),
            status if status in _STATUSES else _STATUS_UNSET,
            error_type,
            message,
            sender.env,
            sender.service,
            sender.release,
            plan.convention,
            scope.name,
            sender.sdk,
            user_id or "",
            session_id or "",
            *columns,
            response_id or "",
            tokens_in,
            cache_read,
            cache_write,
            tokens_out,
            reasoning,
            usage_extra(values),
            input_n,
            output_n,
            total_n,
            cost_source,
            price_version,
            counted,
            preview_in,
            preview_out,
            byte_length(body_in) if body_in else 0,
            byte_length(body_out) if body_out else 0,
            attrs,
            sorted(warnings) if warnings else (),
            *where.tail,
            changed_mapping(plan.mapping, tuple(changes.items())) if changes else plan.mapping,
            streaming or False,
            cut(tool_call_id, warnings) if tool_call_id else "",
            _params(params) if params else _NO_PAIRS,
            reported_n,
            computed_n,
            reason,
            *failed,
        )
        io: Row | None = None
        if body_in or body_out or system or tools or events or raw:
            io = (
                sender.project,
                trace_id,
                span_id,
                start_us,
                body_in or "",
                body_out or "",
                system or "",
                tools or "",
                events.text if events else "",
                where.record_ms,
                (list(raw), list(raw.values())) if raw else _NO_PAIRS,
            )
        return row, io, scores

    def _name(self, name: str, warnings: set[str]) -> str:
        """A span's name as stored; names that stay as they are, which are few, are remembered."""
        stored = cut(clean(name, warnings), warnings)
        if stored == name and len(self._names) < _MAX_NAMES:
            self._names[name] = name
        return stored


def _understood(
    kind: str,
    values: list[Any],
    plan: Plan,
    raw: dict[str, str],
    changes: dict[int, str],
    pieces: Sequence[dict[str, Value]],
) -> tuple[str, str, list[Any] | None]:
    """Previews of the bodies, which are read where the span is a model call, and the messages of its output.

    Args:
        kind: of the span.
        values: of the fields, in the table's order; changed in place.
        plan: of the span.
        raw: content attributes kept as sent.
        changes: receives the fields that a body filled.
        pieces: events that may bring the answer of a stream.
    """
    if kind == "llm":
        if pieces:
            take_chunks(pieces, values, plan, raw, changes)
        return understand(values, plan, raw, changes)
    if kind == "embedding":
        understand_embedding(values, plan, raw, changes)
    body_in, body_out = values[_BODIES]
    return preview(body_in or "", "input"), preview(body_out or "", "output"), None


def _guessed_kind(values: list[Any]) -> str:
    """Kind of a span that does not say it: only a model call has a model and tokens."""
    has_model = values[_MODEL_REQUEST] or values[_MODEL_RESPONSE]
    has_tokens = values[SLOT["tok_input"]] or values[SLOT["tok_output"]]
    return "llm" if has_model and has_tokens else "other"


def _with(attributes: Pairs, rest: Pairs) -> Pairs:
    """The attributes of a place and those of a span in it."""
    return [*attributes[0], *rest[0]], [*attributes[1], *rest[1]]


def _params(params: dict[str, Value]) -> Pairs:
    """Request parameters as text by name."""
    return list(params), [value if type(value) is str else to_text(value) for value in params.values()]


@dataclass(frozen=True, slots=True)
class _Events:
    text: str
    message: str
    status: int
    listed: list[dict[str, Value]]
    scored: bool


def _events(
    span: LazySpan, status: int, values: list[Any], warnings: set[str], changes: dict[int, str], scope: str
) -> _Events:
    """Events and links as stored; fills content, error type and time to first token where only an event tells."""
    listed = event_list(span, warnings)
    take_contents(listed, values, changes)
    message = ""
    if status == _STATUS_ERROR or tells_failure(scope):
        error_type, message = exception(listed)
        if error_type and tells_failure(scope):
            status = _STATUS_ERROR
            error_type, message = unwrapped_exception(error_type, message)
        values[SLOT["error_type"]] = values[SLOT["error_type"]] or error_type
    if values[SLOT["ttft_us"]] is None:
        values[SLOT["ttft_us"]] = _first_token(span)
        if values[SLOT["ttft_us"]] is not None and values[SLOT["streaming"]] is None:
            values[SLOT["streaming"]] = True
    scored = any(event.get("name") == SCORE_EVENT for event in listed)
    return _Events(events_json(listed), message, status, listed, scored)


def _first_token(span: LazySpan) -> int | None:
    for event in span.events:
        if event.name in FIRST_TOKEN_EVENTS:
            return _after(span.start_time_unix_nano // 1000, event.time_unix_nano // 1000)
    return None


def _after(start_us: int, first_token_us: int) -> int | None:
    """Time to the first token; None where its moment makes no sense."""
    after = first_token_us - start_us
    return after if 0 <= after <= MAX_TTFT_US else None
