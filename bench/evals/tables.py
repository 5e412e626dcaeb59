"""Figures of evals as Markdown tables."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_COLUMNS: Sequence[tuple[str, str]] = (
    ("corrected", "corrected"),
    ("people", "people alone"),
    ("judge", "judge alone"),
    ("ppi_python", "ppi-python"),
    ("width", "width"),
    ("people_width", "width, people alone"),
    ("gain", "labels worth"),
)


def coverage_tables(found: Mapping[str, Any]) -> str:
    """The summary of `coverage.measure`, and every cell."""
    summary = {key: value for key, value in found.items() if key != "cells"}
    head = ("scores, quality, judge, chances, labels", *(title for _, title in _COLUMNS))
    rows = [(name, *(_figure(cell.get(key)) for key, _ in _COLUMNS)) for name, cell in found["cells"].items()]
    return f"{generic(summary)}\n{table(head, rows)}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """One table."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def generic(found: Mapping[str, Any]) -> str:
    """Every figure with its path."""
    return table(("figure", "value"), [(path, value) for path, value in _flat(found)])


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"


def _flat(found: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    for key, value in found.items():
        name = f"{path}, {key}" if path else str(key)
        if isinstance(value, Mapping):
            yield from _flat(value, name)
        else:
            yield name, f"{value:g}" if isinstance(value, float) else str(value)
