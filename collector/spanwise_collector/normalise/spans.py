"""One span to its rows in `spans` and `span_io`: the inner loop of ingest."""

from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from opentelemetry.proto.trace.v1.trace_pb2 import Span

from spanwise_collector.ingest.cost import PriceBook
from spanwise_collector.normalise.bodies import byte_length, event_list, events_json, exception, preview
from spanwise_collector.normalise.calls import understand
from spanwise_collector.normalise.columns import Pairs, Row
from spanwise_collector.normalise.context import Scope, Sender, cut
from spanwise_collector.normalise.limits import FUTURE_ALLOWANCE_US, MAX_ATTRIBUTE_VALUE, MAX_TAGS
from spanwise_collector.normalise.plan import SLOT, Plan, Planner, assemble, changed_mapping, warning_for
from spanwise_collector.normalise.problems import Refused
from spanwise_collector.normalise.readings import MAX_TTFT_US
from spanwise_collector.normalise.usage import Claim, counts, read_bill, read_usage, usage_extra
from spanwise_collector.normalise.values import Value, clean, read_attributes, to_text
from spanwise_schemas.attributes import KINDS
from spanwise_schemas.conventions import FIRST_TOKEN_EVENTS, SPAN_FIELDS

_KIND_NUMBER: Final[dict[str, int]] = {kind: number for number, kind in enumerate(KINDS)}
_NO_PARENT: Final = bytes(8)
_NO_TRACE: Final = bytes(16)
_STATUS_UNSET: Final = 0
_STATUS_ERROR: Final = 2
_STATUSES: Final = (0, 1, 2)

_KIND: Final = SLOT["kind"]
_NO_PAIRS: Final[Pairs] = ((), ())
_EMPTY: Final[list[Any]] = [None] * len(SPAN_FIELDS)


@dataclass(frozen=True, slots=True)
class Where:
    """Where a span stood: its record, resource and scope. Made once for all spans of a scope.

    Attributes:
        sender: the resource.
        scope: the instrumentation scope.
        attributes: what both keep beside their columns.
        warnings: of both.
        record_ms: the record's timestamp.
        oldest_ns: start times before this are refused.
        latest_ns: times after this are set to the record's.
        tail: the row's last columns: retention, record time, topic, partition, offset.
    """

    sender: Sender
    scope: Scope
    attributes: Pairs
    warnings: frozenset[str]
    record_ms: int
    oldest_ns: int
    latest_ns: int
    tail: tuple[int, int, str, int, int]


def stand(
    sender: Sender, scope: Scope, *, record_ms: int, retention_days: int, topic: str, partition: int, offset: int
) -> Where:
    """The place of all spans of one scope in one record."""
    return Where(
        sender,
        scope,
        (sender.attributes[0] + scope.attributes[0], sender.attributes[1] + scope.attributes[1]),
        sender.warnings | scope.warnings,
        record_ms,
        (record_ms - retention_days * 86_400_000) * 1_000_000,
        record_ms * 1_000_000 + FUTURE_ALLOWANCE_US * 1000,
        (retention_days, record_ms, topic, partition, offset),
    )


class ReadSpan(NamedTuple):
    """What becomes of a span.

    Attributes:
        row: for `spans`.
        io: for `span_io`, or None where there is no body.
        claim: of the bill of a provider call that another span may claim too, or None.
    """

    row: Row
    io: Row | None
    claim: Claim | None


