"""Where one is on the page Datasets, as query parameters. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DatasetsPlace:
    """What is open.

    Attributes:
        name: the dataset that is open; empty for the list.
        version: the version that is shown; 0 for the newest.
        item: the item that is open; empty for none.
        offset: items before the page.
    """

    name: str = ""
    version: int = 0
    item: str = ""
    offset: int = 0


def parse_datasets(parameters: Mapping[str, Sequence[str]]) -> DatasetsPlace:
    """Reads query parameters; what does not read falls back to its default."""
    name, version, item, offset = (
        (parameters.get(key) or ("",))[-1] for key in ("dataset", "version", "item", "offset")
    )
    return DatasetsPlace(name, _number(version), item, _number(offset))


def datasets_query(place: DatasetsPlace) -> dict[str, str | list[str]]:
    """The query parameters of a place; defaults are empty. `parse_datasets` reads them back."""
    return {
        "dataset": place.name,
        "version": str(place.version or ""),
        "item": place.item,
        "offset": str(place.offset or ""),
    }


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
