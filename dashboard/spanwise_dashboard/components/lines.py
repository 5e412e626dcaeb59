"""Lines of plain text: what may quote what people or models wrote, and is therefore never read as Markdown."""

from collections.abc import Sequence
from typing import Literal

from spanwise_dashboard.components.mount import mount

Tone = Literal["", "good", "bad", "warn", "muted", "large"]


def lines(texts: Sequence[str], *, key: str, tone: Tone = "") -> None:
    """Draws each text on a line of its own; nothing where there is none."""
    if texts:
        mount("lines", {"lines": [{"text": text, "tone": tone} for text in texts]}, key=key)
