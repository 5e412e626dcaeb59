"""Where items come from: a list, a local file, a dataset of the collector."""

import csv
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from spanwise._experiments_model import ExperimentError, Item, id_of

if TYPE_CHECKING:
    from spanwise._experiments_api import Api

DatasetLike = str | os.PathLike[str] | Iterable[Mapping[str, Any] | Item]
PAGE: Final = 500
_FIELDS: Final = ("id", "input", "expected", "metadata", "group")


@dataclass(frozen=True, slots=True)
class Source:
    """Items and what they are called.

    Attributes:
        items: in their order.
        name: of the collector's dataset; "" for others.
        version: its number; 0 for others.
    """

    items: tuple[Item, ...]
    name: str = ""
    version: int = 0


def load(dataset: DatasetLike, api: "Api | None", version: int | None = None) -> Source:
    """The items of a dataset.

    Args:
        dataset: a name, `NAME@VERSION`, a path that ends in .csv or .jsonl, or a list of dicts.
        api: the collector; needed for a name.
        version: of a dataset of the collector; None for the newest.

    Raises:
        ExperimentError: it is not there, has no items, or an item has no input.
    """
    if isinstance(dataset, os.PathLike) or (isinstance(dataset, str) and dataset.endswith((".csv", ".jsonl"))):
        return _checked(_of_file(Path(dataset)), str(dataset))
    if isinstance(dataset, str):
        if api is None:
            raise ExperimentError(
                f"The dataset {dataset!r} is in a collector: set SPANWISE_API_URL (or api_url=...) to its address, "
                "such as http://127.0.0.1:4318, or give a list of dicts or a path that ends in .csv or .jsonl."
            )
        return _of_collector(dataset, api, version)
    return _checked((_item(row, f"item {number}") for number, row in enumerate(dataset, 1)), "the list")


def _of_collector(name: str, api: "Api", version: int | None) -> Source:
    name, _, after = name.partition("@")
    if after:
        if not after.isdigit():
            raise ExperimentError(f"{after!r} is no version of a dataset; write {name}@3, say.")
        version = int(after)
    items: list[Item] = []
    offset: int | None = 0
    while offset is not None:
        page = api.get("datasets", name, "items", version=version or "", offset=offset, limit=PAGE)
        # Pages of one version, also where somebody makes the next one meanwhile.
        version, offset = page["version"], page["next_offset"]
        items += [
            Item(one["item_id"], one["input"], one["expected"], one["metadata"], one["group"]) for one in page["items"]
        ]
    if not items:
        raise ExperimentError(f"The dataset {name!r} has no items yet; `spanwise datasets import` adds some.")
    return Source(tuple(items), name, version or 0)


def _of_file(path: Path) -> Iterator[Item]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            if path.suffix == ".csv":
                for row in (reader := csv.DictReader(file)):
                    filled = {name: value for name, value in row.items() if name and value not in (None, "")}
                    yield _item(filled, f"{path}, line {reader.line_num}")
            else:
                for number, line in enumerate(file, 1):
                    if line.strip():
                        yield _item(_object(line, f"{path}, line {number}"), f"{path}, line {number}")
    except UnicodeDecodeError as error:
        raise ExperimentError(f"{path} is no UTF-8: {error}. Save it as UTF-8.") from None
    except OSError as error:
        raise ExperimentError(f"{path} cannot be read: {error.strerror}.") from None


def _object(line: str, place: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise ExperimentError(f"{place}: no JSON ({error}).") from None
    if not isinstance(row, dict):
        raise ExperimentError(f'{place}: each line must be an object such as {{"input": ...}}.')
    return row


def _item(row: Mapping[str, Any] | Item, place: str) -> Item:
    if isinstance(row, Item):
        return row
    given = row.get("input")
    if given in (None, ""):
        there = ", ".join(repr(name) for name in row) or "nothing"
        raise ExperimentError(f"{place} has no `input`; it has {there}.")
    metadata = row.get("metadata")
    if isinstance(metadata, str):
        metadata = _object(metadata, f"{place}, metadata")
    return Item(
        id=str(row.get("id", "")) or id_of(given),
        input=given,
        expected=row.get("expected"),
        # What has no meaning of its own is metadata: a file with further columns needs no mapping.
        metadata={**{name: value for name, value in row.items() if name not in _FIELDS}, **(metadata or {})},
        group=str(row.get("group") or ""),
    )


def _checked(items: Iterable[Item], where: str) -> Source:
    found: dict[str, Item] = {}
    for item in items:
        if item.id in found:
            raise ExperimentError(
                f"Two items of {where} are the same ({item.id}): {str(item.input)[:80]!r}. Give them different `id`s, "
                "or use repeats=... to run an item more than once."
            )
        found[item.id] = item
    if not found:
        raise ExperimentError(f"There are no items in {where}.")
    return Source(tuple(found.values()))
