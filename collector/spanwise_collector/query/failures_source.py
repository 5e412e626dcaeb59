"""Failures with the issue that each belongs to, as SQL: fingerprints are grouped when read, never rewritten."""

from dataclasses import dataclass
from typing import Final

from spanwise_collector.query.window import DAY, Window

HISTORY: Final = 90 * DAY
"""How far back `first seen` looks; failures live as long as their spans."""
_GROUPS: Final = (
    "(SELECT fingerprint AS mapped, argMax(group_id, version) AS group_id, argMax(how, version) AS how "
    "FROM failure_groups WHERE project_id = {project:String} GROUP BY fingerprint)"
)
SOURCE: Final = (
    "(SELECT *, if(g.group_id = 0, fingerprint, g.group_id) AS issue, if(g.how = '', 'own', g.how) AS grouped "
    f"FROM failures AS f LEFT JOIN {_GROUPS} AS g ON f.fingerprint = g.mapped "
    "WHERE f.project_id = {project:String} AND f.time >= fromUnixTimestamp64Micro({oldest:Int64}, 'UTC') "
    "AND f.time < fromUnixTimestamp64Micro({end:Int64}, 'UTC'))"
)
IN_WINDOW: Final = "time >= fromUnixTimestamp64Micro({start:Int64}, 'UTC')"


@dataclass(frozen=True, slots=True)
class FailureFilter:
    """Which failures. Values of one filter are alternatives; empty: no filter."""

    project: str
    environments: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    releases: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()

    def condition(self) -> str:
        """SQL on a row of `SOURCE`; `parameters` has its values."""
        used = [f"{column} IN {{{key}:Array(String)}}" for key, column, values in self._lists() if values]
        return " AND ".join(used) or "1"

    def parameters(self, window: Window) -> dict[str, object]:
        """Values for the SQL of `SOURCE` and `condition`."""
        return {
            "project": self.project,
            "oldest": min(window.before.start, window.end - HISTORY),
            "start": window.start,
            "end": window.end,
            **{key: list(values) for key, _, values in self._lists() if values},
        }

    def _lists(self) -> tuple[tuple[str, str, tuple[str, ...]], ...]:
        return (
            ("envs", "env", self.environments),
            ("names", "name", self.names),
            ("models", "model", self.models),
            ("releases", "release", self.releases),
            ("classes", "failure_class", self.classes),
        )


def issue_id(number: int) -> str:
    """An issue's id, or a fingerprint, as the API has it: 16 hex digits."""
    return f"{number:016x}"


def issue_number(text: str) -> int:
    """The number of an id.

    Raises:
        ValueError: it is not 1 to 16 hex digits.
    """
    if not 1 <= len(text) <= 16:
        raise ValueError(f"{text!r} is no id of an issue: 16 hex digits")
    return int(text, 16)
