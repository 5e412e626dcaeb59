"""Files of items: CSV, JSONL, Parquet. Pure: bytes in, items out, and errors that name the line."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import ValidationError

from spanwise_collector.datasets.model import MAX_VALUE_BYTES, DatasetError, Item, item_of
from spanwise_schemas.api_datasets import ImportFormat, NewItem

FIELDS: Final = ("input", "expected", "rejected", "metadata", "group", "id", "trace_id", "span_id")
"""What a column can be; the first is needed."""
SYNONYMS: Final[Mapping[str, tuple[str, ...]]] = {
    "input": ("input", "question", "prompt", "query"),
    "expected": ("expected", "expected_output", "answer", "output", "reference", "ideal"),
    "rejected": ("rejected",),
    "metadata": ("metadata",),
    "group": ("group", "conversation_id", "session_id"),
    "id": ("id", "item_id"),
    "trace_id": ("trace_id",),
    "span_id": ("span_id",),
}
"""Names of columns that are understood where no mapping is given, the first that is there."""


class FileError(DatasetError):
    """The file cannot be used; the message names the line and the remedy."""


@dataclass(frozen=True, slots=True)
class Mapped:
    """Which column is what.

    Attributes:
        columns: field (see `FIELDS`) to the name of its column; what is not named is found by `SYNONYMS`.
        metadata: further columns that become members of the metadata; `*` for all that are nothing else.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    metadata: tuple[str, ...] = ()


def read_items(data: bytes, kind: ImportFormat, mapped: Mapped | None = None) -> list[Item]:
    """Items of a file.

    Args:
        data: the whole file; text is UTF-8.
        kind: what it is.
        mapped: which column is what.

    Raises:
        FileError: a line cannot be read, has no input or an id that was there; or a column that was named is missing.
    """
    mapped = mapped or Mapped()
    unknown = [name for name in mapped.columns if name not in FIELDS]
    if unknown:
        raise FileError(f"{unknown[0]!r} is nothing that a column can be; choose of {', '.join(FIELDS)}")
    rows = {"csv": _csv_rows, "jsonl": _jsonl_rows, "parquet": _parquet_rows}[kind](data)
    items: list[Item] = []
    seen: dict[str, str] = {}
    for place, row in rows:
        item = _item(place, row, mapped)
        if _cell(row, "id", mapped) is not None:
            if item.item_id in seen:
                raise FileError(f"{place}: the id {item.item_id!r} was in {seen[item.item_id]} already")
            seen[item.item_id] = place
        items.append(item)
    if not items:
        raise FileError("the file has no items")
    return items


def _csv_rows(data: bytes) -> Iterator[tuple[str, dict[str, Any]]]:
    # A field may be as long as a value may be; Python's own limit is 128 kB.
    csv.field_size_limit(MAX_VALUE_BYTES)
    reader = csv.reader(io.StringIO(_text(data), newline=""), strict=True)
    header: list[str] | None = None
    while True:
        line = reader.line_num + 1
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise FileError(f"line {line}: {error}; write quotes inside of quoted text twice") from None
        if header is None:
            header = [name.strip() for name in values]
            twice = next((name for name in header if header.count(name) > 1), None)
            if twice is not None:
                raise FileError(f"line 1: two columns are named {twice!r}")
        elif values:
            if len(values) != len(header):
                raise FileError(f"line {line}: {len(values)} values where the header has {len(header)} columns")
            yield f"line {line}", {name: value for name, value in zip(header, values, strict=True) if value != ""}


def _jsonl_rows(data: bytes) -> Iterator[tuple[str, dict[str, Any]]]:
    for number, line in enumerate(_text(data).split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise FileError(f"line {number}: no JSON ({error}); each line is one object") from None
        if not isinstance(row, dict):
            raise FileError(f'line {number}: {_kind(row)} where an object is needed, such as {{"input": ...}}')
        yield f"line {number}", row


def _parquet_rows(data: bytes) -> Iterator[tuple[str, dict[str, Any]]]:
    try:
        table = pq.read_table(pa.BufferReader(data))
    except (pa.ArrowException, OSError) as error:
        raise FileError(f"this is no Parquet file ({error})") from None
    number = 0
    for batch in table.to_batches(max_chunksize=1000):
        for row in batch.to_pylist():
            number += 1
            yield f"row {number}", {name: _plain(value) for name, value in row.items()}


def _item(place: str, row: Mapping[str, Any], mapped: Mapped) -> Item:
    cells = {name: _cell(row, name, mapped, place) for name in FIELDS}
    if cells["input"] is None or cells["input"] == "":
        wanted = mapped.columns.get("input")
        if wanted is None and not any(name in row for name in SYNONYMS["input"]):
            there = ", ".join(repr(name) for name in row) or "nothing"
            raise FileError(f"{place}: no column `input`; there is {there}. Name it with --input COLUMN")
        raise FileError(f"{place}: the input is empty")
    try:
        given = NewItem(
            item_id=None if cells["id"] is None else str(cells["id"]),
            input=cells["input"],
            expected=cells["expected"],
            rejected=cells["rejected"],
            metadata=_metadata(place, row, cells["metadata"], mapped),
            group="" if cells["group"] is None else str(cells["group"]),
            trace_id=str(cells["trace_id"] or "").lower(),
            span_id=str(cells["span_id"] or "").lower(),
        )
        return item_of(given)
    except ValidationError as error:
        first = error.errors()[0]
        raise FileError(f"{place}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    except DatasetError as error:
        raise FileError(f"{place}: {error}") from None


def _cell(row: Mapping[str, Any], name: str, mapped: Mapped, place: str = "") -> Any:
    wanted = mapped.columns.get(name)
    if wanted is not None:
        if wanted not in row and place and name == "input":
            there = ", ".join(repr(each) for each in row) or "nothing"
            raise FileError(f"{place}: no column {wanted!r}; there is {there}")
        return row.get(wanted)
    return next((row[each] for each in SYNONYMS[name] if each in row), None)


def _metadata(place: str, row: Mapping[str, Any], given: Any, mapped: Mapped) -> dict[str, Any]:
    if isinstance(given, str):
        try:
            given = json.loads(given)
        except ValueError:
            raise FileError(f"{place}: `metadata` is no JSON object; name columns with --metadata") from None
    if given is not None and not isinstance(given, dict):
        raise FileError(f"{place}: `metadata` is {_kind(given)} where an object is needed")
    return {**(given or {}), **{name: row[name] for name in _extra(row, mapped) if row.get(name) is not None}}


def _extra(row: Mapping[str, Any], mapped: Mapped) -> Iterable[str]:
    if "*" not in mapped.metadata:
        return mapped.metadata
    used = {mapped.columns.get(name, "") for name in FIELDS}
    for name in FIELDS:
        if name not in mapped.columns:
            used |= set(next(([each] for each in SYNONYMS[name] if each in row), []))
    return [name for name in row if name not in used]


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise FileError(f"line {line}: no UTF-8 (byte {data[error.start]:#04x}); save the file as UTF-8") from None


def _plain(value: Any) -> Any:
    """A value of Parquet as JSON has it."""
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_plain(one) for one in value]
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value


def _kind(value: object) -> str:
    return {list: "a list", str: "text", bool: "true or false", type(None): "null"}.get(type(value), "a number")
