"""Texts beside each other, with marks where they differ. What people and models wrote stays text."""

from collections.abc import Sequence
from dataclasses import dataclass

from spanwise_dashboard.components.mount import mount
from spanwise_dashboard.text_difference import Part


@dataclass(frozen=True, slots=True)
class Text:
    """One text.

    Attributes:
        title: what it is.
        parts: its pieces; none: there is no text.
        tone: colour of what is changed: `bad` for what went, `good` for what came.
        note: beside the title.
        empty: said where there is no text.
    """

    title: str
    parts: tuple[Part, ...]
    tone: str = ""
    note: str = ""
    empty: str = "nothing"


def payload(label: str, texts: Sequence[Text]) -> dict[str, object]:
    """What the component draws."""
    return {
        "label": label,
        "texts": [
            {
                "title": text.title,
                "note": text.note,
                "tone": text.tone,
                "empty": text.empty,
                "parts": [{"text": part.text, "changed": part.changed} for part in text.parts],
            }
            for text in texts
        ],
    }


def texts(label: str, shown: Sequence[Text], *, key: str) -> None:
    """Draws the texts, side by side where there is room."""
    mount("texts", payload(label, shown), key=key)
