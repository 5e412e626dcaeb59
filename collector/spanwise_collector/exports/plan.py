"""What is exported, as a file in the user's repository says, and which parts of it are due. Pure."""

import tomllib
from collections.abc import Collection, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Literal, Self
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from spanwise_collector.datasets.export import ENDINGS
from spanwise_schemas.api_datasets import ExportFormat

SETTLED_AFTER: Final = timedelta(hours=2)
"""A day's scores are exported so long after its end, since some come late."""
TABLE_FORMATS: Final = ("jsonl", "csv", "parquet")


class ExportsFileError(ValueError):
    """The file cannot be used; the message names the export, the field and the remedy."""


class Export(BaseModel):
    """One export.

    Attributes:
        name: of it, and of its files.
        project: whose data.
        what: `dataset` writes each new version of one, `scores` each day's scores.
        dataset: its name, for `dataset`.
        format: of the files; `openai` and `preferences` are for datasets.
        days: for `scores`: how many past days a new export begins with.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")
    project: str = Field("default", min_length=1, max_length=200)
    what: Literal["dataset", "scores"]
    dataset: str = Field("", max_length=100)
    format: ExportFormat = "parquet"
    days: int = Field(7, ge=1, le=365)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.what == "dataset") != bool(self.dataset):
            raise ValueError('`dataset` names the dataset of an export with what = "dataset", and of no other')
        if self.what == "scores" and self.format not in TABLE_FORMATS:
            raise ValueError(f"scores are written as {', '.join(TABLE_FORMATS)}; {self.format} is for datasets")
        return self

    def path(self, part: str) -> str:
        """Where a part is, below the directory or the bucket's prefix: the same part always has the same name."""
        # `project=` in front, as readers of partitioned files expect; so no name of a project can leave the directory.
        return f"project={quote(self.project, safe='')}/{self.name}/{self.name}-{part}.{ENDINGS[self.format]}"


def read(text: str) -> tuple[Export, ...]:
    """What a file says.

    Args:
        text: TOML with a table `[[export]]` for each.

    Raises:
        ExportsFileError: it says what cannot be used.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ExportsFileError(f"it is not TOML: {error}") from None
    unknown = sorted(set(document) - {"export"})
    if unknown:
        raise ExportsFileError(f"there is no table {unknown[0]!r}; write [[export]]")
    tables = document.get("export", [])
    if not isinstance(tables, list) or not all(isinstance(one, dict) for one in tables):
        raise ExportsFileError("write [[export]], with two brackets, for each export")
    found: dict[tuple[str, str], Export] = {}
    for number, table in enumerate(tables, 1):
        title = f"export {number} ({table.get('name', 'without name')})"
        try:
            one = Export.model_validate(table)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))
            raise ExportsFileError(f"{title}: {f'{where}: ' if where else ''}{first['msg']}") from None
        if (one.project, one.name) in found:
            raise ExportsFileError(f"{title}: another export of the project has the same name")
        found[one.project, one.name] = one
    return tuple(found.values())


def load(path: Path) -> tuple[Export, ...]:
    """What the file at a path says.

    Raises:
        ExportsFileError: it cannot be read, or says what cannot be used; the message has its path.
    """
    try:
        return read(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ExportsFileError(f"{path}: it cannot be read: {error}") from error
    except ExportsFileError as error:
        raise ExportsFileError(f"{path}: {error}") from None


def due_days(export: Export, done: Collection[str], now: datetime) -> Iterator[datetime]:
    """Days whose scores are to be written, oldest first, as their beginnings, UTC.

    Args:
        export: of scores.
        done: parts that are written.
        now: the time of day, UTC.
    """
    last = (now.astimezone(UTC) - SETTLED_AFTER).replace(hour=0, minute=0, second=0, microsecond=0)
    for back in range(export.days, 0, -1):
        day = last - timedelta(days=back)
        if part_of(day) not in done:
            yield day


def part_of(day: datetime) -> str:
    """A day's name."""
    return f"{day:%Y-%m-%d}"
