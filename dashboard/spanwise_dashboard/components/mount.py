"""Registers a component of ours with Streamlit and mounts it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

_STATIC = Path(__file__).parent / "static"
_PARTS = {**dict.fromkeys(("chart", "band", "trend"), ("base", "axis", "plot")), "histogram": ("base", "axis")}
"""Files that a component shares with others, before its own."""


@dataclass(frozen=True, slots=True)
class Opened:
    """What was clicked in a component.

    Attributes:
        action: what to do, as the component's data named it.
        value: with what.
    """

    action: str
    value: str


def mount(
    name: str,
    data: dict[str, object] | bytes,
    *,
    key: str,
    **callbacks: Callable[[], None],
) -> Any:
    """Puts the component `name` (static/<name>.js and .css) into the page.

    Args:
        name: file name of the component.
        data: what it draws: JSON, or bytes for what is large, which Streamlit then neither parses nor sorts.
        key: identity on the page; its state lives under it.
        **callbacks: `on_<name>_change` for each state and trigger.
    """
    return _component(name)(key=key, data=data, **callbacks)


def opened(result: Any) -> Opened | None:
    """What was clicked since the last run, or None."""
    value = getattr(result, "opened", None)
    if not isinstance(value, dict):
        return None
    return Opened(str(value.get("action", "")), str(value.get("value", "")))


def nothing() -> None:
    """Callback of a trigger whose value the page reads itself."""


@cache
def _component(name: str) -> Callable[..., Any]:
    def read(ending: str) -> str:
        files = [_STATIC / f"{file}.{ending}" for file in (*_PARTS.get(name, ("base",)), name)]
        return "".join(file.read_text(encoding="utf-8") for file in files if file.exists())

    return st.components.v2.component(
        f"spanwise_{name}",
        html='<div class="sw"></div>',
        css=read("css"),
        js=read("js"),
    )