class SpanReader:
    """Turns spans into rows. Holds caches and configuration only: the same span in the same place gives the same rows.

    Args:
        prices: what calls cost.
    """

    def __init__(self, prices: PriceBook) -> None:
        self._prices = prices
        self._planner = Planner(SPAN_FIELDS)

    def read(self, span: Span, where: Where, notes: tuple[str, ...] = ()) -> ReadSpan:
        """Rows of one span.

        Args:
            span: as decoded.
            where: its record, resource and scope.
            notes: warnings from decoding.

        Raises:
            Refused: when ids or times are such that it cannot be stored.
        """
        trace_id, span_id = _ids(span)
        warnings = set(notes)
        start_us, duration_us = _times(span, where, warnings)
        parent = _parent(span, warnings)
        attributes = read_attributes(span.attributes, warnings)
        plan = self._planner.plan(tuple(attributes), where.scope.variant)
        changes: dict[int, str] = {}
        values, unread = _fill(plan, self._planner, attributes, warnings, changes)
        status = span.status.code if span.HasField("status") else _STATUS_UNSET
        message = clean(span.status.message, warnings) if status else ""
        events = _events(span, status, values, warnings) if span.events or span.links else None
        kind = values[_KIND] or _guessed_kind(values)
        raw = _raw(plan, attributes)
        if kind == "llm":
            understand(values, plan, raw, changes)
        # In the order of the table, `SPAN_FIELDS`.
        (
            _,
            provider,
            model_request,
            model_response,
            body_in,
            body_out,
            _,
            _,
            system,
            tools,
            tool_name,
            agent_name,
            finish_reason,
            response_id,
            *_,
            ttft_us,
            session_id,
            user_id,
            tags,
            prompt_name,
            prompt_version,
            error_type,
            error_message,
            error_level,
            params,
            streaming,
            tool_call_id,
            _,
            first_token_at,
        ) = values
        if error_level and status != _STATUS_ERROR:
            status = _STATUS_ERROR
        usage = read_usage(values, plan.counting, warnings)
        counted = counts(
            kind,
            has_tokens=bool(usage.input or usage.output),
            has_model=bool(model_request or model_response),
            failed=status == _STATUS_ERROR,
        )
        reason = "" if counted or not (usage.input or usage.output) else "not_a_model_call"
        bill = read_bill(self._prices, values, usage, kind, start_us, warnings)
        if ttft_us is None and first_token_at and start_us <= first_token_at <= start_us + MAX_TTFT_US:
            ttft_us = first_token_at - start_us
        attrs = _kept(plan, unread, attributes, where, warnings) if plan.rest or unread else where.attributes
        warnings |= plan.warnings
        warnings |= where.warnings
        body_in, body_out = body_in or "", body_out or ""
        sender = where.sender
        row: Row = (
            sender.project,
            trace_id,
            span_id,
            parent,
            start_us,
            duration_us,
            ttft_us or 0,
            parent == _NO_PARENT,
            cut(clean(span.name, warnings), warnings),
            _KIND_NUMBER[kind],
            status if status in _STATUSES else _STATUS_UNSET,
            cut(error_type, warnings) if error_type else "",
            message or (events.message if events else "") or (error_message or "" if status == _STATUS_ERROR else ""),
            sender.env,
            sender.service,
            sender.release,
            plan.convention,
            where.scope.name,
            sender.sdk,
            cut(user_id, warnings) if user_id else "",
            cut(session_id, warnings) if session_id else "",
            cut(agent_name, warnings) if agent_name else "",
            cut(tool_name, warnings) if tool_name else "",
            cut(prompt_name, warnings) if prompt_name else "",
            cut(prompt_version, warnings) if prompt_version else "",
            [cut(tag, warnings) for tag in tags[:MAX_TAGS]] if tags else (),
            cut(provider, warnings) if provider else "",
            cut(model_request, warnings) if model_request else "",
            cut(model_response, warnings) if model_response else "",
            cut(finish_reason, warnings) if finish_reason else "",
            cut(response_id, warnings) if response_id else "",
            usage.input,
            usage.cache_read,
            usage.cache_write,
            usage.output,
            usage.reasoning,
            usage_extra(values),
            bill.input_n,
            bill.output_n,
            bill.total_n,
            bill.source,
            bill.version,
            counted,
            preview(body_in, "input"),
            preview(body_out, "output"),
            byte_length(body_in),
            byte_length(body_out),
            attrs,
            sorted(warnings) if warnings else (),
            *where.tail,
            changed_mapping(plan.mapping, tuple(changes.items())) if changes else plan.mapping,
            streaming or False,
            cut(tool_call_id, warnings) if tool_call_id else "",
            _params(params) if params else _NO_PAIRS,
            bill.reported_n,
            bill.computed_n,
            reason,
        )
        bodies = (body_in, body_out, system or "", tools or "", events.text if events else "")
        io: Row | None = None
        if any(bodies) or raw:
            io = (
                sender.project,
                trace_id,
                span_id,
                start_us,
                *bodies,
                where.record_ms,
                (list(raw), list(raw.values())),
            )
        claim = (sender.project, response_id, usage.input, usage.output) if counted and response_id else None
        return ReadSpan(row, io, claim)


def _ids(span: Span) -> tuple[bytes, bytes]:
    trace_id, span_id = span.trace_id, span.span_id
    if len(trace_id) != 16 or trace_id == _NO_TRACE:
        raise Refused("bad_trace_id", f"Trace id {trace_id[:24].hex() or 'empty'} of span {span.name[:64]!r}:")
    if len(span_id) != 8 or span_id == _NO_PARENT:
        raise Refused("bad_span_id", f"Span id {span_id[:24].hex() or 'empty'} of span {span.name[:64]!r}:")
    return trace_id, span_id


