"""The corpus as a benchmark uses it."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PATH: Final = Path(__file__).with_name("messages.jsonl")


@dataclass(frozen=True, slots=True)
class Raised:
    """One error.

    Attributes:
        template: which message it is: the label.
        provider: as a span names it; "" for a tool.
        type: the exception's class with its module.
        message: in words.
    """

    template: str
    provider: str
    type: str
    message: str


def read(path: Path = PATH) -> list[Raised]:
    """All errors, template by template."""
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        found += [Raised(entry["template"], entry["provider"], entry["type"], message) for message in entry["messages"]]
    return found
