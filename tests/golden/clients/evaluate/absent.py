"""What a client is known not to send: `absent.toml` beside its program."""

import tomllib
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from tests.golden.clients.recording import PROGRAMS, Recording

SENT: Final = ("nothing", "other")


@dataclass(frozen=True, slots=True)
class Absence:
    """A field that a client does not send.

    Attributes:
        number: its place in the file, from 1.
        field: its name.
        cases: shell patterns on case names.
        reason: why.
        sends_other: whether the client sends another value in place of the true one.
    """

    number: int
    field: str
    cases: tuple[str, ...]
    reason: str
    sends_other: bool

    def covers(self, field: str, case: str) -> bool:
        """Whether it speaks of a field in a case."""
        return field == self.field and any(fnmatchcase(case, pattern) for pattern in self.cases)


def load(recording: Recording, folder: Path = PROGRAMS, fields: frozenset[str] = frozenset()) -> list[Absence]:
    """The absences of a recording's client and variant.

    Raises:
        ValueError: for an entry with an unknown field or key, or without a reason.
    """
    path = folder / recording.client / "absent.toml"
    if not path.exists():
        return []
    found = []
    for number, one in enumerate(tomllib.loads(path.read_text(encoding="utf-8")).get("absent", ()), start=1):
        unknown = one.keys() - {"field", "cases", "variants", "reason", "sent"}
        sent = one.get("sent", "nothing")
        if unknown or (fields and one["field"] not in fields) or not one.get("reason") or sent not in SENT:
            raise ValueError(f"{path}, entry {number}: unknown {sorted(unknown) or one['field']}, or no reason")
        if "variants" not in one or recording.variant in one["variants"]:
            cases = tuple(one.get("cases", ("*",)))
            found.append(Absence(number, one["field"], cases, one["reason"], sent == "other"))
    return found
