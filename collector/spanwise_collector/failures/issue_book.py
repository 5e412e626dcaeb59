"""What people say of issues: states, merges, splits. Written beside the failures, which stay as they are."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final, Protocol

import pyarrow as pa

from spanwise_collector.query.failures_source import SOURCE, FailureFilter
from spanwise_collector.query.values import micros
from spanwise_collector.query.window import HOUR, Window
from spanwise_collector.store.database import Reader
from spanwise_schemas.api_failures import IssueState

_MILLIS: Final = pa.timestamp("ms", "UTC")
_STATES: Final = pa.schema(
    [
        ("project_id", pa.string()),
        ("group_id", pa.uint64()),
        ("state", pa.string()),
        ("note", pa.string()),
        ("by", pa.string()),
        ("ts", _MILLIS),
        ("version", pa.uint64()),
    ]
)
GROUPS: Final = pa.schema(
    [
        ("project_id", pa.string()),
        ("fingerprint", pa.uint64()),
        ("group_id", pa.uint64()),
        ("how", pa.string()),
        ("grouping_key", pa.string()),
        ("title", pa.string()),
        ("added", pa.uint64()),
        ("by", pa.string()),
        ("ts", _MILLIS),
        ("version", pa.uint64()),
    ]
)


class Store(Reader, Protocol):
    """What the book needs of the database; `Database` fulfils it."""

    def insert(self, table: str, rows: pa.RecordBatch, *, token: str) -> None:
        """See `Database.insert`."""
        ...


class UnknownIssueError(LookupError):
    """There is no failure of this issue or fingerprint."""


class IssueBook:
    """Writes down what people say; the last word counts.

    Args:
        store: the database.
        now: the time of day, UTC.
    """

    def __init__(self, store: Store, now: Callable[[], datetime]) -> None:
        self._store = store
        self._now = now

    def set_state(self, project: str, issue: int, state: IssueState, *, note: str = "", by: str = "") -> None:
        """Give an issue a state. A resolved one is open again as soon as it has a failure later than this.

        Raises:
            UnknownIssueError: it has no failures.
            StoreError: as the store says.
        """
        self._prints(project, [issue])
        now = self._now()
        version = micros(now)
        row = {
            "project_id": project,
            "group_id": issue,
            "state": state,
            "note": note,
            "by": by,
            "ts": now,
            "version": version,
        }
        batch = pa.RecordBatch.from_pylist([row], schema=_STATES)
        self._store.insert("failure_states", batch, token=f"issue:{project}:{issue}:{version}")

    def merge(self, project: str, into: int, issues: Sequence[int], *, by: str = "") -> int:
        """Make issues a part of another; returns how many fingerprints moved.

        Raises:
            UnknownIssueError: one of them has no failures.
            StoreError: as the store says.
        """
        self._prints(project, [into])
        prints = self._prints(project, issues)
        self._write(project, dict.fromkeys(prints, into), prints, "merge", by)
        return len(prints)

    def split(self, project: str, fingerprints: Sequence[int], *, by: str = "") -> int:
        """Make fingerprints an issue of their own; returns its number, that of the first of them.

        Raises:
            UnknownIssueError: one of them has no failures.
            ValueError: an issue has its number from one of them; the others can be split off instead.
            StoreError: as the store says.
        """
        known = self._titles(project, "fingerprint", fingerprints)
        if began := [one for one in fingerprints if one in self._heads(project, fingerprints)]:
            raise ValueError(f"{began[0]:016x} is what its issue began with and is named by; split off the others.")
        issue = min(fingerprints)
        self._write(project, dict.fromkeys(known, issue), known, "split", by)
        return issue

    def _prints(self, project: str, issues: Sequence[int]) -> dict[int, str]:
        return self._titles(project, "issue", issues)

    def _titles(self, project: str, column: str, numbers: Sequence[int]) -> dict[int, str]:
        """Titles by fingerprint of what has these numbers in a column."""
        end = micros(self._now()) + HOUR
        parameters = FailureFilter(project).parameters(Window(end - HOUR, end))
        rows = self._store.query(
            f"SELECT {column} AS number, fingerprint, argMax(title, time) FROM {SOURCE} "
            f"WHERE {column} IN {{numbers:Array(UInt64)}} GROUP BY number, fingerprint ORDER BY fingerprint",
            parameters | {"numbers": list(numbers)},
        ).rows
        missing = set(numbers) - {number for number, _, _ in rows}
        if missing:
            listed = ", ".join(f"{number:016x}" for number in sorted(missing))
            raise UnknownIssueError(f"There are no failures of {listed} in project {project!r}.")
        return {fingerprint: title for _, fingerprint, title in rows}

    def _heads(self, project: str, fingerprints: Sequence[int]) -> set[int]:
        """Those of the fingerprints that others are grouped with."""
        rows = self._store.query(
            "SELECT fingerprint, argMax(group_id, version) AS issue FROM failure_groups "
            "WHERE project_id = {project:String} GROUP BY fingerprint HAVING issue IN {numbers:Array(UInt64)}",
            {"project": project, "numbers": list(fingerprints)},
        ).rows
        return {issue for fingerprint, issue in rows if fingerprint != issue}

    def _write(self, project: str, issues: Mapping[int, int], titles: Mapping[int, str], how: str, by: str) -> None:
        now = self._now()
        version = micros(now)
        kept = {
            fingerprint: (key, added)
            for fingerprint, key, added in self._store.query(
                "SELECT fingerprint, argMax(grouping_key, version), argMax(added, version) FROM failure_groups "
                "WHERE project_id = {project:String} AND fingerprint IN {numbers:Array(UInt64)} GROUP BY fingerprint",
                {"project": project, "numbers": list(issues)},
            ).rows
        }
        rows = [
            {
                "project_id": project,
                "fingerprint": fingerprint,
                "group_id": issue,
                "how": how,
                "grouping_key": kept.get(fingerprint, ("", 0))[0],
                "title": titles[fingerprint],
                "added": kept.get(fingerprint, ("", 0))[1],
                "by": by,
                "ts": now,
                "version": version,
            }
            for fingerprint, issue in issues.items()
        ]
        batch = pa.RecordBatch.from_pylist(rows, schema=GROUPS)
        self._store.insert("failure_groups", batch, token=f"{how}:{project}:{min(issues)}:{version}")
