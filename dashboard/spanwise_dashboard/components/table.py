"""A dense table whose rows and cells can open something."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from spanwise_dashboard.components.mount import Opened, mount, nothing, opened
from spanwise_dashboard.format import Change


@dataclass(frozen=True, slots=True)
class Column:
    """A column.

    Attributes:
        label: its header.
        align: `right` for numbers.
        width: CSS width; empty shares what is left.
        hide: the column leaves a table narrower than this, in pixels; 0 stays.
        help: explains the header.
        wrap: long text takes several lines.
    """

    label: str
    align: Literal["", "right"] = ""
    width: str = ""
    hide: int = 0
    help: str = ""
    wrap: bool = False


@dataclass(frozen=True, slots=True)
class Badge:
    """A word on a tinted ground; tone is `good`, `bad`, `warn` or empty."""

    text: str
    tone: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """One value. With `href` (relative, encoded) it is a link that reports `action` and `value` when clicked.

    With an `action` alone it is a button that reports the same. `trend` are counts over time, drawn as small bars.
    """

    text: str = ""
    sub: str = ""
    tone: str = ""
    mono: bool = False
    title: str | None = None
    dot: str | None = None
    kind: str = ""
    bar: float = 0.0
    change: Change | None = None
    trend: tuple[int, ...] = ()
    badges: tuple[Badge, ...] = ()
    href: str = ""
    action: str = ""
    value: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One line; with `href` it opens something and reports the action `row` with its id."""

    id: str
    cells: tuple[Cell, ...]
    href: str = ""
    selected: bool = False


def payload(label: str, columns: Sequence[Column], rows: Sequence[Row], empty: str) -> dict[str, object]:
    """What the component draws."""
    return {
        "label": label,
        "columns": [
            {key: getattr(column, key) for key in ("label", "align", "width", "hide", "help", "wrap")}
            for column in columns
        ],
        "rows": [
            {"id": row.id, "href": row.href, "selected": row.selected, "cells": [_cell(cell) for cell in row.cells]}
            for row in rows
        ],
        "empty": empty,
    }


def table(label: str, columns: Sequence[Column], rows: Sequence[Row], *, key: str, empty: str) -> Opened | None:
    """Draws the table and returns what was clicked."""
    return opened(mount("table", payload(label, columns, rows, empty), key=key, on_opened_change=nothing))


def _cell(cell: Cell) -> dict[str, object]:
    names = ("sub", "tone", "mono", "kind", "bar", "href", "action", "value")
    found: dict[str, object] = {name: value for name in names if (value := getattr(cell, name))}
    found["text"] = cell.text
    found |= {name: value for name in ("title", "dot") if (value := getattr(cell, name)) is not None}
    if cell.change is not None and cell.change.text:
        found["delta"] = {"text": cell.change.text, "tone": cell.change.tone}
    if cell.trend:
        found["trend"] = list(cell.trend)
    if cell.badges:
        found["badges"] = [badge_payload(badge) for badge in cell.badges]
    return found


def badge_payload(badge: Badge) -> dict[str, object]:
    """What draws a badge, here and in a title."""
    return {"text": badge.text, "tone": badge.tone, "title": badge.title or badge.text}
