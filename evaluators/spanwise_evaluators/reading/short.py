"""Names and quotations that fit into a sentence."""

from typing import Final

MAX_NAME: Final = 80
"""Characters of a name inside a title."""


def short(name: str) -> str:
    """A name that fits a title."""
    return name if len(name) <= MAX_NAME else name[: MAX_NAME - 1] + "…"
