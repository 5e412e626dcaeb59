"""Everything about one span: messages, cost, attributes, events, scores, warnings."""

import json
from collections.abc import Mapping

import streamlit as st

from spanwise_dashboard.components.conversation import Section, conversation
from spanwise_dashboard.components.facts import Fact, heading
from spanwise_dashboard.components.table import Badge, Cell, Column, Row, table
from spanwise_dashboard.context import Context, href, shared
from spanwise_dashboard.format import count, duration, money, plural, size, timestamp
from spanwise_dashboard.messages import Message, Part, pretty, system_message
from spanwise_dashboard.messages import conversation as messages_of
from spanwise_dashboard.views.explain import explain_panel
from spanwise_dashboard.views.scores import scores_table
from spanwise_schemas.api import SpanDetail

VIEWS = {"messages": "Messages", "raw": "Raw", "details": "Details", "explain": "Explain"}
_MISSING = {
    "absent": "The bodies are not there. They arrive a moment after the span, or the store refused them: see Pipeline.",
    "expired": "The bodies were kept for a shorter time than the span, and are gone.",
}
_COLUMNS = (Column("Name", width="42%", wrap=True), Column("Value", wrap=True))


def span_panel(context: Context, span: SpanDetail) -> None:
    """Draws the panel."""
    span_id = span.summary.span_id
    clicked = heading(span.summary.name or "(no name)", badges(span), facts(context, span), key="span-heading", level=2)
    if clicked is not None:
        context.switch("traces", shared(context.state()).only(**{clicked.action: (clicked.value,)}))
    if span.warnings:
        st.warning(
            f"{plural(len(span.warnings), 'thing')} about this span's data needs a look:", icon=":material/warning:"
        )
        rows = [Row(str(number), (Cell(text),)) for number, text in enumerate(span.warnings)]
        table("Warnings", (Column("Warning", wrap=True),), rows, key=f"warnings-{span_id}", empty="")
    if errors := error_messages(span):
        conversation([Section("Error", errors, tone="bad")], key=f"error-{span_id}")
    chosen = st.segmented_control(
        "View", list(VIEWS), format_func=VIEWS.__getitem__, key="span-view", default="messages", required=True,
        label_visibility="collapsed",
    )  # fmt: skip
    match chosen:
        case "raw":
            conversation(raw_sections(span), key=f"raw-{span_id}")
        case "details":
            _details(context, span)
        case "explain":
            explain_panel(context, span.trace_id, span_id)
        case _:
            conversation(sections(span), key=f"messages-{span_id}")
    if span.scores:
        st.subheader("Scores", anchor=False)
        scores_table(span.scores, context.zone, key=f"scores-{span_id}")


def badges(span: SpanDetail) -> list[Badge]:
    """Kind, state and how the model stopped."""
    status = {"error": Badge("failed", "bad"), "ok": Badge("succeeded", "good")}.get(span.summary.status)
    stop = Badge(f"stopped: {span.finish_reason}") if span.finish_reason else None
    return [Badge(span.summary.kind), *(each for each in (status, stop) if each is not None)]


def facts(context: Context, span: SpanDetail) -> list[Fact]:
    """What is to be known at a glance."""
    summary = span.summary
    usage = summary.usage
    model = summary.model or span.model_response or span.model_request
    place = shared(context.state()).only(model=(model,))
    tokens = f"{count(usage.input)} in, {count(usage.output)} out"
    found = [
        Fact("Duration", duration(summary.duration_ms)),
        Fact("First token", duration(summary.ttft_ms)) if summary.ttft_ms is not None else None,
        Fact("Answer", "streamed") if span.streaming else None,
        Fact("Model", model, href=href("traces", place), action="model", value=model) if model else None,
        Fact("Provider", summary.provider) if summary.provider else None,
        Fact("Tokens", tokens) if usage.input or usage.output else None,
        Fact("Cost", money(span.cost.total_nanousd)) if summary.counts_usage or span.cost.total_nanousd else None,
        Fact("Tool", summary.tool_name) if summary.tool_name else None,
        Fact("Agent", summary.agent_name) if summary.agent_name else None,
        Fact("Prompt", f"{span.prompt_name} {span.prompt_version}".strip()) if span.prompt_name else None,
    ]
    return [fact for fact in found if fact is not None]


def sections(span: SpanDetail) -> list[Section]:
    """Input and output as a conversation."""
    role = "user" if span.summary.kind == "llm" else ""
    answer = "assistant" if span.summary.kind == "llm" else ""
    missing = _MISSING.get(span.bodies, "Nothing was recorded.")
    given = [*system_message(span.system_instructions), *messages_of(span.input, default_role=role)]
    found = [
        Section("Input", given, _size(span.input_bytes), missing),
        Section("Output", messages_of(span.output, default_role=answer), _size(span.output_bytes), missing),
    ]
    if span.tool_definitions:
        tools = Message("", (Part("json", pretty(span.tool_definitions)),))
        found.append(Section("Tools offered to the model", [tools]))
    return found


def raw_sections(span: SpanDetail) -> list[Section]:
    """Bodies exactly as recorded."""
    bodies = {
        "Input": span.input,
        "Output": span.output,
        "System instructions": span.system_instructions,
        "Tool definitions": span.tool_definitions,
    }
    return [
        Section(title, [Message("as recorded", (Part("json", body),))] if body else [])
        for title, body in bodies.items()
        if body or title in ("Input", "Output")
    ]


