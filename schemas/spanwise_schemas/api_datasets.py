"""Datasets in the API."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from spanwise_schemas.api import Model

NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._ -]{0,99}$"
"""Names of datasets: they are part of addresses and file names."""
ExportFormat = Literal["jsonl", "csv", "parquet", "openai", "preferences"]
ImportFormat = Literal["csv", "jsonl", "parquet"]
ItemId = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class DatasetItem(Model):
    """One input, and what is expected of it."""

    item_id: str = Field(description="Names it in all versions; by default made from its input.")
    input: Any = Field(None, description="Text, or any JSON.")
    expected: Any = Field(None, description="A good output: text, or any JSON; null where nobody said.")
    rejected: Any = Field(None, description="A bad output, for preference pairs; null where there is none.")
    metadata: dict[str, Any] = Field(default_factory=dict)
    group: str = Field("", description="Items of one group are not independent: those of one conversation, say.")
    trace_id: str = Field("", description="Where it comes from, 32 hex digits; empty where it comes from elsewhere.")
    span_id: str = Field("", description="The span in that trace, 16 hex digits.")


class NewItem(Model):
    """An item to store. Without an id it has one made from its input, so that the same input again replaces it."""

    item_id: ItemId | None = None
    input: Any = Field(description="Text, or any JSON.")
    expected: Any = Field(None, description="A good output; null where nobody said.")
    rejected: Any = Field(None, description="A bad output, for preference pairs.")
    metadata: dict[str, Any] = Field(default_factory=dict)
    group: str = Field("", max_length=200, description="Items of one group are not independent.")
    trace_id: str = Field("", pattern="^([0-9a-f]{32})?$", description="Where it comes from.")
    span_id: str = Field("", pattern="^([0-9a-f]{16})?$", description="The span in that trace.")


class DatasetVersion(Model):
    """One state of a dataset; it can be listed for ever."""

    number: int = Field(description="From 1.")
    items: int = Field(description="In this version.")
    added: int = Field(0, description="Items that the version before does not have.")
    changed: int = 0
    removed: int = 0
    note: str = ""
    by: str = ""
    created_at: datetime


class Dataset(Model):
    """A dataset and its newest version."""

    name: str
    project: str
    description: str = ""
    version: int = Field(0, description="Number of the newest version; 0 before the first item.")
    items: int = Field(0, description="In the newest version.")
    created_at: datetime
    updated_at: datetime = Field(description="Of the newest version.")
    by: str = ""


class DatasetPage(Model):
    """All datasets of a project, those changed last first."""

    items: list[Dataset]


class DatasetDetail(Model):
    """A dataset with its versions, the newest first."""

    dataset: Dataset
    versions: list[DatasetVersion]


class DatasetDraft(Model):
    """A dataset to make, or its new description."""

    name: str = Field(pattern=NAME_PATTERN, description="Letters, digits, spaces, `.`, `_` and `-`.")
    description: str = Field("", max_length=4000)
    by: str = Field("", max_length=200)


class ItemPage(Model):
    """Items of a version in their order."""

    dataset: str
    version: int
    total: int
    items: list[DatasetItem]
    next_offset: int | None = Field(None, description="Where the next page begins; null on the last one.")


class DatasetChange(Model):
    """What to change; all of it becomes one version."""

    put: list[NewItem] = Field(default_factory=list, max_length=10_000, description="Items to add or to replace.")
    remove: list[ItemId] = Field(default_factory=list, max_length=10_000, description="Ids of items to remove.")
    note: str = Field("", max_length=2000)
    by: str = Field("", max_length=200)


class DatasetChanged(Model):
    """What became of a change. One that changes nothing makes no version."""

    dataset: str
    version: int = Field(description="Number of the newest version now.")
    items: int
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0
    repeated: int = Field(0, description="Inputs that came more than once; the last of them counts.")
    skipped: int = Field(0, description="Traces, or corrected answers, without a stored input.")
