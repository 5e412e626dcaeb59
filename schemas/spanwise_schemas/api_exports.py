"""Answers about scheduled exports."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from spanwise_schemas.api import Model

ExportState = Literal["done", "failed", "superseded"]


class ExportRun(Model):
    """A file that was written, or could not be."""

    name: str = Field(description="Of the export.")
    part: str = Field(description="What it is of: a day, UTC (`2026-11-25`), or a version of a dataset (`v3`).")
    place: str = Field(description="Path or URL of the file, without credentials.")
    rows: int = Field(0, description="Items or scores in it.")
    state: ExportState = Field(
        description="`superseded`: it failed, and a newer version of the dataset was written since."
    )
    reason: str = Field("", description="Why it failed; it is tried again every ten minutes. Or what superseded it.")
    time: datetime = Field(description="When it was written or last tried.")


class ExportRunPage(Model):
    """Files, the newest first."""

    items: list[ExportRun]
