"""What a failing span becomes: a class, a finer one, a line for people, and a number for what is the same problem."""

from dataclasses import dataclass
from typing import Final, NamedTuple

MAX_TITLE: Final = 200
"""Characters of a title."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A classified failure.

    Attributes:
        failure_class: one of `classes.CLASSES`.
        sub: a finer class, or "".
        title: at most `MAX_TITLE` characters for a person.
        fingerprint: 64 bits, never 0; equal for what is the same problem.
    """

    failure_class: str
    sub: str
    title: str
    fingerprint: int


class Found(NamedTuple):
    """A failure before it has its fingerprint.

    Attributes:
        failure_class: one of `classes.CLASSES`.
        sub: a finer class, or "".
        title: for a person, of any length.
        key: what makes two failures of this class the same problem.
    """

    failure_class: str
    sub: str
    title: str
    key: tuple[str, ...]


def titled(text: str) -> str:
    """A title of one line that is short enough."""
    line = " ".join(text.split())
    return line if len(line) <= MAX_TITLE else line[: MAX_TITLE - 1] + "…"
