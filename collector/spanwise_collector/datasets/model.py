"""An item as it is kept, and how one state of a dataset becomes the next. Pure."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from spanwise_schemas.api_datasets import DatasetItem, NewItem

MAX_VALUE_BYTES: Final = 4_000_000
"""Longest input, expected output or metadata of one item, as JSON."""
MAX_ITEMS: Final = 200_000
"""Items of one dataset."""


class DatasetError(ValueError):
    """The request makes no sense; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Item:
    """One item. Values are JSON texts, "" where there is none.

    Attributes:
        item_id: names it in all versions.
        input: what the task is given.
        expected: a good output.
        rejected: a bad output.
        metadata: a JSON object.
        group: items of one group are not independent.
        trace_id: 16 bytes; all zero where it comes from elsewhere.
        span_id: 8 bytes.
        position: order in the dataset.
    """

    item_id: str
    input: str
    expected: str = ""
    rejected: str = ""
    metadata: str = "{}"
    group: str = ""
    trace_id: bytes = bytes(16)
    span_id: bytes = bytes(8)
    position: int = 0

    def shown(self) -> DatasetItem:
        """For the API."""
        return DatasetItem(
            item_id=self.item_id,
            input=_value(self.input),
            expected=_value(self.expected),
            rejected=_value(self.rejected),
            metadata=json.loads(self.metadata),
            group=self.group,
            trace_id=self.trace_id.hex() if any(self.trace_id) else "",
            span_id=self.span_id.hex() if any(self.span_id) else "",
        )


@dataclass(frozen=True, slots=True)
class Difference:
    """What a change does to a state.

    Attributes:
        put: items that are new or other than before, with their positions.
        added: how many of them are new.
        removed: items that are there no longer.
        unchanged: how many were given as they are already.
        repeated: how many were given more than once.
        items: how many there are afterwards.
    """

    put: tuple[Item, ...]
    added: int
    removed: tuple[Item, ...]
    unchanged: int
    repeated: int
    items: int

    @property
    def changed(self) -> int:
        """How many are other than before."""
        return len(self.put) - self.added


def item_of(given: NewItem) -> Item:
    """An item as it is kept.

    Raises:
        DatasetError: it has no input, or is too large.
    """
    if given.input is None or given.input == "":
        raise DatasetError("an item needs an input")
    texts = {name: to_json(getattr(given, name)) for name in ("input", "expected", "rejected")}
    metadata = json.dumps(given.metadata, ensure_ascii=False, sort_keys=True)
    for name, text in {**texts, "metadata": metadata}.items():
        if len(text.encode("utf-8", "surrogatepass")) > MAX_VALUE_BYTES:
            raise DatasetError(f"`{name}` is longer than {MAX_VALUE_BYTES:,} bytes")
    return Item(
        item_id=given.item_id or id_of(texts["input"]),
        input=texts["input"],
        expected=texts["expected"],
        rejected=texts["rejected"],
        metadata=metadata,
        group=given.group,
        trace_id=bytes.fromhex(given.trace_id).rjust(16, b"\0"),
        span_id=bytes.fromhex(given.span_id).rjust(8, b"\0"),
    )


def to_json(value: Any) -> str:
    """A value as JSON; "" for none. Members of objects are sorted, so that equal values are equal texts."""
    return "" if value is None else json.dumps(value, ensure_ascii=False, sort_keys=True)


def id_of(input_json: str) -> str:
    """An id made from an input: the same input has the same id."""
    return hashlib.sha256(input_json.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def difference(before: Mapping[str, Item], put: Iterable[Item], remove: Sequence[str] = ()) -> Difference:
    """What a change does.

    Args:
        before: the items by id.
        put: items to add or to replace; of one id the last counts.
        remove: ids to remove; those that are not there are let pass.

    Raises:
        DatasetError: there would be too many items.
    """
    wanted: dict[str, Item] = {}
    given = 0
    for item in put:
        given += 1
        wanted[item.item_id] = item
    gone = tuple(before[one] for one in dict.fromkeys(remove) if one in before and one not in wanted)
    following = max((item.position for item in before.values()), default=0)
    changes: list[Item] = []
    added = unchanged = 0
    for item_id, item in wanted.items():
        known = before.get(item_id)
        if known is None:
            added += 1
            changes.append(replace(item, position=following + added))
        elif replace(item, position=known.position) == known:
            unchanged += 1
        else:
            changes.append(replace(item, position=known.position))
    items = len(before) + added - len(gone)
    if items > MAX_ITEMS:
        raise DatasetError(f"the dataset would have {items:,} items; the most is {MAX_ITEMS:,}")
    return Difference(tuple(changes), added, gone, unchanged, given - len(wanted), items)


def _value(text: str) -> Any:
    return json.loads(text) if text else None
