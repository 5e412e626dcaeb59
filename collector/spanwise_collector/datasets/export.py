"""Out again: items as files, examples for fine-tuning, preference pairs. Pure."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from spanwise_schemas.api_datasets import DatasetItem, ExportFormat

MEDIA_TYPES: Final[Mapping[ExportFormat, str]] = {
    "jsonl": "application/jsonl",
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
    "openai": "application/jsonl",
    "preferences": "application/jsonl",
}
ENDINGS: Final[Mapping[ExportFormat, str]] = {
    "jsonl": "jsonl",
    "csv": "csv",
    "parquet": "parquet",
    "openai": "jsonl",
    "preferences": "jsonl",
}
COLUMNS: Final = ("id", "input", "expected", "rejected", "metadata", "group", "trace_id", "span_id")
_ROLES: Final = ("system", "developer", "user", "assistant", "tool")


@dataclass(frozen=True, slots=True)
class Exported:
    """A file.

    Attributes:
        data: its bytes.
        written: items in it.
        left_out: items that have nothing that could be in it, such as no expected output.
    """

    data: bytes
    written: int
    left_out: int = 0


def export(items: Sequence[DatasetItem], kind: ExportFormat) -> Exported:
    """Items as a file.

    Args:
        items: in their order.
        kind: `jsonl`, `csv` and `parquet` have all of an item and can be imported again; `openai` is a chat example
            per line, `preferences` a prompt with a chosen and a rejected answer per line.
    """
    if kind == "openai":
        return _lines([_example(item) for item in items])
    if kind == "preferences":
        return _lines([_preference(item) for item in items])
    rows = [_row(item) for item in items]
    if kind == "jsonl":
        return _lines(rows)
    flat = [{name: _flat(row[name]) for name in COLUMNS} for row in rows]
    if kind == "csv":
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, COLUMNS)
        writer.writeheader()
        writer.writerows({name: value if value is not None else "" for name, value in row.items()} for row in flat)
        return Exported(text.getvalue().encode("utf-8", "replace"), len(flat))
    sink = pa.BufferOutputStream()
    schema = pa.schema([(name, pa.string()) for name in COLUMNS])
    pq.write_table(pa.Table.from_pylist(flat, schema=schema), sink, compression="zstd")
    return Exported(sink.getvalue().to_pybytes(), len(flat))


def preference(prompt: Any, chosen: Any, rejected: Any) -> dict[str, Any]:
    """A pair as DPO trainers read it: messages of the prompt, then one answer each."""
    return {
        "prompt": messages(prompt, "user"),
        "chosen": messages(chosen, "assistant"),
        "rejected": messages(rejected, "assistant"),
    }


def messages(value: Any, role: str) -> list[dict[str, Any]]:
    """A value as messages of a chat: a list of messages is taken as it is, anything else is one message.

    Understood are messages with `content` (OpenAI) and with `parts` (OpenTelemetry).

    Args:
        value: text, messages, or any JSON.
        role: whose one message is.
    """
    if isinstance(value, list) and value and all(_is_message(one) for one in value):
        return [_message(one) for one in value]
    if _is_message(value):
        return [_message(value)]
    return [{"role": role, "content": _text(value)}]


def lines(rows: Iterable[Mapping[str, Any]]) -> bytes:
    """Objects as JSONL."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode("utf-8", "replace")


def _lines(rows: Sequence[Mapping[str, Any] | None]) -> Exported:
    written = [row for row in rows if row is not None]
    return Exported(lines(written), len(written), len(rows) - len(written))


def _row(item: DatasetItem) -> dict[str, Any]:
    found = item.model_dump()
    return {"id": found.pop("item_id"), **found}


def _flat(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def _example(item: DatasetItem) -> dict[str, Any] | None:
    if item.expected in (None, ""):
        return None
    before = messages(item.input, "user")
    return {"messages": [*_system(item, before), *before, *messages(item.expected, "assistant")]}


def _system(item: DatasetItem, before: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    told = item.metadata.get("system")
    if isinstance(told, str) and told and not any(one["role"] in ("system", "developer") for one in before):
        yield {"role": "system", "content": told}


def _preference(item: DatasetItem) -> dict[str, Any] | None:
    if item.expected in (None, "") or item.rejected in (None, "") or item.expected == item.rejected:
        return None
    found = preference(item.input, item.expected, item.rejected)
    return {**found, "prompt": [*_system(item, found["prompt"]), *found["prompt"]]}


def _is_message(value: Any) -> bool:
    return isinstance(value, dict) and value.get("role") in _ROLES and ("content" in value or "parts" in value)


def _message(value: Mapping[str, Any]) -> dict[str, Any]:
    if "parts" not in value:
        return dict(value)
    found: dict[str, Any] = {"role": value["role"]}
    parts = [part for part in value["parts"] if isinstance(part, dict)]
    texts = [str(part["content"]) for part in parts if part.get("type") == "text" and part.get("content") is not None]
    calls = [part for part in parts if part.get("type") == "tool_call"]
    answers = [part for part in parts if part.get("type") == "tool_call_response"]
    if answers:
        result = answers[0].get("response", answers[0].get("result"))
        return {**found, "tool_call_id": str(answers[0].get("id", "")), "content": _text(result)}
    found["content"] = "\n".join(texts)
    if calls:
        found["tool_calls"] = [
            {
                "id": str(call.get("id", "")),
                "type": "function",
                "function": {"name": str(call.get("name", "")), "arguments": _text(call.get("arguments", {}))},
            }
            for call in calls
        ]
    return found


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