def _times(span: Span, where: Where, warnings: set[str]) -> tuple[int, int]:
    """Start in microseconds since the epoch and duration in microseconds, both fit to be stored.

    Raises:
        Refused: without any time, or before the retention.
    """
    start, end = span.start_time_unix_nano, span.end_time_unix_nano
    if where.oldest_ns <= start <= end <= where.latest_ns:
        return start // 1000, (end - start) // 1000
    if not start:
        if not end:
            raise Refused("no_time", f"Span {span.name[:64]!r}:")
        warnings.add("no_start_time")
        start = end
    if not end:
        warnings.add("no_end_time")
        end = start
    elif end < start:
        warnings.add("end_before_start")
        end = start
    if end > where.latest_ns:
        warnings.add("time_in_future")
        end = where.record_ms * 1_000_000
        start = min(start, end)
    if start < where.oldest_ns:
        days = (where.record_ms * 1_000_000 - start) // 86_400_000_000_000
        raise Refused(
            "too_old",
            f"Span {span.name[:64]!r} started {days} days before its record, retention is {where.tail[0]} days.",
        )
    return start // 1000, (end - start) // 1000


def _parent(span: Span, warnings: set[str]) -> bytes:
    parent = span.parent_span_id
    if not parent:
        return _NO_PARENT
    if len(parent) != 8:
        warnings.add("bad_parent_id")
        return _NO_PARENT
    if parent == span.span_id:
        warnings.add("self_parent")
        return _NO_PARENT
    return parent


def _fill(
    plan: Plan, planner: Planner, attributes: dict[str, Value], warnings: set[str], changes: dict[int, str]
) -> tuple[list[Any], list[str]]:
    """Values of the table's fields, and attributes that were meant for one but could not be read.

    `changes` receives the fields that another source than the plan's best gave: slot to its name.
    """
    values = _EMPTY[:]
    unread: list[str] = []
    for slot, key, read in plan.steps:
        found = read(attributes[key])
        if found is None:
            warning = warning_for(planner.source_of(slot, key))
            if warning:
                warnings.add(warning)
                unread.append(key)
            found, changes[slot] = _next_best(plan, slot, attributes)
        values[slot] = found
    for step in plan.spread:
        values[step.slot] = assemble(step, attributes)
    return values, unread


def _next_best(plan: Plan, slot: int, attributes: dict[str, Value]) -> tuple[object, str]:
    """The value of the next source that can be read, and its name; None and "" without one."""
    for step in plan.others.get(slot, ()):
        found = assemble(step, attributes) if step.keys else step.read(attributes[step.key])
        if found is not None:
            return found, step.source.attribute
    return None, ""


def _kept(plan: Plan, unread: list[str], attributes: dict[str, Value], where: Where, warnings: set[str]) -> Pairs:
    """Everything that filled no column, as text."""
    names = [*where.attributes[0], *plan.rest_names]
    texts = [*where.attributes[1]]
    for key in plan.rest:
        value = attributes[key]
        text = value if type(value) is str else to_text(value)
        if len(text) > MAX_ATTRIBUTE_VALUE:
            warnings.add("attribute_cut")
            text = text[:MAX_ATTRIBUTE_VALUE]
        texts.append(text)
    if unread:
        names += unread
        texts += [to_text(attributes[key])[:MAX_ATTRIBUTE_VALUE] for key in unread]
    return names, texts


def _guessed_kind(values: list[Any]) -> str:
    """Kind of a span that does not say it: only a model call has a model and tokens."""
    has_model = values[SLOT["model_request"]] or values[SLOT["model_response"]]
    has_tokens = values[SLOT["tok_input"]] or values[SLOT["tok_output"]]
    return "llm" if has_model and has_tokens else "other"


@dataclass(frozen=True, slots=True)
class _Events:
    text: str
    message: str


def _events(span: Span, status: int, values: list[Any], warnings: set[str]) -> _Events:
    """Events and links as stored; fills error type and time to first token where only an event tells."""
    listed = event_list(span, warnings)
    message = ""
    if status == _STATUS_ERROR:
        error_type, message = exception(listed)
        values[SLOT["error_type"]] = values[SLOT["error_type"]] or error_type
    if values[SLOT["ttft_us"]] is None:
        values[SLOT["ttft_us"]] = _first_token(span)
    return _Events(events_json(listed), message)


def _first_token(span: Span) -> int | None:
    for event in span.events:
        if event.name in FIRST_TOKEN_EVENTS:
            after = (event.time_unix_nano - span.start_time_unix_nano) // 1000
            return after if 0 <= after <= MAX_TTFT_US else None
    return None


def _raw(plan: Plan, attributes: dict[str, Value]) -> dict[str, str]:
    """Content attributes that no column has as they were sent."""
    return {key: to_text(attributes[key]) for key in plan.raw}


def _params(params: dict[str, Value]) -> Pairs:
    """Request parameters as text by name."""
    return list(params), [to_text(value) for value in params.values()]
