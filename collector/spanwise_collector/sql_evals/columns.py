"""What an expression may read: each column with its SQL on a span (`s`) and, for texts, on its bodies (`b`)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

MAX_TEXT_BYTES: Final = 65_536
"""So much of a text is read: what a function does with one span must end soon, since only between blocks of spans does
the engine look at the clock."""
PREFIX: Final = "c_"
"""Of a column's name inside the query, so that it is never taken for one of a table."""
_MESSAGES: Final = """multiIf(NOT startsWith({0}, '[{{'), {0}, JSONHas({0}, {1}, 'parts'),
  arrayStringConcat(arrayFilter(c_part -> c_part != '', arrayMap(c_part -> JSONExtractString(c_part, 'content'),
  JSONExtractArrayRaw({0}, {1}, 'parts'))), '\\n'),
  JSONExtractString({0}, {1}, 'content') != '', JSONExtractString({0}, {1}, 'content'), {0})"""


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        name: as an expression has it.
        sql: over `s`, the span, and `b`, its bodies.
        type: of ClickHouse.
        help: what it is, a sentence.
        body: which of the bodies it needs, that are kept for a shorter time: `input`, `output` or `other`; "" for none.
        is_map: `column['key']` gives '' where there is no such key.
    """

    name: str
    sql: str
    type: str
    help: str
    body: str = ""
    is_map: bool = False


def _text(name: str, help_text: str, sql: str = "") -> Column:
    return Column(name, f"CAST({sql or f's.{name}'}, 'String')", "String", help_text)


def _cut(sql: str) -> str:
    return f"left({sql}, {MAX_TEXT_BYTES})"


def _tokens(name: str, stored: str, help_text: str) -> Column:
    return Column(name, f"if(s.tok_input + s.tok_output = 0, NULL, s.{stored})", "Nullable(UInt32)", help_text)


_ALL: Final = (
    Column("input", _MESSAGES.format(_cut("b.input"), -1), "String", "Text of the last message of the input.", "input"),
    Column("output", _MESSAGES.format(_cut("b.output"), 1), "String", "Text of the answer's first message.", "output"),
    Column("input_messages", _cut("b.input"), "String", "The input as stored: JSON of messages, or text.", "input"),
    Column("output_messages", _cut("b.output"), "String", "The output as stored.", "output"),
    Column("system_instructions", _cut("b.system_instructions"), "String", "As stored; '' for none.", "other"),
    Column("tool_definitions", _cut("b.tool_defs"), "String", "JSON of the tools that were offered.", "other"),
    Column("input_bytes", "s.input_bytes", "UInt32", "Length of the whole input."),
    Column("output_bytes", "s.output_bytes", "UInt32", "Length of the whole output."),
    _text("name", "Name of the span."),
    _text(
        "kind", "llm, embedding, tool, agent, chain, retriever, reranker, guardrail, evaluator, prompt, event, other."
    ),
    _text("status", "unset, ok or error."),
    _text("error_type", "Type of the error."),
    _text("status_message", "What the error says."),
    _text("failure_class", "Class of the failure, see failures.md; '' for none."),
    Column("is_root", "s.is_root", "Bool", "It begins its trace."),
    Column("start_time", "s.start_time", "DateTime64(6, 'UTC')", "When it began."),
    Column("duration_ms", "s.duration_us / 1000", "Float64", "How long it took."),
    Column("ttft_ms", "if(s.ttft_us = 0, NULL, s.ttft_us / 1000)", "Nullable(Float64)", "Time to the first token."),
    _tokens("input_tokens", "tok_input", "Tokens in, cached ones included."),
    _tokens("output_tokens", "tok_output", "Tokens out, reasoning included."),
    _tokens("cache_read_tokens", "tok_cache_read", "Tokens of the input that were cached."),
    _tokens("reasoning_tokens", "tok_reasoning", "Tokens of the output that were reasoning."),
    Column(
        "cost_usd",
        "if(s.cost_source = 'none', NULL, s.cost_total_n / 1e9)",
        "Nullable(Float64)",
        "What the call cost, US dollars; NULL where nothing is known of it.",
    ),
    _text("environment", "Environment.", "s.env"),
    _text("service", "Service."),
    _text("release", "Release."),
    _text("user_id", "User."),
    _text("session_id", "Session."),
    _text("agent_name", "Agent."),
    _text("tool_name", "Tool."),
    _text("prompt_name", "Prompt."),
    _text("prompt_version", "Its version."),
    _text("provider", "Provider."),
    _text(
        "model",
        "Model that answered, else the one asked for.",
        "if(s.model_response != '', s.model_response, s.model_request)",
    ),
    _text("finish_reason", "Why the answer ended."),
    Column("streaming", "s.streaming", "Bool", "The answer was streamed."),
    Column("tags", "CAST(s.tags, 'Array(String)')", "Array(String)", "Tags."),
    Column(
        "attributes",
        "CAST(s.attrs, 'Map(String, String)')",
        "Map(String, String)",
        "Attributes: attributes['http.route'].",
        is_map=True,
    ),
    Column(
        "parameters",
        "CAST(s.params, 'Map(String, String)')",
        "Map(String, String)",
        "Of the request: parameters['temperature'].",
        is_map=True,
    ),
)
COLUMNS: Final[Mapping[str, Column]] = {column.name: column for column in _ALL}
