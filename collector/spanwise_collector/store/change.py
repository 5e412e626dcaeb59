"""A change of stored spans, as SQL."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Change:
    """New values for columns of some spans of a project.

    Attributes:
        project: whose spans.
        start_us: spans that start from here on, microseconds since the epoch.
        end_us: and before.
        condition: SQL on a span; not on a column that is changed, or doing it again would do something else.
        values: column to SQL on a span, with the same restriction. Text goes in by `literal`.
    """

    project: str
    start_us: int
    end_us: int
    condition: str
    values: Mapping[str, str]

    @property
    def where(self) -> str:
        """SQL that selects the spans."""
        return (
            f"project_id = {literal(self.project)} AND start_time >= {_time(self.start_us)} "
            f"AND start_time < {_time(self.end_us)} AND ({self.condition})"
        )

    def after(self, column: str) -> str:
        """SQL for a column's value after the change."""
        return f"({self.values.get(column, column)})"


def literal(text: str) -> str:
    """Text as SQL."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _time(us: int) -> str:
    return f"fromUnixTimestamp64Micro({us}, 'UTC')"