def error_messages(span: SpanDetail) -> list[Message]:
    """The failure: type and message, and the exceptions that were recorded with it."""
    if span.summary.status != "error":
        return []
    found = []
    recorded = [_attributes(event) for event in span.events if event.get("name") == "exception"]
    for attributes in recorded:
        name, message = attributes.get("exception.type", ""), attributes.get("exception.message", "")
        parts = [Part("text", str(message or "(no message)"))]
        if trace := attributes.get("exception.stacktrace"):
            parts.append(Part("json", str(trace), name="Stack trace"))
        found.append(Message(str(name or "exception"), tuple(parts)))
    if not found:
        message = span.summary.status_message or "The span failed and says no more."
        found.append(Message(span.summary.error_type or "error", (Part("text", message),)))
    return found


def cost_source(span: SpanDetail) -> str:
    """How the cost came about, in a sentence."""
    if span.cost.source == "reported":
        beside = (
            "" if span.cost.computed_nanousd is None else f" The price list says {money(span.cost.computed_nanousd)}."
        )
        return f"The caller reported this cost; it goes before a computed one.{beside}"
    if span.cost.source == "computed":
        return f"Computed from the tokens with the price list {span.cost.price_version}."
    if span.summary.counts_usage:
        return "No price is known for this model. Add it to the file that SPANWISE_PRICES_FILE names."
    if span.usage_meaning:
        return f"This span does not bear the bill. {span.usage_meaning}"
    if span.summary.usage.input or span.summary.usage.output:
        return "The bill for these tokens is borne by another span of the trace, so that nothing is counted twice."
    return "This span called no model."


def cost_rows(span: SpanDetail) -> list[Row]:
    """Tokens with what they cost."""
    usage, cost = span.summary.usage, span.cost
    lines: list[tuple[str, int, int | None]] = [
        ("Input", usage.input, cost.input_nanousd),
        ("  of which read from cache", usage.cache_read, None),
        ("  of which written to cache", usage.cache_write, None),
        ("Output", usage.output, cost.output_nanousd),
        ("  of which reasoning", usage.reasoning, None),
    ]
    rows = [_cost_row(*line) for line in lines if line[1] or not line[0].startswith(" ")]
    extra = [
        Row(name, (Cell(name, mono=True), Cell(count(tokens)), Cell(), Cell()))
        for name, tokens in span.usage_extra.items()
    ]
    total = Row(
        "total", (Cell("Total"), Cell(count(usage.input + usage.output)), Cell(money(cost.total_nanousd)), Cell())
    )
    return [*rows, *extra, total]


def _cost_row(label: str, tokens: int, nanousd: int | None) -> Row:
    # A part of the line above has no cost of its own.
    part = label.startswith(" ")
    name = f"\u2003{label.strip()}" if part else label
    cost = "" if part else money(nanousd)
    return Row(label, (Cell(name), Cell(count(tokens)), Cell(cost), Cell(_rate(tokens, nanousd))))


def _rate(tokens: int, nanousd: int | None) -> str:
    return money(round(nanousd * 1_000_000 / tokens)) if tokens and nanousd else ""


def _details(context: Context, span: SpanDetail) -> None:
    span_id = span.summary.span_id
    usage = span.summary.usage
    if span.cost.source != "none" or usage.input or usage.output or span.summary.counts_usage:
        st.subheader("Tokens and cost", anchor=False)
        columns = (
            Column("Tokens"),
            Column("Count", "right", width="22%"),
            Column("Cost", "right", width="22%"),
            Column("Per million", "right", width="22%", help="Cost divided by the tokens"),
        )
        table("Tokens and cost", columns, cost_rows(span), key=f"cost-{span_id}", empty="")
        st.text(cost_source(span))
    if span.parameters:
        st.subheader("Request parameters", anchor=False)
        table("Request parameters", _COLUMNS, _pairs(span.parameters), key=f"parameters-{span_id}", empty="")
    st.subheader("Origin", anchor=False)
    table("Origin", _COLUMNS, _pairs(_origin(context, span)), key=f"origin-{span_id}", empty="")
    st.subheader("Attributes", anchor=False)
    attributes = dict(sorted(span.attributes.items()))
    table("Attributes", _COLUMNS, _pairs(attributes), key=f"attributes-{span_id}", empty="No further attributes.")
    if span.events:
        st.subheader("Events", anchor=False)
        event_columns = (Column("Event", width="30%", wrap=True), Column("Attributes", wrap=True))
        rows = [
            Row(
                str(number),
                (Cell(str(event.get("name", "")), sub=str(event.get("time", ""))), Cell(_compact(event), mono=True)),
            )
            for number, event in enumerate(span.events)
        ]
        table("Events", event_columns, rows, key=f"events-{span_id}", empty="")


def _origin(context: Context, span: SpanDetail) -> dict[str, str]:
    summary = span.summary
    values = {
        "Started": timestamp(summary.start_time, context.zone),
        "Span": summary.span_id,
        "Parent": summary.parent_span_id,
        "Service": span.service,
        "Environment": span.environment,
        "Release": span.release,
        "User": span.user_id,
        "Session": span.session_id,
        "Tags": ", ".join(span.tags),
        "Model requested": span.model_request,
        "Model that answered": span.model_response,
        "Response": span.response_id,
        "Tool call": span.tool_call_id,
        "Instrumentation": span.scope,
        "SDK": span.sdk,
        "Convention": span.convention,
    }
    return {name: value for name, value in values.items() if value}


def _pairs(values: Mapping[str, str]) -> list[Row]:
    return [Row(name, (Cell(name), Cell(value, mono=True))) for name, value in values.items()]


def _attributes(event: Mapping[str, object]) -> Mapping[str, object]:
    attributes = event.get("attributes")
    return attributes if isinstance(attributes, dict) else {}


def _compact(event: Mapping[str, object]) -> str:
    return json.dumps(_attributes(event), ensure_ascii=False, indent=1, default=str)


def _size(octets: int) -> str:
    return size(octets) if octets else ""
