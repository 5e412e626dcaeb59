"""What was erased, as ingest has to know it: a snapshot that says of a trace, user or session whether to leave it out.

Users and sessions are known by digests alone. A snapshot never changes, and its version says which it is: a batch that
is built again after a crash is built by the version that its pin names, and so has the same rows.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final, Literal

NOT_ERASED: Final = 0
Kind = Literal["user", "session", "traces"]


def digest_of(project: str, kind: str, value: str) -> str:
    """What is remembered in place of a user's or a session's id: 64 hex digits.

    Args:
        project: that it was erased in.
        kind: `user` or `session`.
        value: the id.
    """
    return sha256(f"{project}\0{kind}\0{value}".encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Mark:
    """One entry of the memory.

    Attributes:
        number: its place in the journal, from 1.
        project: that it is about.
        kind: what `values` are.
        values: trace ids (16 bytes) of the kind `traces`, else one digest.
        before_us: of users and sessions, spans that start before are meant; microseconds since the epoch.
    """

    number: int
    project: str
    kind: Kind
    values: tuple[bytes | str, ...]
    before_us: int = 0


@dataclass(slots=True)
class ErasedOfProject:
    """What was erased of one project; asked for every one of its spans.

    Attributes:
        traces: trace id to the number of the mark.
        people: digest of a user or session to (number, before) of its marks.
    """

    project: str
    traces: dict[bytes, int] = field(default_factory=dict)
    people: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    _digests: dict[tuple[str, str], str] = field(default_factory=dict)

    def of_trace(self, trace_id: bytes) -> int:
        """Number of the mark that names the trace, or `NOT_ERASED`."""
        return self.traces.get(trace_id, NOT_ERASED)

    def of_people(self, user: str, session: str, start_us: int) -> int:
        """Number of the mark that names the user or the session at that time, or `NOT_ERASED`."""
        if not self.people:
            return NOT_ERASED
        for kind, value in (("user", user), ("session", session)):
            if value:
                for number, before_us in self.people.get(self._digest(kind, value), ()):
                    if start_us < before_us:
                        return number
        return NOT_ERASED

    def _digest(self, kind: str, value: str) -> str:
        found = self._digests.get((kind, value))
        if found is None:
            if len(self._digests) >= 10_000:
                self._digests.clear()
            found = self._digests[kind, value] = digest_of(self.project, kind, value)
        return found


class Erased:
    """Everything that was erased, up to a version.

    Args:
        marks: in any order.
        version: the highest number that was read.
    """

    def __init__(self, marks: Iterable[Mark] = (), version: int = 0) -> None:
        self.version: Final = version
        self._marks: Final = tuple(marks)
        self._projects: dict[str, ErasedOfProject] = {}
        for mark in sorted(self._marks, key=lambda one: one.number):
            of = self._projects.setdefault(mark.project, ErasedOfProject(mark.project))
            for value in mark.values:
                if isinstance(value, bytes):
                    of.traces.setdefault(value, mark.number)
                else:
                    of.people.setdefault(value, []).append((mark.number, mark.before_us))

    @property
    def projects(self) -> Mapping[str, ErasedOfProject]:
        """By project; one of which nothing was erased is absent."""
        return self._projects

    def with_marks(self, marks: Iterable[Mark], version: int) -> "Erased":
        """A later snapshot."""
        return Erased((*self._marks, *marks), version)

    def at(self, version: int) -> "Erased":
        """The snapshot as it was at a version; itself where it is that one."""
        if version == self.version:
            return self
        return Erased((mark for mark in self._marks if mark.number <= version), version)


NOTHING: Final = Erased()
"""Where nothing was erased yet."""
